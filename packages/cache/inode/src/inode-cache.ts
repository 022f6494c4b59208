import type { BigIntStats } from 'node:fs';
import { reportUncaught, systemClock, systemScheduler } from '@core/base';
import { ListLru, type LruStatus, REMOVED, RETRY, ROTATE, SKIP } from '@core/list-lru';
import type { MemoryGroup, ShrinkControl, Shrinker, Zone } from '@core/shrinker';
import type { DerivedKind } from './derived-kind.js';
import { Inode, type InodeOwner, type Make, type MakeSync, NEVER } from './inode.js';
import { InodeError } from './inode-error.js';
import { Account } from './internal/account.js';
import { AgeClock } from './internal/age-clock.js';
import { Births } from './internal/births.js';
import { granularityMs, isOld } from './internal/change.js';
import { checkInodeInvariants } from './internal/check-invariants.js';
import { checkOptions, checkStats } from './internal/check-options.js';
import { DerivedValues } from './internal/derived-values.js';
import { closedError, staleError } from './internal/errors.js';
import { Graveyard } from './internal/graveyard.js';
import { InodeTable } from './internal/inode-table.js';
import { Looks } from './internal/looks.js';
import { type MakerHost, Makers } from './internal/makers.js';
import { Observer } from './internal/observer.js';
import { pruneExcess } from './internal/prune-excess.js';
import { sharedRcu } from './internal/shared-rcu.js';
import { FREEING, LRU_ISOLATING, NEW, REFERENCED, UNHASHED } from './internal/state.js';
import type { FileContents, InodeCacheOptions, InodeCacheStats, Revalidation } from './options.js';
import { byAge } from './revalidation-policy.js';
import type { Prunable } from './super-block.js';

const DEFAULT_MAX_UNUSED = 65_536;
const DEFAULT_MAX_DERIVED_BYTES = 64 * 1024 * 1024;
/** Bytes of the heap that an inode takes, with its attributes, a path and its place in the table: 782 on Node 20. */
export const INODE_BYTES = 800;

/**
 * Files by device and inode number: their attributes, and values that are derived from them.
 *
 * A number that is used again is not the old file: the old inode goes stale, and a new one takes its place. Nobody finds
 * an inode that is leaving. One that nobody holds stays until it is reclaimed, oldest first, with a second chance for
 * those that were used since.
 *
 * Implements the inode port of a dentry cache. `get`, `instantiate`, `release` and a `revalidate` that needs no look are
 * O(1).
 *
 * @see Linux fs/inode.c
 */
export class InodeCache implements InodeOwner, Prunable, AsyncDisposable {
  readonly name: string;
  /** Derived values, as something to be pruned: a part of a `SuperBlock`. */
  readonly derivedValues: Prunable;
  private readonly group: MemoryGroup | null;
  private readonly contents: FileContents | null;
  private readonly maxUnused: number;
  private readonly table = new InodeTable();
  private readonly lru: ListLru<Inode> = new ListLru<Inode>();
  private readonly births = new Births();
  private readonly clock: AgeClock;
  private readonly looks: Looks;
  private readonly observer: Observer;
  private readonly values: DerivedValues;
  private readonly makers: Makers;
  private readonly account: Account;
  private readonly graveyard: Graveyard;
  private readonly onError: (error: unknown) => void;
  private isOpen = true;
  private closing: Promise<void> | null = null;
  private holds = 0;
  private fresh = 0;
  private replaced = 0;
  private evictions = 0;

  /**
   * @throws {TypeError} `source` is missing; an option is of the wrong type, or unknown
   * @throws {RangeError} an option is out of range
   */
  constructor(options: InodeCacheOptions) {
    checkOptions(options);
    const scheduler = options.scheduler ?? systemScheduler;
    const clock = options.clock ?? systemClock;
    this.name = options.name ?? 'inode';
    this.group = options.group ?? null;
    this.contents = options.contents ?? null;
    this.maxUnused = options.maxUnused ?? DEFAULT_MAX_UNUSED;
    this.onError = guarded(options.onError);
    this.clock = new AgeClock(clock, scheduler);
    const policy = options.policy ?? byAge();
    this.looks = new Looks(options.source, this.clock, policy.isStrict === true);
    this.account = new Account(this.group, this.onError);
    this.graveyard = new Graveyard({ rcu: options.rcu ?? sharedRcu(), clock, scheduler, onError: this.onError });
    this.values = new DerivedValues({
      group: this.group,
      account: this.account,
      graveyard: this.graveyard,
      maxBytes: options.maxDerivedBytes ?? DEFAULT_MAX_DERIVED_BYTES,
      onError: this.onError,
    });
    this.derivedValues = this.values;
    this.observer = new Observer({
      policy,
      clock: this.clock,
      values: this.values,
      onForeignChange: (inode) => void this.dropContents(inode),
      onError: this.onError,
    });
    this.makers = new Makers(this.hostOfMakers(options), this.values);
  }

  /**
   * The inode that these stats describe, held once more. Taken from whoever has looked just now: an inode that somebody
   * has doubted since stays doubted.
   *
   * @param path where the file was seen
   * @throws {TypeError} the stats are no bigint stats
   * @throws {InodeError} `ERR_INODE_CLOSED`
   */
  instantiate(stats: BigIntStats, path: string): Inode {
    checkStats(stats);
    this.checkOpen('instantiate an inode');
    return this.settle(stats, path, null, this.clock.now());
  }

  /**
   * Takes a hold back. Nobody may use the inode after that without another one, but for the rest of the turn.
   *
   * @throws {InodeError} `ERR_INODE_FOREIGN`, `ERR_INODE_UNBALANCED`
   */
  release(inode: Inode): void {
    this.checkOwn(inode, 'release');
    if (inode.count === 0) {
      throw new InodeError(
        'ERR_INODE_UNBALANCED',
        `Cannot release inode ${inode.ino}: nobody holds it; release once for each hold`,
      );
    }
    this.put(inode);
  }

  /**
   * Holds an inode that was got without a hold.
   *
   * @returns false when it has left the table: look its path up again
   * @throws {InodeError} `ERR_INODE_FOREIGN`, `ERR_INODE_CLOSED`
   */
  hold(inode: Inode): boolean {
    this.checkOwn(inode, 'hold');
    this.checkOpen('hold an inode');
    if (inode.isStale) {
      return false;
    }
    this.addHold(inode);
    return true;
  }

  /** The inode, if it is cached, without a hold: good for the current turn. Looks at nothing but the cache. */
  get(dev: bigint, ino: bigint): Inode | undefined {
    const inode = this.table.get(dev, ino);
    if (inode === undefined || (inode.state & (FREEING | NEW)) !== 0) {
      return undefined;
    }
    inode.state |= REFERENCED;
    return inode;
  }

  /**
   * Looks at the path, and returns the inode of what is there, held once: release it. Follows no symlink. Calls for one
   * path share one look, unless the policy is strict. Rejects with what the source throws, or with `ERR_INODE_CLOSED`.
   */
  async iget(path: string): Promise<Inode> {
    this.checkOpen('look up an inode');
    const look = this.looks.at(path, 0);
    const stats = await look.stats;
    this.checkOpen('look up an inode');
    return this.settle(stats, path, look.id, look.begunMs);
  }

  /**
   * As {@link iget}, at once, with a look of its own.
   *
   * @throws what the source throws
   * @throws {InodeError} `ERR_INODE_CLOSED`
   */
  igetSync(path: string): Inode {
    this.checkOpen('look up an inode');
    const begunMs = this.clock.exactNow();
    const id = this.looks.nextId();
    return this.settle(this.looks.lstatSync(path), path, id, begunMs);
  }

  /** Whether the attributes are believed now, without a look. One compare. */
  isFresh(inode: Inode): boolean {
    return inode.validUntilMs > this.clock.now();
  }

  /**
   * Makes sure that the attributes may be believed: looks at the path unless they are. At once if nobody need look.
   * Calls for one path share one look, unless the policy is strict, or somebody told of a change since it began.
   *
   * Rejects with what the source throws, but for `ENOENT` and `ENOTDIR`, which are `gone`.
   *
   * @param path one that led to the inode; default: the one by which it was seen last
   * @throws {InodeError} `ERR_INODE_FOREIGN`, `ERR_INODE_CLOSED`, at once
   */
  revalidate(inode: Inode, path: string = inode.path): Revalidation | Promise<Revalidation> {
    this.checkOwn(inode, 'revalidate');
    if (this.isFresh(inode)) {
      this.fresh++;
      return 'fresh';
    }
    this.checkOpen('revalidate an inode');
    return inode.isStale ? 'replaced' : this.look(inode, path, inode.lookId);
  }

  /**
   * As {@link revalidate}, at once, with a look of its own.
   *
   * @throws what the source throws, but for `ENOENT` and `ENOTDIR`, which are `gone`
   */
  revalidateSync(inode: Inode, path: string = inode.path): Revalidation {
    this.checkOwn(inode, 'revalidate');
    if (this.isFresh(inode)) {
      this.fresh++;
      return 'fresh';
    }
    this.checkOpen('revalidate an inode');
    return inode.isStale ? 'replaced' : this.lookSync(inode, path);
  }

  /**
   * Takes over stats of a file that the caller has changed itself, such as by `fstat` after a write. What was derived is
   * dropped, even if the change stamp is as before. Contents are not touched: what was written went through them.
   *
   * @returns false when the stats are of another file: then the inode goes stale
   * @throws {TypeError} the stats are no bigint stats
   * @throws {InodeError} `ERR_INODE_FOREIGN`
   */
  changed(inode: Inode, stats: BigIntStats): boolean {
    this.checkOwn(inode, 'change');
    checkStats(stats);
    if (inode.isStale) {
      return false;
    }
    this.births.learn(stats);
    const id = this.looks.notice();
    if (inode.dev !== stats.dev || inode.ino !== stats.ino || !this.births.isSame(inode.stats, stats, true)) {
      this.unhash(inode);
      return false;
    }
    this.observer.change(inode, stats, id);
    return true;
  }

  /**
   * Believes nothing of an inode, or of any inode, until somebody has looked again: for changes that the caller knows
   * of, before as well as after they are made. Looks that are under way are not believed, and makers at work make their
   * values again. Values are kept, and good again if the look shows the same change stamp.
   */
  invalidate(inode?: Inode): void {
    if (inode !== undefined) {
      this.checkOwn(inode, 'invalidate');
      this.observer.doubt(inode, this.looks.notice());
      return;
    }
    const id = this.looks.notice();
    for (const one of this.table) {
      this.observer.doubt(one, id);
    }
  }

  /** Inodes that may be reclaimed: those on the list, of which some may be held again. O(1). */
  count(sc?: ShrinkControl): number {
    return this.lru.count(sc);
  }

  /**
   * Looks at up to `nr` inodes, oldest first, and evicts those that nobody holds and nobody has used since.
   *
   * @returns how many were evicted
   * @throws {RangeError} `nr` is no integer of 0 or more
   */
  prune(nr: number, sc?: ShrinkControl): number {
    const leaving: Inode[] = [];
    const isolate = (inode: Inode): LruStatus => this.isolate(inode, leaving);
    try {
      this.lru.walk(sc === undefined ? nr : { nrToScan: nr, nrScanned: 0, zone: sc.zone, group: sc.group }, isolate);
    } finally {
      // After the walk: what is called from here may take and release inodes, and evict others.
      for (const inode of leaving) {
        this.evict(inode);
      }
      this.evictions += leaving.length;
    }
    return leaving.length;
  }

  /** Tells the list of the shrinker that will have {@link prune} called, so that its bits are set in groups. */
  attach(shrinker: Shrinker): void {
    this.lru.attach(shrinker);
  }

  /** Bytes of what has left and waits for readers. */
  retiredBytes(zone: Zone): number {
    return this.graveyard.bytes(zone);
  }

  /** @internal As {@link Inode.derived}. */
  derived<T>(inode: Inode, kind: DerivedKind<T>): T | undefined {
    if (!(inode.validUntilMs > this.clock.now())) {
      return undefined;
    }
    const kept = this.values.find(inode, kind);
    if (kept === null) {
      return undefined;
    }
    kept.isReferenced = true;
    return kept.value;
  }

  /** @internal As {@link Inode.derive}. */
  derive<T>(inode: Inode, kind: DerivedKind<T>, make: Make<T>): Promise<T> {
    return this.makers.derive(inode, kind, make);
  }

  /** @internal As {@link Inode.deriveSync}. */
  deriveSync<T>(inode: Inode, kind: DerivedKind<T>, make: MakeSync<T>): T {
    return this.makers.deriveSync(inode, kind, make);
  }

  stats(): InodeCacheStats {
    const { looks, makers, values, account, graveyard } = this;
    return {
      name: this.name,
      inodes: this.table.count,
      unused: this.lru.length,
      holds: this.holds,
      derived: values.lru.length,
      derivedBytes: values.bytes,
      looks: looks.begun,
      joinedLooks: looks.joined,
      changed: this.observer.changed,
      replaced: this.replaced,
      fresh: this.fresh,
      derivedHits: makers.hits,
      made: makers.made,
      remade: makers.remade,
      unsettled: makers.unsettled,
      joinedMakers: makers.joined,
      evictions: this.evictions,
      derivedEvictions: values.evictions,
      uncharged: account.refused,
      chargedBytes: account.charged,
      retired: graveyard.count,
      retiredBytes: {
        heap: graveyard.bytes('heap'),
        external: graveyard.bytes('external'),
        shared: graveyard.bytes('shared'),
      },
    };
  }

  /**
   * Evicts all that nobody holds, and resolves when it is destroyed. What is held leaves with its last hold, which may
   * still be released. Idempotent.
   */
  close(): Promise<void> {
    if (this.isOpen) {
      this.isOpen = false;
      this.evictAll();
      this.observer.close();
    }
    this.closing ??= this.holds === 0 ? this.graveyard.exit() : this.graveyard.barrier();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal For reports: paths of inodes that are held. */
  heldPaths(): string[] {
    return [...this.table].filter(({ count }) => count > 0).map(({ path }) => path);
  }

  /** @internal For tests: throws when the books do not balance. */
  checkInvariants(): void {
    checkInodeInvariants(this.table, this.lru, this.values, this.account);
  }

  /**
   * The inode of these stats, held once more, with what they tell.
   *
   * @param id of the look that has brought them; null: nobody knows when it began
   */
  private settle(stats: BigIntStats, path: string, id: number | null, begunMs: number): Inode {
    this.births.learn(stats);
    const present = this.find(stats);
    if (present === null) {
      return this.create(stats, path, id, begunMs);
    }
    this.addHold(present);
    present.path = path;
    if (id === null) {
      this.observer.handedIn(present, stats, this.looks.nextId(), begunMs);
    } else {
      this.observer.look(present, stats, id, begunMs);
    }
    return present;
  }

  /** The inode of the very file that these stats are of. One that leaves, or is of another file, gives its key up. */
  private find(stats: BigIntStats): Inode | null {
    for (;;) {
      const present = this.table.get(stats.dev, stats.ino);
      if (present === undefined) {
        return null;
      }
      if ((present.state & FREEING) !== 0) {
        this.table.delete(present);
        return null;
      }
      if (this.births.isSame(present.stats, stats, false)) {
        return present;
      }
      // This calls back: there may be another one in its place already.
      this.unhash(present);
    }
  }

  private create(stats: BigIntStats, path: string, id: number | null, begunMs: number): Inode {
    const inode = new Inode(this, stats, path);
    // In the table before anything is called: whoever comes for this file meanwhile must find this one.
    this.table.add(inode);
    this.addHold(inode);
    this.observer.first(inode, id ?? this.looks.nextId(), begunMs, id === null || this.looks.isCurrent(id));
    if (this.account.charge(INODE_BYTES, 'heap')) {
      inode.bytes = INODE_BYTES;
    }
    inode.state &= ~NEW;
    return inode;
  }

  private addHold(inode: Inode): void {
    inode.count++;
    this.holds++;
  }

  private put(inode: Inode): void {
    inode.count--;
    this.holds--;
    if (inode.count > 0) {
      return;
    }
    if (this.mayStay(inode)) {
      if (!this.lru.add(inode, this.group)) {
        inode.state |= REFERENCED;
      } else if (this.lru.length > this.maxUnused) {
        pruneExcess(this, () => this.lru.length - this.maxUnused);
      }
    } else {
      this.evictUnlessPinned(inode);
    }
    if (this.closing !== null && this.holds === 0) {
      void this.graveyard.exit();
    }
  }

  /** Whether an inode that nobody holds is worth keeping: it can be found, is charged, and its file has a name. */
  private mayStay(inode: Inode): boolean {
    return (
      this.isOpen &&
      (inode.state & UNHASHED) === 0 &&
      (inode.bytes > 0 || this.group === null) &&
      inode.stats.nlink !== 0n
    );
  }

  private isolate(inode: Inode, leaving: Inode[]): LruStatus {
    if ((inode.state & LRU_ISOLATING) !== 0) {
      return SKIP;
    }
    if (inode.count > 0) {
      return REMOVED;
    }
    if ((inode.state & REFERENCED) !== 0) {
      inode.state &= ~REFERENCED;
      return ROTATE;
    }
    if (inode.values !== null || this.hasContents(inode)) {
      inode.state |= LRU_ISOLATING;
      this.values.dropAll(inode);
      const isEmpty = this.dropContents(inode);
      inode.state &= ~LRU_ISOLATING;
      if (inode.count > 0 || (inode.state & UNHASHED) === 0) {
        return isEmpty ? RETRY : ROTATE;
      }
    }
    inode.state = FREEING;
    leaving.push(inode);
    return REMOVED;
  }

  /** While it is pinned, the walk that has pinned it sees to it; and what it called may have evicted it already. */
  private evictUnlessPinned(inode: Inode): void {
    if ((inode.state & (LRU_ISOLATING | FREEING)) === 0) {
      this.evict(inode);
    }
  }

  private evict(inode: Inode): void {
    inode.state = FREEING;
    inode.validUntilMs = NEVER;
    this.lru.del(inode);
    this.table.delete(inode);
    this.values.dropAll(inode);
    this.dropContents(inode);
    this.observer.forget(inode);
    this.account.uncharge(inode.bytes, 'heap');
    this.graveyard.retire(inode);
  }

  /** Takes an inode out of the table, since its number is another file's. It leaves with its last hold. */
  private unhash(inode: Inode): void {
    this.replaced++;
    this.table.delete(inode);
    this.lru.del(inode);
    inode.state |= UNHASHED;
    inode.validUntilMs = NEVER;
    inode.version++;
    this.values.dropAll(inode);
    this.dropContents(inode);
    if (inode.count === 0) {
      this.evictUnlessPinned(inode);
    }
  }

  private async look(inode: Inode, path: string, after: number): Promise<Revalidation> {
    const look = this.looks.at(path, after);
    let stats: BigIntStats;
    try {
      stats = await look.stats;
    } catch (error) {
      return this.vanished(inode, look.id, error);
    }
    return this.seen(inode, path, stats, look.id, look.begunMs);
  }

  private lookSync(inode: Inode, path: string): Revalidation {
    const begunMs = this.clock.exactNow();
    const id = this.looks.nextId();
    let stats: BigIntStats;
    try {
      stats = this.looks.lstatSync(path);
    } catch (error) {
      return this.vanished(inode, id, error);
    }
    return this.seen(inode, path, stats, id, begunMs);
  }

  private seen(inode: Inode, path: string, stats: BigIntStats, id: number, begunMs: number): Revalidation {
    this.births.learn(stats);
    if (inode.isStale) {
      return 'replaced';
    }
    if (inode.dev !== stats.dev || inode.ino !== stats.ino) {
      // It may have other names.
      this.observer.doubt(inode, Math.max(id, inode.lookId));
      return 'replaced';
    }
    if (!this.births.isSame(inode.stats, stats, true)) {
      this.unhash(inode);
      return 'replaced';
    }
    inode.path = path;
    return this.observer.look(inode, stats, id, begunMs);
  }

  /** @throws `error`, unless it says that there is nothing at the path */
  private vanished(inode: Inode, id: number, error: unknown): Revalidation {
    const { code } = error as { code?: unknown };
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      throw error;
    }
    if (!inode.isStale) {
      this.observer.doubt(inode, Math.max(id, inode.lookId));
    }
    return 'gone';
  }

  private hasContents(inode: Inode): boolean {
    try {
      return this.contents !== null && this.contents.has(inode);
    } catch (error) {
      this.onError(error);
      return false;
    }
  }

  /** @returns whether nothing is left */
  private dropContents(inode: Inode): boolean {
    try {
      return this.contents === null || !this.contents.has(inode) || this.contents.drop(inode);
    } catch (error) {
      this.onError(error);
      return false;
    }
  }

  private hostOfMakers(options: InodeCacheOptions): MakerHost {
    const wallClock = options.wallClock ?? { now: () => Date.now() };
    return {
      isStrict: this.looks.isStrict,
      isFresh: (inode) => this.isFresh(inode),
      isSettled: ({ stats, stampSeenMs }) => {
        const racyMs = options.racyMs ?? granularityMs(stats);
        // The second does not need the clocks of files and of this process to be the same.
        return isOld(stats, racyMs, wallClock.now()) || this.clock.exactNow() - stampSeenMs >= racyMs;
      },
      look: (inode, path, after) => this.look(inode, path, after),
      lookSync: (inode, path) => this.lookSync(inode, path),
      lastLookId: () => this.looks.lastId,
      take: (inode) => {
        this.checkOpen('derive a value');
        if (inode.isStale) {
          throw staleError('derive from', inode);
        }
        this.addHold(inode);
      },
      release: (inode) => this.put(inode),
    };
  }

  private evictAll(): void {
    for (const inode of this.table) {
      if (inode.count > 0) {
        this.values.dropAll(inode);
      } else {
        this.evictUnlessPinned(inode);
      }
    }
  }

  private checkOpen(action: string): void {
    if (!this.isOpen) {
      throw closedError(action, this.name);
    }
  }

  private checkOwn(inode: Inode, action: string): void {
    if (inode?.owner !== this) {
      throw new InodeError('ERR_INODE_FOREIGN', `Cannot ${action} the inode: it is none of "${this.name}"`);
    }
  }
}

/** An error channel that cannot fail: an error of the channel itself is reported as well. */
function guarded(onError: ((error: unknown) => void) | undefined): (error: unknown) => void {
  return (error) => {
    try {
      (onError ?? reportUncaught)(error);
    } catch (second) {
      reportUncaught(second);
    }
  };
}
