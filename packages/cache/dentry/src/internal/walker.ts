import { KIND_DIRECTORY, KIND_NONE, KIND_SYMLINK } from '../dentry.js';
import { HASH_SEED, hashCode } from './dentry-hash.js';
import { type DentryNode, IN_LOOKUP, pathOf, SEARCHED, STALE } from './dentry-node.js';
import type { DentryTree } from './dentry-tree.js';
import { kindOfEntry } from './kinds.js';
import { hasSpellings, isAmbiguous, isTooLong } from './names.js';

/** The walk is over: see `result`. */
export const DONE = 0;
/** What is the name at `start` in `directory`? */
export const LOOKUP = 1;
/** Where does the symlink `node` lead? */
export const LINK = 2;
/** What are the attributes of `node`? */
export const STATS = 3;
/** Is `node` still what it was? */
export const CHECK = 4;
/** The walk is over: too many symlinks. */
export const LOOP = 5;
/** May names be looked up in the directory `node`? */
export const SEARCH = 6;

export type Need =
  | typeof DONE
  | typeof LOOKUP
  | typeof LINK
  | typeof STATS
  | typeof CHECK
  | typeof LOOP
  | typeof SEARCH;

/** As on Linux. */
const SYMLINKS_MAX = 40;
const SLASH = 47;
const DOT = 46;
/**
 * The walk of one path over what is cached. It takes no references, waits for nothing and makes no string, but for what
 * symlinks make it put together; where it needs to know more it stops, says what, and goes on from there when asked to.
 *
 * @see Documentation/filesystems/path-lookup.rst
 */
export class Walker<I extends object> {
  readonly tree: DentryTree<I>;
  root: DentryNode<I>;
  path = '';
  /** The directory that the walk is in. */
  directory: DentryNode<I>;
  /** The current name is `path` from here, */
  start = 0;
  /** to here. */
  end = 0;
  /** What the walk needs to know more about, other than a name. */
  node: DentryNode<I>;
  result: DentryNode<I>;
  /** Whose sequence number the result stands and falls with. */
  guard: DentryNode<I>;
  /** The guard's sequence number when the result was found. */
  seq = 0;
  /** Whether the way led over dentries that the guard does not keep. */
  bent = false;
  /** Counts of the tree when the walk began: what the walk went over may have gone since. */
  bends = 0;
  epoch = 0;
  /** Up to when all that the walk relied on is good. */
  validUntil: number = Infinity;
  /** The directory whose listing this walk has asked for already. */
  triedList: DentryNode<I> | null = null;
  /** Misses that a listing answered. */
  listedMiss = false;

  /** Where a relative path begins. */
  base: DentryNode<I>;
  /** The path as it was given. */
  given = '';
  private follow = true;
  private attributes = true;
  /** Whether the source must be asked about the last name. */
  fresh = false;
  /**
   * Whether names are believed that nobody may be let to look up: for a change of what is known, which forgets too much
   * rather than too little.
   */
  private unproven = false;
  private now = 0;
  /** Answers of the source from then on need no check in this walk. */
  private since = 0;
  private at = 0;
  private links = 0;

  constructor(tree: DentryTree<I>) {
    this.tree = tree;
    this.root = tree.root;
    this.base = tree.root;
    this.directory = tree.root;
    this.node = tree.root;
    this.result = tree.root;
    this.guard = tree.root;
  }

  begin(path: string, follow: boolean, attributes: boolean, fresh: boolean, now: number, since: number): void {
    this.given = path;
    this.follow = follow;
    this.attributes = attributes;
    this.fresh = fresh;
    this.unproven = false;
    this.now = now;
    this.since = since;
    this.root = this.tree.root;
    this.base = this.root;
    this.restart();
  }

  /** Asks for no proof that names may be looked up. */
  believe(): void {
    this.unproven = true;
  }

  /** Begins at another directory than the root, if the path is relative. */
  from(base: DentryNode<I>): void {
    this.base = base;
    this.restart();
  }

  /** Begins anew below a root that nobody else knows. */
  goAlone(root: DentryNode<I>): void {
    if (this.isRelative) {
      this.given = `${pathOf(this.base)}/${this.given}`;
    }
    this.root = root;
    this.base = root;
    this.restart();
  }

  /** Believes nothing that was found out before, where it has to be looked at again. */
  distrust(since: number): void {
    this.since = since;
    this.restart();
  }

  /** Whether the walk begins at its base. */
  get isRelative(): boolean {
    return this.given.charCodeAt(0) !== SLASH;
  }

  /** The call whose errors the walk's are like. */
  get syscall(): string {
    return this.follow ? 'stat' : 'lstat';
  }

  restart(): void {
    this.path = this.given;
    this.directory = this.isRelative ? this.base : this.root;
    this.at = 0;
    this.links = 0;
    this.bent = false;
    this.bends = this.tree.bends;
    this.epoch = this.tree.epoch;
    this.validUntil = Infinity;
    this.triedList = null;
    this.listedMiss = false;
  }

  /** The current name. */
  name(): string {
    return this.path.slice(this.start, this.end);
  }

  /** Walks on as far as it gets. After an answer to what it needed, it takes the name in question up again. */
  step(): Need {
    const { path } = this;
    const { length } = path;
    for (;;) {
      let start = this.at;
      while (start < length && path.charCodeAt(start) === SLASH) {
        start++;
      }
      const { directory } = this;
      if (start === length) {
        return this.arrive(directory);
      }
      let end = start;
      let hash = HASH_SEED;
      while (end < length) {
        const code = path.charCodeAt(end);
        if (code === SLASH) {
          break;
        }
        hash = hashCode(hash, code);
        end++;
      }
      this.start = start;
      this.end = end;
      if (
        path.charCodeAt(start) === DOT &&
        (end - start === 1 || (end - start === 2 && path.charCodeAt(start + 1) === DOT))
      ) {
        if ((directory.flags & SEARCHED) === 0 && !this.unproven) {
          return this.need(SEARCH, directory);
        }
        if (end - start === 2) {
          this.bent = true;
          this.directory = directory.parent ?? directory;
        }
        this.at = end;
        continue;
      }
      const { tree } = this;
      let node = tree.caseSensitive
        ? tree.findPart(directory, hash, path, start, end)
        : tree.find(directory, path.slice(start, end));
      if (node === null) {
        node = this.lookInListing(directory);
        if (node === tree.notFound) {
          this.listedMiss = true;
          return this.finish(node, directory);
        }
      }
      if (node === null || (node.flags & IN_LOOKUP) !== 0) {
        return LOOKUP;
      }
      if (node.validUntil < this.now && node.serial < this.since) {
        return this.need(CHECK, node);
      }
      if (node.validUntil < this.validUntil) {
        this.validUntil = node.validUntil;
      }
      const { kind } = node;
      if (kind === KIND_DIRECTORY) {
        this.directory = node;
        this.at = end;
        continue;
      }
      if (kind === KIND_SYMLINK && (end < length || this.follow)) {
        return this.leap(node);
      }
      if (kind === KIND_NONE) {
        return this.isOld(node) ? this.need(CHECK, node) : this.finish(node, node);
      }
      if (end < length) {
        if (this.isOld(node)) {
          return this.need(CHECK, node);
        }
        return this.isReachable(node) ? this.finish(tree.notDirectory, node) : this.need(STATS, node);
      }
      return this.arrive(node);
    }
  }

  private need(what: Need, node: DentryNode<I>): Need {
    this.node = node;
    return what;
  }

  private finish(result: DentryNode<I>, guard: DentryNode<I>): Need {
    this.result = result;
    this.guard = guard;
    this.seq = guard.seq;
    return DONE;
  }

  /** Whether the source must be asked about it again: its time is over, or the walk wants to have asked. */
  private isOld(node: DentryNode<I>): boolean {
    return (this.fresh || node.validUntil < this.now) && node.serial < this.since;
  }

  /** Goes on where a symlink leads. */
  private leap(node: DentryNode<I>): Need {
    const { target } = node;
    if (target === null) {
      return this.need(LINK, node);
    }
    if (++this.links > SYMLINKS_MAX) {
      return LOOP;
    }
    this.path = target + this.path.slice(this.end);
    if (target.charCodeAt(0) === SLASH) {
      this.directory = this.root;
    }
    this.at = 0;
    this.bent = true;
    return this.step();
  }

  private arrive(node: DentryNode<I>): Need {
    if (this.isOld(node)) {
      return this.need(CHECK, node);
    }
    if (this.attributes ? node.inode === null || (node.flags & STALE) !== 0 : !this.isReachable(node)) {
      return this.need(STATS, node);
    }
    return this.finish(node, node);
  }

  /** What the directory's listing says of the current name: null if it does not tell. */
  private lookInListing(directory: DentryNode<I>): DentryNode<I> | null {
    const { listing } = directory;
    if (listing === null) {
      return null;
    }
    const { tree } = this;
    if (listing.serial < this.since) {
      if (listing.validUntil < this.now) {
        tree.dropListing(directory);
        return null;
      }
      if (this.fresh) {
        return null;
      }
    }
    const name = this.name();
    if (isAmbiguous(name) || isTooLong(name)) {
      return null;
    }
    listing.referenced = true;
    const entry = listing.entries.get(tree.keyOf(name));
    if (entry === undefined) {
      const isProven = (directory.flags & SEARCHED) !== 0 || this.unproven;
      if (!isProven || (!tree.caseSensitive && hasSpellings(name))) {
        return null;
      }
      this.validUntil = Math.min(this.validUntil, listing.validUntil);
      return tree.notFound;
    }
    const kind = kindOfEntry(entry.kind);
    if (kind === KIND_NONE) {
      return null;
    }
    const node = tree.attach(directory, entry.name);
    tree.become(node, kind, listing.serial, listing.validUntil);
    tree.release(node);
    return node;
  }

  /** Whether there is proof that the name can be reached: a directory may list names, and not let anybody look at them. */
  private isReachable({ inode, parent }: DentryNode<I>): boolean {
    return inode !== null || parent === null || (parent.flags & SEARCHED) !== 0 || this.unproven;
  }
}
