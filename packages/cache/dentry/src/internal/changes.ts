import { type DentryKind, KIND_DIRECTORY, KIND_NONE, KIND_SYMLINK } from '../dentry.js';
import { childPath, type DentryNode, IN_LOOKUP, pathOf, SEARCHED, STALE, UNLISTABLE } from './dentry-node.js';
import type { CreatedOptions } from '../options.js';
import type { DentryTree } from './dentry-tree.js';
import { kindOfEntry } from './kinds.js';
import type { RememberedPaths } from './remembered-paths.js';
import type { Resolver } from './resolver.js';

/** As on Linux. */
const SYMLINKS_MAX = 40;
const SLASH = '/';

/** A name in a directory that is cached; there need not be a dentry of it. */
interface Place<I extends object> {
  readonly directory: DentryNode<I>;
  readonly name: string;
}

/** What a path is about: a place, the root, nothing since its directory is not there, or nobody can tell. */
type Located<I extends object> = Place<I> | 'root' | 'nowhere' | 'unknown';

/**
 * What others' and the caller's own changes of the file system do to the tree. Each forgets at least all that is not
 * true any more, and answers of the source that are on their way and may be older are not kept.
 *
 * A path may lead over symlinks that are not cached to a place that is. So where the cache cannot tell where a path
 * leads, the source is asked, synchronously; and when it cannot answer, everything is forgotten.
 */
export class Changes<I extends object> {
  private readonly tree: DentryTree<I>;
  private readonly resolver: Resolver<I>;
  private readonly paths: RememberedPaths<I>;
  /** Walks to a path, without its attributes; throws what the source throws. */
  private readonly walkTo: (path: string) => DentryNode<I>;

  constructor(
    tree: DentryTree<I>,
    resolver: Resolver<I>,
    paths: RememberedPaths<I>,
    walkTo: (path: string) => DentryNode<I>,
  ) {
    this.tree = tree;
    this.resolver = resolver;
    this.paths = paths;
    this.walkTo = walkTo;
  }

  everything(): void {
    this.tree.dropChildren(this.tree.root);
    this.resolver.cancelBelow(this.tree.root);
    this.distrust(this.tree.root);
  }

  /** Something has happened to the path, nobody says what; and to what a symlink there leads to. */
  changed(path: string, exact: boolean): void {
    this.along(path, (place) => {
      if (place === 'root') {
        if (exact) {
          this.distrust(this.tree.root);
        } else {
          this.everything();
        }
        return;
      }
      const node = this.tree.find(place.directory, place.name);
      if (exact && node?.kind === KIND_DIRECTORY) {
        this.forget(place);
        this.distrust(node);
      } else {
        this.forgetAndDrop(place);
      }
    });
  }

  created(path: string, { kind, certain = false, isNew = false }: CreatedOptions): void {
    const change = (place: Place<I> | 'root', isSymlink: boolean): void => {
      if (place === 'root') {
        return;
      }
      this.forgetAndDrop(place);
      // Where there is a symlink nothing was created, but where it leads to.
      if (certain && kind !== undefined && kind !== 'unknown' && (!isSymlink || kind === 'symlink')) {
        this.tree.setListed(place.directory, place.name, kindOfEntry(kind));
        if (isNew && kind === 'directory') {
          this.resolver.made(place.directory, place.name);
        }
      }
    };
    if (!isNew) {
      this.along(path, change);
      return;
    }
    const place = this.locate(path);
    if (place === 'nowhere' || place === 'unknown') {
      this.lost(place);
    } else {
      change(place, false);
    }
  }

  unlinked(path: string, certain: boolean): void {
    const place = this.locate(path);
    if (typeof place === 'string') {
      this.lost(place);
      return;
    }
    this.forgetAndDrop(place);
    if (certain) {
      this.tree.setListed(place.directory, place.name, KIND_NONE);
    }
  }

  renamed(from: string, to: string, exchange: boolean, certain: boolean): void {
    const source = this.locate(from);
    const target = this.locate(to);
    if (typeof source === 'string' || typeof target === 'string' || !certain) {
      for (const place of [source, target]) {
        if (typeof place === 'string') {
          this.lost(place);
        } else {
          this.forgetAndDrop(place);
        }
      }
      return;
    }
    const moved = this.tree.find(source.directory, source.name);
    const replaced = this.tree.find(target.directory, target.name);
    const movedKind = this.kindAt(source);
    const replacedKind = this.kindAt(target);
    const { tree } = this;
    // Perhaps two spellings of it.
    const isOneName = source.directory === target.directory && tree.keyOf(source.name) === tree.keyOf(target.name);
    this.forget(source);
    this.forget(target);
    if (!isOneName && isMovable(moved) && (!exchange || isMovable(replaced))) {
      if (exchange && replaced !== null) {
        // Two may have one name for a moment; nobody looks.
        this.move(replaced, source);
      } else if (replaced !== null) {
        tree.drop(replaced);
      }
      this.move(moved, target);
    } else {
      this.forgetAndDrop(source);
      this.forgetAndDrop(target);
    }
    if (!isOneName) {
      this.list(target, movedKind);
      if (exchange) {
        this.list(source, replacedKind);
      } else if (movedKind === KIND_DIRECTORY || replacedKind === KIND_NONE) {
        // Else the two may have been names of one file, which both stay.
        this.list(source, KIND_NONE);
      }
    }
  }

  private move(node: DentryNode<I>, { directory, name }: Place<I>): void {
    // What is asked about it and all below, is asked by the old path.
    this.resolver.cancelBelow(node);
    node.flags |= STALE;
    this.tree.move(node, directory, name);
    if (node.kind === KIND_DIRECTORY) {
      // Paths that lead through it.
      this.paths.clear();
    }
  }

  private list({ directory, name }: Place<I>, kind: DentryKind | null): void {
    if (kind !== null) {
      this.tree.setListed(directory, name, kind);
    }
  }

  /** What is known to be at a place; null for nothing. */
  private kindAt({ directory, name }: Place<I>): DentryKind | null {
    const node = this.tree.find(directory, name);
    if (node !== null && (node.flags & IN_LOOKUP) === 0) {
      return node.kind;
    }
    const listing = directory.listing;
    const entry = listing?.entries.get(this.tree.keyOf(name));
    if (listing === null || entry?.kind === 'unknown') {
      return null;
    }
    return entry === undefined ? KIND_NONE : kindOfEntry(entry.kind);
  }

  /** The directory has another entry of this name, or none; and so other times. */
  private forget({ directory, name }: Place<I>): void {
    const { tree } = this;
    tree.cancel(directory);
    directory.flags |= STALE;
    directory.seq += 2;
    tree.forgetListed(directory, name);
  }

  private forgetAndDrop(place: Place<I>): void {
    this.forget(place);
    const node = this.tree.find(place.directory, place.name);
    if (node !== null) {
      this.tree.drop(node);
    }
  }

  /** A directory may be another one; what is below it stays, unless it is. */
  private distrust(directory: DentryNode<I>): void {
    this.tree.distrust(directory);
    this.tree.dropListing(directory);
    directory.flags = (directory.flags & ~(SEARCHED | UNLISTABLE)) | this.tree.directoryFlags;
    // Paths that lead through it have to look at it again.
    this.paths.clear();
  }

  private lost(located: 'root' | 'nowhere' | 'unknown'): void {
    if (located === 'unknown') {
      this.everything();
    }
  }

  /** Makes the change where the path is, and then where the symlink leads that is there. */
  private along(path: string, change: (place: Place<I> | 'root', isSymlink: boolean) => void): void {
    let at = path;
    for (let links = 0; links <= SYMLINKS_MAX; links++) {
      const place = this.locate(at);
      const target = typeof place === 'string' ? null : this.targetOf(place);
      if (place === 'nowhere' || place === 'unknown' || target === undefined) {
        this.lost(place === 'nowhere' ? place : 'unknown');
        return;
      }
      change(place, target !== null);
      if (target === null || place === 'root') {
        return;
      }
      at = target.startsWith(SLASH) ? target : `${pathOf(place.directory)}${SLASH}${target}`;
    }
  }

  /** Where the symlink leads that is at the place; null if there is none; undefined if that cannot be told. */
  private targetOf(place: Place<I>): string | null | undefined {
    const node = this.tree.find(place.directory, place.name);
    if (node !== null && node.target !== null) {
      return node.target;
    }
    const kind = this.kindAt(place);
    return kind === null || kind === KIND_SYMLINK
      ? this.resolver.targetOf(childPath(place.directory, place.name))
      : null;
  }

  private locate(path: string): Located<I> {
    let end = path.length;
    while (end > 1 && path[end - 1] === SLASH) {
      end--;
    }
    const cut = path.lastIndexOf(SLASH, end - 1);
    const name = path.slice(cut + 1, end);
    try {
      if (name === '' || name === '.' || name === '..') {
        const node = this.walkTo(path);
        return node.parent === null
          ? node === this.tree.root
            ? 'root'
            : 'nowhere'
          : { directory: node.parent, name: node.name };
      }
      const directory = this.walkTo(cut === 0 ? SLASH : path.slice(0, cut));
      return directory.kind === KIND_DIRECTORY ? { directory, name } : 'nowhere';
    } catch {
      return 'unknown';
    }
  }
}

function isMovable<I extends object>(node: DentryNode<I> | null): node is DentryNode<I> {
  return node !== null && node.kind !== KIND_NONE && (node.flags & IN_LOOKUP) === 0;
}
