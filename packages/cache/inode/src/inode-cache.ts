import type { BigIntStats } from 'node:fs';
import type { InodePort } from '@cache/dentry';
import { reportUncaught, systemClock, systemScheduler } from '@core/base';
import type { FileSystemSource } from '@core/fs-source';
import type { ShrinkControl, Shrinker, Zone } from '@core/shrinker';
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
import { INODE_BYTES, InodeStore } from './internal/inode-store.js';
import { LookingSource } from './internal/looking-source.js';
import { Looks, type Sighting } from './internal/looks.js';
import { type MakerHost, Makers } from './internal/makers.js';
import { Observer } from './internal/observer.js';
import { sharedRcu } from './internal/shared-rcu.js';
import { DOUBTED, NEW, REFERENCED, UNHASHED } from './internal/state.js';
import type { InodeCacheOptions, InodeCacheStats, Revalidation } from './options.js';
import { byAge } from './revalidation-policy.js';
import type { Prunable } from './super-block.js';

const DEFAULT_MAX_UNUSED = 65_536;
const DEFAULT_MAX_DERIVED_BYTES = 64 * 1024 * 1024;

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
export class InodeCache implements InodePort<Inode>, InodeOwner, Prunable, AsyncDisposable {
  readonly name: string;
  /** Derived values, as something to be pruned: a part of a `SuperBlock`. */
  readonly derivedValues: Prunable;
  /**
   * The source, and what it tells of files is known by the time at which it was asked. Give it to the dentry cache: then
   * what that hands in counts as a look, which ends a doubt, and does not bring back what was.
   */
  readonly source: FileSystemSource;
  private readonly clock: AgeClock;
  private readonly looks: Looks;
  private readonly births = new Births();
  private readonly observer: Observer;
  private readonly store: InodeStore;
  private readonly values: DerivedValues;
  private readonly makers: Makers;
  private readonly account: Account;
  private readonly graveyard: Graveyard;
  private closing: Promise<void> | null = null;
  private fresh = 0;

  /**
   * @throws {TypeError} `source` is missing; an option is of the wrong type, or unknown
   * @throws {RangeError} an option is out of range
   */
  constructor(options: InodeCacheOptions) {
    checkOptions(options);
    const { source, group = null, policy = byAge(), scheduler = systemScheduler, clock = systemClock } = options;
    const onError = guarded(options.onError);
    this.name = options.name ?? 'inode';
    this.clock = new AgeClock(clock, scheduler);
    this.looks = new Looks(source, this.clock, policy.isStrict === true);
    this.source = new LookingSource(source, this.looks);
    this.account = new Account(group, onError);
    this.graveyard = new Graveyard({ rcu: options.rcu ?? sharedRcu(), clock, scheduler, onError });
    const { account, graveyard } = this;
    const maxBytes = options.maxDerivedBytes ?? DEFAULT_MAX_DERIVED_BYTES;
    this.values = new DerivedValues({ group, account, graveyard, maxBytes, onError });
    this.derivedValues = this.values;
    this.store = new InodeStore({
      group,
      contents: options.contents ?? null,
      maxUnused: options.maxUnused ?? DEFAULT_MAX_UNUSED,
      account,
      graveyard,
      values: this.values,
      onEvict: (inode) => this.observer.forget(inode),
      onError,
    });
    this.observer = new Observer({
      policy,
      clock: this.clock,
      values: this.values,
      onForeignChange: (inode) => void this.store.dropContents(inode),
      onError,
    });
    this.makers = new Makers(this.hostOfMakers(options), this.values);
  }

  /**
   * The inode that these stats describe, held once more. Stats of the cache's own {@link source} count as a look; others
   * are taken for those of a look just now, which does not end a doubt.
   *
   * @param path where the file was seen
   * @throws {TypeError} the stats are no bigint stats
   * @throws {InodeError} `ERR_INODE_CLOSED`
   */
  instantiate(stats: BigIntStats, path: string): Inode {
    checkStats(stats);
    this.checkOpen('instantiate an inode');
    return this.settle(stats, path, this.looks.sightingOf(stats));
  }

  /**
   * Takes over stats that whoever has a name of the inode has got by that name just now: without times of birth this
   * tells a file that has changed from another one. Otherwise as {@link instantiate}, and takes no hold.
   *
   * @param path that name; default: the one by which it was seen last
   * @returns false when they are of another file: then the inode goes stale if its number was theirs
   * @throws {TypeError} the stats are no bigint stats
   * @throws {InodeError} `ERR_INODE_FOREIGN`
   */
  update(inode: Inode, stats: BigIntStats, path: string = inode.path): boolean {
    this.checkOwn(inode, 'update');
    checkStats(stats);
    if (!this.isOf(inode, stats)) {
      return false;
    }
    inode.path = path;
    this.observe(inode, stats, this.looks.sightingOf(stats));
    return true;
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
    this.store.hold(inode);
    return true;
  }

  /** The inode, if it is cached, without a hold: good for the current turn. Looks at nothing but the cache. */
  get(dev: bigint, ino: bigint): Inode | undefined {
    const inode = this.store.at(dev, ino);
    if (inode === null || (inode.state & NEW) !== 0) {
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
    return this.settle(stats, path, look);
  }

  /**
   * As {@link iget}, at once, with a look of its own.
   *
   * @throws what the source throws
   * @throws {InodeError} `ERR_INODE_CLOSED`
   */
  igetSync(path: string): Inode {
    this.checkOpen('look up an inode');
    const sighting = this.looks.begin();
    return this.settle(this.looks.lstatSync(path), path, sighting);
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
   * @returns false when the stats are of another file: then the inode goes stale if its number was theirs
   * @throws {TypeError} the stats are no bigint stats
   * @throws {InodeError} `ERR_INODE_FOREIGN`
   */
  changed(inode: Inode, stats: BigIntStats): boolean {
    this.checkOwn(inode, 'change');
    checkStats(stats);
    const id = this.looks.notice();
    if (!this.isOf(inode, stats)) {
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
    for (const one of this.store.table) {
      this.observer.doubt(one, id);
    }
  }

  /**
   * Has the next who asks for the attributes look, as if they were too old: they may not be what they were, though the
   * file is, as after a read the time of the last access. What was derived is as good as before.
   *
   * @throws {InodeError} `ERR_INODE_FOREIGN`
   */
  expire(inode: Inode): void {
    this.checkOwn(inode, 'expire');
    inode.validUntilMs = NEVER;
    // A look that is under way may have seen what was before.
    inode.lookId = this.looks.nextId();
  }

  /** Inodes that may be reclaimed: those on the list, of which some may be held again. O(1). */
  count(sc?: ShrinkControl): number {
    return this.store.count(sc);
  }

  /**
   * Looks at up to `nr` inodes, oldest first, and evicts those that nobody holds and nobody has used since.
   *
   * @returns how many were evicted
   * @throws {RangeError} `nr` is no integer of 0 or more
   */
  prune(nr: number, sc?: ShrinkControl): number {
    return this.store.prune(nr, sc);
  }

  /** Tells the list of the shrinker that will have {@link prune} called, so that its bits are set in groups. */
  attach(shrinker: Shrinker): void {
    this.store.lru.attach(shrinker);
  }

  /** Bytes that an inode takes. */
  objectBytes(zone: Zone): number {
    return zone === 'heap' ? INODE_BYTES : 0;
  }

  /** Bytes of what has left and waits for readers. */
  retiredBytes(zone: Zone): number {
    return this.graveyard.bytes(zone);
  }

  /** @internal As {@link Inode.derived}. */
  derived<T>(inode: Inode, kind: DerivedKind<T>): T | undefined {
    const kept = this.values.find(inode, kind);
    if (kept === null || !kept.isBelieved(this.clock.now())) {
      return undefined;
    }
    kept.isReferenced = true;
    return kept.value;
  }

  /** @internal As {@link Inode.derive}. */
  derive<T>(inode: Inode, kind: DerivedKind<T>, make: Make<T>, path: string): Promise<T> {
    return this.makers.derive(inode, kind, make, path);
  }

  /** @internal As {@link Inode.deriveSync}. */
  deriveSync<T>(inode: Inode, kind: DerivedKind<T>, make: MakeSync<T>, path: string): T {
    return this.makers.deriveSync(inode, kind, make, path);
  }

  stats(): InodeCacheStats {
    const { store, looks, makers, values, account, graveyard } = this;
    return {
      name: this.name,
      inodes: store.table.count,
      unused: store.lru.length,
      holds: store.holds,
      derived: values.lru.length,
      derivedBytes: values.bytes,
      looks: looks.begun,
      joinedLooks: looks.joined,
      changed: this.observer.changed,
      replaced: store.replaced,
      fresh: this.fresh,
      derivedHits: makers.hits,
      made: makers.made,
      remade: makers.remade,
      unsettled: makers.unsettled,
      deferred: makers.deferred,
      confirmed: values.confirmed,
      joinedMakers: makers.joined,
      evictions: store.evictions,
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
    if (this.store.isOpen) {
      this.store.close();
      this.observer.close();
      this.closing = this.store.holds === 0 ? this.graveyard.exit() : this.graveyard.barrier();
    }
    // Null while contents that are dropped call this.
    return this.closing ?? this.graveyard.barrier();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal For reports: paths of inodes that are held. */
  heldPaths(): string[] {
    return [...this.store.table].filter(({ count }) => count > 0).map(({ path }) => path);
  }

  /** @internal For tests: throws when the books do not balance. */
  checkInvariants(): void {
    checkInodeInvariants(this.store, this.values, this.account);
  }

  /**
   * The inode of these stats, held once more, with what they tell.
   *
   * @param sighting of the look that has brought them; null: nobody knows when it began
   */
  private settle(stats: BigIntStats, path: string, sighting: Sighting | null): Inode {
    const { store, observer, looks } = this;
    this.births.learn(stats);
    let isLate = false;
    for (let present = store.at(stats.dev, stats.ino); present !== null && !isLate;) {
      if (this.births.isSame(present.stats, stats, false)) {
        store.hold(present);
        present.path = path;
        this.observe(present, stats, sighting);
        return present;
      }
      // What was seen before the present one is not there any more; unless that one was doubted since, and is the old one.
      isLate = sighting !== null && sighting.id < present.lookId && stats.ctimeNs <= present.stats.ctimeNs;
      if (!isLate) {
        // This calls back: there may be another one in its place already.
        store.unhash(present);
        present = store.at(stats.dev, stats.ino);
      }
    }
    const inode = new Inode(this, stats, path);
    inode.state |= isLate ? UNHASHED : 0;
    // In the table before anything is called: whoever comes for this file meanwhile must find this one.
    store.add(inode);
    observer.first(inode, sighting ?? looks.now(), !isLate && (sighting === null || looks.isCurrent(sighting.id)));
    store.charge(inode);
    return inode;
  }

  private observe(inode: Inode, stats: BigIntStats, sighting: Sighting | null): void {
    if (sighting === null) {
      this.observer.handedIn(inode, stats, this.looks.now());
    } else {
      this.observer.look(inode, stats, sighting);
    }
  }

  private put(inode: Inode): void {
    this.store.release(inode);
    if (this.closing !== null && this.store.holds === 0) {
      void this.graveyard.exit();
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
    return this.seen(inode, path, stats, look);
  }

  private lookSync(inode: Inode, path: string): Revalidation {
    const sighting = this.looks.begin();
    let stats: BigIntStats;
    try {
      stats = this.looks.lstatSync(path);
    } catch (error) {
      return this.vanished(inode, sighting.id, error);
    }
    return this.seen(inode, path, stats, sighting);
  }

  private seen(inode: Inode, path: string, stats: BigIntStats, sighting: Sighting): Revalidation {
    if (!this.isOf(inode, stats)) {
      return 'replaced';
    }
    inode.path = path;
    return this.observer.look(inode, stats, sighting);
  }

  /** Whether stats that were got by a name of the inode are still of its file. If not, it is not believed any more. */
  private isOf(inode: Inode, stats: BigIntStats): boolean {
    this.births.learn(stats);
    if (inode.isStale) {
      return false;
    }
    if (inode.dev !== stats.dev || inode.ino !== stats.ino) {
      // It may have other names.
      this.observer.doubt(inode, this.looks.nextId());
      return false;
    }
    if (!this.births.isSame(inode.stats, stats, true)) {
      this.store.unhash(inode);
      return false;
    }
    return true;
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

  private hostOfMakers(options: InodeCacheOptions): MakerHost {
    const wallClock = options.wallClock ?? { now: () => Date.now() };
    return {
      isStrict: this.looks.isStrict,
      isFresh: (inode) => this.isFresh(inode),
      nowMs: () => this.clock.now(),
      isDoubted: ({ state }) => (state & DOUBTED) !== 0,
      wasSeenLast: ({ lookId, state }) => lookId === this.looks.lastId && (state & DOUBTED) === 0,
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
          throw staleError('use', inode);
        }
        this.store.hold(inode);
      },
      release: (inode) => this.put(inode),
    };
  }

  private checkOpen(action: string): void {
    if (!this.store.isOpen) {
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
