import { CoarseClock, reportUncaught, systemClock } from '@core/base';
import { type DirectoryEntry, systemError } from '@core/fs-source';
import { RcuPending } from '@core/rcu-pending';
import {
  DEFAULT_SEEKS,
  type ShrinkControl,
  SHRINK_EMPTY,
  SHRINK_STOP,
  type Shrinker,
  type ShrinkerSpec,
} from '@core/shrinker';
import { type Dentry, KIND_DIRECTORY, KIND_SYMLINK } from './dentry.js';
import { DentryError } from './dentry-error.js';
import { DENTRY_BYTES } from './internal/account.js';
import { Changes } from './internal/changes.js';
import { checkInvariants } from './internal/check-invariants.js';
import { checkOptions } from './internal/check-options.js';
import { type DentryNode, pathOf, UNHASHED } from './internal/dentry-node.js';
import { DentryTree, type Retired } from './internal/dentry-tree.js';
import { plainInodes } from './internal/plain-inodes.js';
import { RememberedPaths } from './internal/remembered-paths.js';
import { Resolver, staleBase } from './internal/resolver.js';
import { sharedRcu } from './internal/shared-rcu.js';
import { Upkeep } from './internal/upkeep.js';
import { DONE, Walker } from './internal/walker.js';
import type {
  ChangeOptions,
  CreatedOptions,
  DentryCacheOptions,
  DentryCacheStats,
  InodePort,
  InvalidateOptions,
  PlainInode,
  WalkOptions,
} from './options.js';

const NO_OPTIONS: WalkOptions<never> = {};
const PARENT: WalkOptions<never> = { attributes: false };
/** As on Linux. */
const PATH_BYTES_MAX = 4096;
const PATH_UNITS_SAFE = PATH_BYTES_MAX / 3;

/**
 * Names to dentries. A path of which all is cached resolves synchronously, with no reference taken and nothing
 * allocated; anything else asks the source, synchronously or not, and remembers: what is there, what is not, what a
 * symlink leads to, and all entries of directories that are not too large.
 *
 * Paths are absolute, or relative to a `base`; `.`, `..`, doubled and trailing slashes mean what they mean to the
 * system, `..` after symlinks were followed. A walk answers with a dentry, also for what is not there: see
 * {@link Dentry.missing}. It throws only errors of the source, `ELOOP` and `ENAMETOOLONG`. Errors are not remembered.
 *
 * A dentry that a walk answers with is good for the current turn; `hold` it across others. What changes in the file
 * system must be told: `created`, `unlink`, `rename`, `invalidate`; or a policy bounds how long it goes unnoticed.
 *
 * @see fs/namei.c and fs/dcache.c
 */
export class DentryCache<I extends object = PlainInode> implements AsyncDisposable {
  readonly name: string;
  private readonly tree: DentryTree<I>;
  private readonly resolver: Resolver<I>;
  private readonly changes: Changes<I>;
  private readonly pending: RcuPending<Retired<I>>;
  private readonly paths: RememberedPaths<I>;
  private readonly upkeep: Upkeep<I>;
  private readonly options: DentryCacheOptions<I>;
  private readonly timeless: boolean;
  /** For walks that wait for nothing; null while one is under way. */
  private walker: Walker<I> | null;
  private closing: Promise<void> | null = null;
  private shrinking = false;
  private heldCount = 0;
  private walkHits = 0;
  private misses = 0;
  private listedMisses = 0;

  /**
   * @throws {RangeError} an option is out of range
   * @throws {TypeError} an option is of the wrong type, unknown, or missing
   */
  constructor(options: DentryCacheOptions<I>) {
    const limits = checkOptions(options);
    this.options = options;
    this.name = options.name ?? 'dentry';
    const { maxPaths, maxListed, listAfter } = limits;
    const inodes = options.inodes ?? (plainInodes as unknown as InodePort<I>);
    const policy = options.policy ?? null;
    this.timeless = policy === null;
    this.pending = new RcuPending<Retired<I>>({
      rcu: options.rcu ?? sharedRcu(),
      process: (retired) => {
        const inode = retired.inode as I;
        retired.inode = null;
        inodes.release(inode);
      },
      onError: options.onError ?? reportUncaught,
    });
    this.tree = new DentryTree<I>({
      caseSensitive: options.source.caseSensitive,
      trustListings: options.trustListings ?? false,
      group: options.group ?? null,
      pending: this.pending,
    });
    this.resolver = new Resolver<I>(this.tree, {
      source: options.source,
      inodes,
      policy,
      clock: options.clock ?? new CoarseClock(1, systemClock),
      maxListed,
      listAfter,
    });
    this.paths = new RememberedPaths<I>(this.tree, maxPaths);
    this.upkeep = new Upkeep<I>(this.tree, this.paths, limits, options.group ?? null);
    this.changes = new Changes<I>(this.tree, this.resolver, this.paths, (path) => this.locate(path));
    this.walker = new Walker<I>(this.tree);
  }

  /**
   * What the path leads to, or that it leads to nothing, if that is cached; `undefined` if it is not. Asks nobody, and
   * allocates nothing for a path that was walked before.
   */
  peek(path: string, options: WalkOptions<I> = NO_OPTIONS): Dentry<I> | undefined {
    const hit = this.recall(path, options);
    if (hit !== null) {
      return hit;
    }
    const walker = this.begin(path, options, Infinity);
    if (walker === null) {
      return this.tree.notFound;
    }
    const done = walker.step() === DONE;
    const { result } = walker;
    if (done) {
      this.walkHits++;
      walker.guard.referenced = true;
      this.remember(path, options, walker);
    }
    this.end(walker);
    return done ? result : undefined;
  }

  /**
   * What the path leads to.
   *
   * @throws {SystemError} of the source, `ELOOP` and `ENAMETOOLONG`; not for what is not there
   * @throws {DentryError} `ERR_DENTRY_CLOSED`, `ERR_DENTRY_STALE`
   * @throws {TypeError} the path is relative, and there is no `base`
   */
  walkSync(path: string, options: WalkOptions<I> = NO_OPTIONS): Dentry<I> {
    const hit = options.fresh === true ? null : this.recall(path, options);
    if (hit !== null) {
      return hit;
    }
    this.prepare(options);
    const walker = this.begin(path, options, ++this.tree.serial);
    if (walker === null) {
      return this.tree.notFound;
    }
    const before = this.tree.serial;
    try {
      this.resolver.walkSync(walker);
      return this.answer(path, options, walker, before);
    } finally {
      this.end(walker);
    }
  }

  /**
   * As {@link walkSync}, for a source that takes its time; rejects with what that throws. Walks that need to know the
   * same ask once. What changes while the source is asked is not remembered as it was before, and the walk takes up
   * what it had not got to.
   */
  walk(path: string, options: WalkOptions<I> = NO_OPTIONS): Promise<Dentry<I>> {
    const hit = options.fresh === true ? null : this.recall(path, options);
    return hit === null ? this.walkOn(path, options) : Promise.resolve(hit);
  }

  /** All entries of a directory. @throws as {@link walkSync}, and `ENOENT` or `ENOTDIR` */
  readdirSync(path: string, options: WalkOptions<I> = NO_OPTIONS): readonly DirectoryEntry[] {
    const directory = directoryAt(path, this.walkSync(path, { ...options, attributes: false }));
    return this.entriesOf(directory) ?? this.resolver.listSync(directory);
  }

  /** As {@link readdirSync}. */
  async readdir(path: string, options: WalkOptions<I> = NO_OPTIONS): Promise<readonly DirectoryEntry[]> {
    for (;;) {
      const directory = directoryAt(path, await this.walk(path, { ...options, attributes: false }));
      // Something else may have run since the walk ended.
      if ((directory.flags & UNHASHED) === 0) {
        const entries = this.entriesOf(directory) ?? (await this.resolver.list(directory));
        if (entries !== null) {
          return entries;
        }
      }
    }
  }

  /** As {@link readdirSync}, if it asks nobody; else undefined. */
  peekdir(path: string, options: WalkOptions<I> = NO_OPTIONS): readonly DirectoryEntry[] | undefined {
    const dentry = this.peek(path, { ...options, attributes: false });
    return dentry?.kind === KIND_DIRECTORY ? (this.entriesOf(dentry as DentryNode<I>) ?? undefined) : undefined;
  }

  /** Where the symlink leads, as it is written. @throws as {@link walkSync}, and `ENOENT`, `ENOTDIR` or `EINVAL` */
  readlinkSync(path: string, options: WalkOptions<I> = NO_OPTIONS): string {
    const link = symlinkAt(path, this.walkSync(path, { ...options, attributes: false, follow: false }));
    return link.target ?? this.resolver.linkSync(link);
  }

  /** As {@link readlinkSync}. */
  async readlink(path: string, options: WalkOptions<I> = NO_OPTIONS): Promise<string> {
    for (;;) {
      const link = symlinkAt(path, await this.walk(path, { ...options, attributes: false, follow: false }));
      // Something else may have run since the walk ended.
      if ((link.flags & UNHASHED) === 0) {
        const target = link.target ?? (await this.resolver.link(link));
        if (target !== null) {
          return target;
        }
      }
    }
  }

  /** The path without symlinks. @throws as {@link walkSync}, and `ENOENT` or `ENOTDIR` */
  realpathSync(path: string, options: WalkOptions<I> = NO_OPTIONS): string {
    return realpathOf(path, this.walkSync(path, { ...options, attributes: false, follow: true }));
  }

  /** As {@link realpathSync}. */
  async realpath(path: string, options: WalkOptions<I> = NO_OPTIONS): Promise<string> {
    return realpathOf(path, await this.walk(path, { ...options, attributes: false, follow: true }));
  }

  /**
   * The path of a dentry from the root: one without symlinks.
   *
   * @throws {TypeError} for a miss that has no dentry of its own
   */
  pathOf(dentry: Dentry<I>): string {
    if (dentry.parent === null && dentry.missing !== null) {
      throw new TypeError('Cannot tell the path: the walk has led to nothing; look at "missing" first');
    }
    return pathOf(dentry as DentryNode<I>);
  }

  /**
   * Keeps a dentry beyond the current turn, until as many calls of {@link release}. It may stop being what its path
   * leads to.
   *
   * @returns false when it has left the cache already: walk again
   */
  hold(dentry: Dentry<I>): boolean {
    const node = dentry as DentryNode<I>;
    if ((node.flags & UNHASHED) !== 0) {
      return false;
    }
    node.holds++;
    this.heldCount++;
    this.tree.hold(node);
    return true;
  }

  /** @throws {DentryError} `ERR_DENTRY_NOT_HELD` */
  release(dentry: Dentry<I>): void {
    const node = dentry as DentryNode<I>;
    if (node.holds === 0) {
      throw new DentryError(
        'ERR_DENTRY_NOT_HELD',
        `Cannot release '${pathOf(node)}': nobody holds it; release once for each hold`,
      );
    }
    node.holds--;
    this.heldCount--;
    node.referenced = true;
    this.tree.release(node);
    if (this.closing !== null) {
      this.upkeep.drain();
    }
  }

  /**
   * Something may have happened to what the path names, and, if that is a symlink, to what it leads to; and to all
   * below, unless `exact`. Without a path: to everything.
   */
  invalidate(path?: string, options: InvalidateOptions = {}): void {
    if (path === undefined) {
      this.changes.everything();
    } else {
      this.changes.changed(absolute(path), options.exact === true);
    }
  }

  /** The caller has made something by this name, or where the symlink of this name leads, if there is one. */
  created(path: string, options: CreatedOptions = {}): void {
    this.changes.created(absolute(path), options);
  }

  /** The caller has removed the name: a file or directory. */
  unlink(path: string, options: ChangeOptions = {}): void {
    this.changes.unlinked(absolute(path), options.certain === true);
  }

  /** The caller has renamed one to the other, or exchanged them. */
  rename(from: string, to: string, options: ChangeOptions & { readonly exchange?: boolean } = {}): void {
    this.changes.renamed(absolute(from), absolute(to), options.exchange === true, options.certain === true);
  }

  /** Dentries and listings that could be freed, some of which may turn out to be in use. */
  count(sc?: Pick<ShrinkControl, 'zone' | 'group'>): number {
    return this.tree.freeable(sc);
  }

  /** Frees what was not used for long. @param nr how many to look at @returns how many were freed */
  prune(nr: number, sc?: Pick<ShrinkControl, 'zone' | 'group'>): number {
    return this.upkeep.prune(nr, sc);
  }

  /** What to register so that memory pressure reaches the cache; then {@link attach} the shrinker. */
  asShrinker(): ShrinkerSpec {
    return {
      name: this.name,
      seeks: this.options.seeks ?? DEFAULT_SEEKS,
      groupAware: this.upkeep.isCharged,
      objectBytes: (zone) => (zone === 'heap' ? DENTRY_BYTES : 0),
      count: (sc) => this.count(sc) || SHRINK_EMPTY,
      scan: (sc) => this.scan(sc),
    };
  }

  /** Has the shrinker told of groups that have dentries. @returns the shrinker */
  attach(shrinker: Shrinker): Shrinker {
    this.tree.positives.attach(shrinker);
    this.tree.negatives.attach(shrinker);
    this.tree.listings.attach(shrinker);
    return shrinker;
  }

  stats(): DentryCacheStats {
    const { tree } = this;
    return {
      name: this.name,
      dentries: tree.count,
      negative: tree.negativeCount,
      held: this.heldCount,
      listings: tree.listings.length,
      listedNames: tree.listedNames,
      paths: this.paths.size,
      pathHits: this.paths.hits,
      walkHits: this.walkHits,
      misses: this.misses,
      listedMisses: this.listedMisses,
      evictions: tree.evictions,
      restarts: this.resolver.restarts,
      pending: this.pending.count,
      chargedBytes: this.upkeep.charged,
    };
  }

  /** Frees all that nobody holds; what is held goes when it is released. Walks that are under way go on to their end. */
  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async finish(): Promise<void> {
    this.changes.everything();
    const { root } = this.tree;
    this.tree.setInode(root, null);
    this.upkeep.drain();
    await this.pending.barrier();
    this.tree.positives[Symbol.dispose]();
    this.tree.negatives[Symbol.dispose]();
    this.tree.listings[Symbol.dispose]();
  }

  private scan(sc: ShrinkControl): number {
    if (this.shrinking) {
      return SHRINK_STOP;
    }
    this.shrinking = true;
    try {
      return this.prune(sc.nrToScan, sc);
    } finally {
      this.shrinking = false;
    }
  }

  /** Where the path of a change leads, whether or not names there may be looked up. @throws as {@link walkSync} */
  private locate(path: string): DentryNode<I> {
    const hit = this.recall(path, PARENT);
    if (hit !== null) {
      return hit;
    }
    this.prepare(PARENT);
    const walker = this.begin(path, PARENT, ++this.tree.serial);
    if (walker === null) {
      return this.tree.notFound;
    }
    walker.believe();
    try {
      this.resolver.walkSync(walker);
      return walker.result;
    } finally {
      this.end(walker);
    }
  }

  /** A walker at the beginning of the path; null for the empty path, which leads nowhere. */
  private begin(path: string, options: WalkOptions<I>, since: number): Walker<I> | null {
    const { base } = options;
    const walker = this.walker ?? new Walker<I>(this.tree);
    this.walker = null;
    walker.begin(
      path,
      options.follow !== false,
      options.attributes !== false,
      options.fresh === true,
      this.resolver.now(),
      since,
    );
    if (path === '') {
      this.end(walker);
      return null;
    }
    if (path.length > PATH_UNITS_SAFE && Buffer.byteLength(path) >= PATH_BYTES_MAX) {
      const error = systemError('ENAMETOOLONG', walker.syscall, path);
      this.end(walker);
      throw error;
    }
    if (walker.isRelative) {
      if (base === undefined) {
        this.end(walker);
        throw new TypeError(`Cannot walk '${path}': it is relative; pass a base, or a path that begins with '/'`);
      }
      const node = base as DentryNode<I>;
      if ((node.flags & UNHASHED) !== 0) {
        this.end(walker);
        throw staleBase(path);
      }
      walker.from(node);
    }
    return walker;
  }

  private end(walker: Walker<I>): void {
    this.walker = walker;
  }

  private async walkOn(path: string, options: WalkOptions<I>): Promise<Dentry<I>> {
    this.prepare(options);
    const walker = this.begin(path, options, ++this.tree.serial);
    if (walker === null) {
      return this.tree.notFound;
    }
    const before = this.tree.serial;
    try {
      await this.resolver.walk(walker);
      return this.answer(path, options, walker, before);
    } finally {
      if (walker.root !== this.tree.root) {
        this.resolver.leave(walker.root);
      }
      if (this.closing !== null) {
        // It has outlived the cache.
        this.changes.everything();
      }
      this.end(walker);
    }
  }

  private answer(path: string, options: WalkOptions<I>, walker: Walker<I>, before: number): DentryNode<I> {
    if (this.tree.serial === before) {
      this.walkHits++;
      walker.guard.referenced = true;
    } else {
      this.misses++;
    }
    this.remember(path, options, walker);
    return walker.result;
  }

  private entriesOf({ listing }: DentryNode<I>): readonly DirectoryEntry[] | null {
    if (listing === null || !listing.isWhole || (!this.timeless && listing.validUntil < this.resolver.now())) {
      return null;
    }
    listing.referenced = true;
    return [...listing.entries.values()];
  }

  /** Makes room before a walk, so that what it finds stays for its turn. */
  private prepare({ base }: WalkOptions<I>): void {
    if (this.closing !== null) {
      throw new DentryError('ERR_DENTRY_CLOSED', `Cannot walk in "${this.name}": it is closed; create a new cache`);
    }
    const node = (base ?? this.tree.root) as DentryNode<I>;
    if ((node.flags & UNHASHED) !== 0) {
      return;
    }
    this.tree.hold(node);
    try {
      this.upkeep.trim();
    } finally {
      this.tree.release(node);
    }
  }

  private recall(path: string, options: WalkOptions<I>): DentryNode<I> | null {
    return this.paths.recall(
      path,
      options.follow !== false,
      options.attributes !== false,
      this.timeless ? -Infinity : this.resolver.now(),
    );
  }

  /** @internal For tests: throws when the books do not balance. Walks may be under way. */
  checkInvariants(): void {
    checkInvariants(this.tree, null);
  }

  private remember(path: string, options: WalkOptions<I>, walker: Walker<I>): void {
    this.listedMisses += walker.listedMiss ? 1 : 0;
    if (options.base === undefined) {
      this.paths.remember(path, options.follow !== false, walker);
    }
  }
}

function directoryAt<I extends object>(path: string, dentry: Dentry<I>): DentryNode<I> {
  if (dentry.kind !== KIND_DIRECTORY) {
    throw systemError(dentry.missing ?? 'ENOTDIR', 'scandir', path);
  }
  return dentry as DentryNode<I>;
}

function symlinkAt<I extends object>(path: string, dentry: Dentry<I>): DentryNode<I> {
  if (dentry.kind !== KIND_SYMLINK) {
    throw systemError(dentry.missing ?? 'EINVAL', 'readlink', path);
  }
  return dentry as DentryNode<I>;
}

function realpathOf<I extends object>(path: string, dentry: Dentry<I>): string {
  if (dentry.missing !== null) {
    throw systemError(dentry.missing, 'realpath', path);
  }
  return pathOf(dentry as DentryNode<I>);
}

function absolute(path: string): string {
  if (!path.startsWith('/')) {
    throw new TypeError(`Cannot take '${path}' for a change: it is relative; pass a path that begins with '/'`);
  }
  return path;
}
