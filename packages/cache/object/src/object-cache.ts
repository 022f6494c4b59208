import { CoarseClock, isThenable, reportUncaught, systemClock } from '@core/base';
import {
  DEFAULT_SEEKS,
  type MemoryGroup,
  type ShrinkControl,
  SHRINK_EMPTY,
  SHRINK_STOP,
  type Shrinker,
  type ShrinkerSpec,
  type Zone,
} from '@core/shrinker';
import {
  MAX_ENTRIES,
  checkFetchOptions,
  checkOptions,
  checkSetOptions,
  checkSize,
  checkTtl,
} from './internal/check-options.js';
import { ENTRY_OVERHEAD, EntryTable, NO_SLOT, type WalkGoal } from './internal/entry-table.js';
import { Graveyard } from './internal/graveyard.js';
import { Holds } from './internal/holds.js';
import type { Lease } from './internal/lease.js';
import { Ledger } from './internal/ledger.js';
import { Loads } from './internal/loads.js';
import { sharedRcu } from './internal/shared-rcu.js';
import { SizeSampler } from './internal/size-sampler.js';
import { ObjectCacheError } from './object-cache-error.js';
import { type GuardOwner, ObjectGuard } from './object-guard.js';
import type { DisposeReason, FetchOptions, Load, ObjectCacheOptions, ObjectCacheStats, SetOptions } from './options.js';
import { createPolicy } from './policy/create-policy.js';
import type { EvictionPolicy, EvictionPolicyName } from './policy/eviction-policy.js';

/** With `recycle`, for so many entries that there may be, one value that has left is kept for reuse. */
const ENTRIES_PER_REUSABLE = 8;
const MAX_REUSABLE = 1024;
/** But so many in any case, if there may be as many entries. */
const MIN_REUSABLE = 16;
/** Objects to a scan in a group: a small cache is asked for a part of it, and not for all of it at once. */
const GROUP_BATCH = 16;
/** Of the priorities of shrinkers, from here on down what is remembered of evicted keys goes, too. */
const HARD_PRIORITY = 3;
const DEFAULT_POLICY: EvictionPolicyName = 'workingset';
const ZONES: readonly Zone[] = ['heap', 'external', 'shared'];
const NO_OPTIONS = {};

/**
 * A cache of objects that are disposed of only when nobody uses them any more.
 *
 * A value returned by `get`, `peek`, `fetch` or an iterator is good for the current turn: synchronous code and awaits
 * of settled promises. To keep it across other awaits, hold it with `use` or `acquire`. A value that leaves the cache
 * is disposed of when its last holder has let go and a grace period has passed; storing it again does not change that.
 *
 * What goes when room is needed is up to the `policy`. Held entries are passed over as long as there are others.
 *
 * Keys are anything that a `Map` takes, and so are values, `undefined` included. `get`, `set`, `has`, `peek`, `delete`
 * and `acquire` are O(1), amortised over the marks that eviction clears and the holds that it meets. A hit allocates
 * nothing.
 *
 * Iteration is in the order in which keys were first stored, live, as of a `Map`: what is deleted before it is reached
 * is not visited, what is added is. It marks nothing, and passes over stale entries.
 *
 * Every function among the options may call back into the cache: none of them runs while the cache is changing. The same
 * goes for what a charge to the cache's group calls: other shrinkers of the group.
 *
 * @see fs/dcache.c for holds and second chance
 */
export class ObjectCache<K, V> implements AsyncDisposable, Iterable<[K, V]> {
  readonly name: string;
  readonly max: number;
  readonly maxBytes: number;
  private readonly table: EntryTable<K, V>;
  private readonly graveyard: Graveyard<K, V>;
  private readonly holds: Holds<K, V>;
  private readonly loads: Loads<K, V>;
  private readonly options: ObjectCacheOptions<K, V>;
  private readonly policy: EvictionPolicy;
  private readonly ttlMs: number | undefined;
  /** Whether values without a `size` of their own must be measured. */
  private readonly measures: boolean;
  /** Measures them if nobody else does. */
  private readonly sampler: SizeSampler | null;
  private readonly group: MemoryGroup | null;
  private readonly ledger: Ledger<K, V> | null;
  private readonly onError: (error: unknown, key: K | undefined) => void;
  private readonly guardOwner: GuardOwner<K, V>;
  private closing: Promise<void> | null = null;
  private leaks = 0;

  /**
   * @throws {RangeError} an option is out of range
   * @throws {TypeError} an option is of the wrong type, or unknown
   */
  constructor(options: ObjectCacheOptions<K, V> = {}) {
    checkOptions(options);
    const { max = Infinity, maxBytes = Infinity, ttlMs } = options;
    this.options = options;
    this.name = options.name ?? 'object';
    this.max = max;
    this.maxBytes = maxBytes;
    this.ttlMs = ttlMs;
    this.group = options.group ?? null;
    this.measures = options.sizeOf !== undefined || maxBytes !== Infinity || this.group !== null;
    this.sampler = this.group !== null && options.sizeOf === undefined ? new SizeSampler() : null;
    this.onError = guarded(options.onError);
    this.graveyard = new Graveyard<K, V>({
      rcu: options.rcu ?? sharedRcu(),
      nodes: options.nodes,
      scheduler: options.scheduler,
      clock: options.clock,
      dispose: options.dispose ?? null,
      recycle: options.recycle ?? null,
      maxReusable: Math.min(Math.max(Math.ceil(max / ENTRIES_PER_REUSABLE), Math.min(max, MIN_REUSABLE)), MAX_REUSABLE),
      maxReusableBytes: maxBytes / ENTRIES_PER_REUSABLE,
      ...(this.group === null ? {} : { mayKeep: (bytes) => this.mayKeep(bytes) }),
      onError: this.onError,
    });
    this.holds = new Holds<K, V>(this.graveyard);
    this.policy = createPolicy(options.policy ?? DEFAULT_POLICY);
    this.table = new EntryTable<K, V>({
      max: Math.min(max, MAX_ENTRIES),
      maxBytes,
      ttlMs,
      graceMs: options.staleWhileRevalidateMs ?? 0,
      clock: options.clock ?? new CoarseClock(1, systemClock, options.scheduler),
      policy: this.policy,
      graveyard: this.graveyard,
      holds: this.holds,
    });
    const { group, table, holds, graveyard } = this;
    this.ledger = group === null ? null : new Ledger<K, V>({ group, zone: options.zone, table, holds, graveyard });
    table.ledger = this.ledger;
    this.loads = new Loads<K, V>({
      table: this.table,
      holds: this.holds,
      graveyard: this.graveyard,
      ledger: this.ledger,
      ttlMs,
      measure: (key, value, of) => (this.measures || of.size !== undefined ? this.measure(key, value, of) : 0),
      onError: this.onError,
    });
    this.guardOwner = { endHold: (lease, leaked) => this.endHold(lease, leaked) };
  }

  /** Entries, stale ones that were not met yet included. */
  get size(): number {
    return this.table.count;
  }

  /** Bytes of these, as `sizeOf` or `set` said, or in a group, as estimated. */
  get bytes(): number {
    return this.table.bytes;
  }

  /** The value, if there is a fresh one; marks it as used. Good for the current turn. */
  get(key: K): V | undefined {
    return this.table.get(key);
  }

  /** As {@link get}, without marking it as used, and without counting. */
  peek(key: K): V | undefined {
    const slot = this.table.findFresh(key);
    return slot === NO_SLOT ? undefined : this.table.valueAt(slot);
  }

  /** Whether there is a fresh value. Marks nothing. */
  has(key: K): boolean {
    return this.table.findFresh(key) !== NO_SLOT;
  }

  /**
   * Stores a value. What it replaces, and what must go to make room, is retired. A value larger than `maxBytes` is not
   * stored: it is retired at once, as is what had its key. To store the value that is stored already retires nothing.
   *
   * In a group, one that the group has no room for is treated in the same way. Where the group is at its `max` it is
   * reclaimed first, which may evict from this cache, and call the shrinkers of others.
   *
   * @throws {RangeError} a size or a time to live is out of range; nothing has changed
   * @throws {TypeError} `maxBytes` is set, there is no group, and the size is not known; `options` is no object, or has a
   *   `ttl`, which is called `ttlMs` here; nothing has changed
   * @throws {ObjectCacheError} `ERR_OBJECT_CACHE_CLOSED`; nothing has changed
   * @throws what `sizeOf` throws; nothing has changed
   */
  set(key: K, value: V, options?: SetOptions): this {
    if (options !== undefined) {
      checkSetOptions(options);
    }
    const size = options === undefined && !this.measures ? 0 : this.measure(key, value, options);
    const ttlMs = options === undefined || options.ttlMs === undefined ? this.ttlMs : checkTtl(options.ttlMs);
    if (this.closing !== null) {
      throw this.closedError('store a value');
    }
    if (this.ledger !== null && size <= this.maxBytes) {
      this.setCharged(this.ledger, key, value, size, ttlMs);
      return this;
    }
    if (this.loads.count > 0) {
      this.loads.supersede(key);
    }
    if (size <= this.maxBytes) {
      this.table.store(key, value, size, ttlMs);
    } else {
      this.table.reject(key, value, size);
      this.ledger?.trim();
    }
    return this;
  }

  /**
   * Removes an entry and retires its value. A load of the key that is under way will not be stored.
   *
   * @returns whether there was a fresh one
   */
  delete(key: K): boolean {
    if (this.loads.count > 0) {
      this.loads.supersede(key);
    }
    const { table } = this;
    const slot = table.slots.get(key);
    if (slot === NO_SLOT) {
      return false;
    }
    if (table.isStale(slot)) {
      table.expire(slot);
      return false;
    }
    table.remove(slot, 'delete');
    if (this.ledger !== null) {
      this.ledger.trim();
    }
    return true;
  }

  /** Removes all entries. Loads that are under way will not be stored. */
  clear(): void {
    this.loads.supersedeAll();
    this.table.clear();
    this.ledger?.trim();
  }

  /** Removes stale entries, but those that `staleWhileRevalidateMs` keeps. O(size). @returns how many */
  purgeStale(): number {
    return this.table.purge();
  }

  /** Milliseconds for which the entry stays fresh: Infinity without a time to live, 0 when stale or absent. */
  remainingTtlMs(key: K): number {
    const slot = this.table.slots.get(key);
    return slot === NO_SLOT ? 0 : this.table.remainingTtlMs(slot);
  }

  /**
   * The value, made and stored by `create` if there is none; with `recycle`, made of a value that nobody uses any more
   * if one is kept for that. Without `create`, the cache's `load` makes it, if it answers at once: a load that answers
   * with a promise is aborted, and what it brings is retired.
   *
   * @throws {ObjectCacheError} `ERR_OBJECT_CACHE_NO_LOAD` there is no value, none to recycle, and neither `create` nor a
   *   `load` that answers at once; `ERR_OBJECT_CACHE_CLOSED`
   * @throws what `create`, `load`, `recycle` and {@link set} throw; then nothing is stored, and what was made is retired
   */
  getOrCreate(key: K, create?: (key: K) => V, options?: SetOptions): V {
    const slot = this.table.findFresh(key);
    if (slot !== NO_SLOT) {
      return this.table.hit(slot);
    }
    this.table.misses++;
    if (this.closing !== null) {
      throw this.closedError('create a value');
    }
    if (create === undefined && this.options.load !== undefined) {
      return this.loads.loadNow(key, this.options.load, options ?? NO_OPTIONS, () => this.tooLateError()).value;
    }
    try {
      const recycled = this.graveyard.reuse(key);
      if (recycled === undefined && create === undefined) {
        throw this.noLoadError('getOrCreate', 'a create function');
      }
      const value = recycled === undefined ? (create as (key: K) => V)(key) : recycled;
      try {
        this.set(key, value, options);
      } catch (error) {
        this.table.refuse(key, value, 0);
        throw error;
      }
      return value;
    } catch (error) {
      // What was taken for reuse is not needed any more.
      this.ledger?.trim();
      throw error;
    }
  }

  /**
   * The value, loaded if there is no fresh one. Callers for one key share one load, and the options of the first of
   * them. Of a value that has been stale for less than `staleWhileRevalidateMs`, the old one, while the new one is
   * loaded.
   *
   * If the load fails, what was there stays. If the key is set or deleted meanwhile, the callers get what was loaded,
   * and it is not stored.
   *
   * Rejects with what the load throws, with the reason of `signal`, with what {@link set} throws, or with
   * `ERR_OBJECT_CACHE_NO_LOAD` or `ERR_OBJECT_CACHE_CLOSED`. Errors are not cached. With options that make no sense it
   * rejects before anything is loaded. A load must not wait for a `fetch` of its own key: that is itself.
   */
  async fetch(key: K, options: FetchOptions<K, V> = NO_OPTIONS): Promise<V> {
    checkFetchOptions(options);
    options.signal?.throwIfAborted();
    const { table } = this;
    const slot = this.findUsable(key, options);
    if (slot !== NO_SLOT) {
      const value = table.hit(slot);
      if (table.isStale(slot)) {
        // After the value was taken: from here on the slot may be another one's.
        this.loads.refresh(key, this.loadOf(options), options);
      }
      return value;
    }
    table.misses++;
    const { value } = await this.loadShared(key, options, false);
    return value;
  }

  /**
   * Runs `section` with the value, which is held until it returns, or until the promise that it returns settles. What
   * is synchronous stays so. On a miss the value is loaded, and the result is a promise; without a `load`, `undefined`
   * is returned and `section` not run.
   */
  use<R>(key: K, section: (value: V) => Promise<R>): Promise<R> | undefined;
  use<R>(key: K, section: (value: V) => R): R | Promise<R> | undefined;
  use<R>(key: K, section: (value: V) => R | PromiseLike<R>): R | Promise<R> | undefined {
    const slot = this.findUsable(key, NO_OPTIONS);
    if (slot !== NO_SLOT) {
      return this.useHeld(this.holdAt(key, slot, NO_OPTIONS), section);
    }
    this.table.misses++;
    return this.options.load === undefined ? undefined : this.useLoaded(key, section);
  }

  /**
   * Holds the value until the guard is released; `undefined` if there is no fresh one. A guard that is garbage-collected
   * before is reported and released.
   */
  acquire(key: K): ObjectGuard<K, V> | undefined {
    const { table } = this;
    const slot = table.findFresh(key);
    if (slot === NO_SLOT) {
      table.misses++;
      return undefined;
    }
    table.hit(slot);
    return new ObjectGuard<K, V>(this.guardOwner, table.hold(slot, 1));
  }

  /** As {@link acquire}, and on a miss loads the value. Rejects as {@link fetch} does. */
  async acquireOrLoad(key: K, options: FetchOptions<K, V> = NO_OPTIONS): Promise<ObjectGuard<K, V>> {
    checkFetchOptions(options);
    options.signal?.throwIfAborted();
    const slot = this.findUsable(key, options);
    if (slot !== NO_SLOT) {
      return new ObjectGuard<K, V>(this.guardOwner, this.holdAt(key, slot, options));
    }
    this.table.misses++;
    const { lease } = await this.loadShared(key, options, true);
    return new ObjectGuard<K, V>(this.guardOwner, lease as Lease<K, V>);
  }

  *keys(): IterableIterator<K> {
    for (const slot of this.table.slots.slots()) {
      if (!this.table.isStale(slot)) {
        yield this.table.keyAt(slot);
      }
    }
  }

  *values(): IterableIterator<V> {
    for (const slot of this.table.slots.slots()) {
      if (!this.table.isStale(slot)) {
        yield this.table.valueAt(slot);
      }
    }
  }

  *entries(): IterableIterator<[K, V]> {
    for (const slot of this.table.slots.slots()) {
      if (!this.table.isStale(slot)) {
        yield [this.table.keyAt(slot), this.table.valueAt(slot)];
      }
    }
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, cache: this) => void): void {
    for (const [key, value] of this.entries()) {
      callback(value, key, this);
    }
  }

  /**
   * What to register with a `ShrinkerRegistry`, so that the cache gives back its share under pressure: first what is
   * kept for reuse, then the oldest entries. In a group, {@link attach} it then.
   */
  asShrinker(): ShrinkerSpec {
    const spec = {
      name: this.name,
      seeks: this.options.seeks ?? DEFAULT_SEEKS,
      retiredBytes: (zone: Zone) => (zone === this.zone ? this.graveyard.waitingBytes : 0),
      retiredAgeMs: () => this.graveyard.oldestAgeMs,
      skipped: () => ({ held: this.holds.count }),
    };
    const { ledger } = this;
    if (ledger === null) {
      return { ...spec, count: () => this.countFreeable(), scan: (sc) => this.scan(sc, null) };
    }
    return {
      ...spec,
      batch: GROUP_BATCH,
      groupAware: true,
      zoneAware: true,
      objectBytes: (zone) => (zone === ledger.zone ? ledger.entryBytes : 0),
      count: (sc) => this.countCharged(ledger, sc),
      scan: (sc) => this.scanCharged(ledger, sc),
    };
  }

  /**
   * Has passes over the cache's group, and those that its limits begin, reach the cache. Once, after the shrinker that
   * {@link asShrinker} describes was registered; a plugin has done it. Without a group nothing is to do.
   *
   * @returns the shrinker
   * @throws {TypeError} it is no shrinker
   * @throws {ShrinkerError} `ERR_SHRINKER_FOREIGN` it belongs to another registry than the group
   */
  attach(shrinker: Shrinker): Shrinker {
    if (this.ledger !== null) {
      // Where the values live may not be known yet. Of the zones where none do the bit goes when it is looked at.
      for (const zone of this.ledger.zone === null ? ZONES : [this.ledger.zone]) {
        this.group?.setShrinkerBit(shrinker, zone);
      }
    }
    return shrinker;
  }

  stats(): ObjectCacheStats {
    const { table, graveyard, holds, loads } = this;
    return {
      name: this.name,
      size: table.count,
      bytes: table.bytes,
      policy: this.policy.name,
      shadowBytes: table.evicted.bytes,
      hits: table.hits,
      misses: table.misses,
      evictions: table.evictions,
      expirations: table.expirations,
      rejected: table.rejected,
      uncharged: this.ledger?.refused ?? 0,
      chargedBytes: this.ledger?.charged ?? 0,
      loads: loads.started,
      coalesced: loads.coalesced,
      loadErrors: loads.errors,
      held: holds.open,
      leaks: this.leaks,
      retired: holds.retired + graveyard.count,
      retiredBytes: holds.retiredBytes + graveyard.bytes,
      reusable: graveyard.reusable,
      disposed: graveyard.disposed,
      recycled: graveyard.recycled,
    };
  }

  /**
   * Removes all entries, aborts loads, refuses new ones, and resolves when every value that is not held has been
   * disposed of. Values that are held follow when they are let go; `stats().held` says how many. Idempotent.
   *
   * `dispose` must not wait for it.
   */
  close(): Promise<void> {
    if (this.closing === null) {
      let finish!: (end: Promise<void>) => void;
      // First of all: listeners of the loads' signals may call back.
      this.closing = new Promise((resolve) => {
        finish = resolve;
      });
      this.loads.abortAll(this.closedError('go on loading'));
      this.table.clear();
      const end = this.graveyard.close();
      // What is kept for reuse has left by now.
      this.ledger?.close();
      finish(end);
    }
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    this.table.checkInvariants();
    this.holds.checkInvariants();
    this.graveyard.checkInvariants();
    this.ledger?.checkInvariants();
  }

  /** @internal Where the fresh entry of `key` is, or -1, for who looks at it before it uses it. Until the next change. */
  slotOf(key: K): number {
    return this.table.findFresh(key);
  }

  /** @internal As `get` of the entry in a slot. */
  useSlot(slot: number): V {
    return this.table.hit(slot);
  }

  /** @internal What an entry has, for a policy of one's own, which knows slots. */
  valueInSlot(slot: number): V {
    return this.table.valueAt(slot);
  }

  /** @internal The key of the entry in a slot. */
  keyInSlot(slot: number): K {
    return this.table.keyAt(slot);
  }

  /** @internal As `delete` of the entry in a slot, for another reason. */
  removeSlot(slot: number, reason: DisposeReason): void {
    this.table.remove(slot, reason);
    this.ledger?.trim();
  }

  /** @internal Another value stands for each one from now on, also for who holds it; no value leaves. */
  exchangeAll(exchange: (value: V, key: K) => V): void {
    this.table.exchangeAll(exchange);
  }

  /** @internal Keys whose values have left the cache and are held. */
  heldKeys(): K[] {
    return [...this.holds.keys()];
  }

  /**
   * The entry that a load function would not be waited for: a fresh one, or a stale one that is kept until it is
   * refreshed.
   */
  private findUsable(key: K, options: FetchOptions<K, V>): number {
    if (options.forceRefresh === true) {
      return NO_SLOT;
    }
    const slot = this.table.find(key);
    const usable =
      slot !== NO_SLOT && (!this.table.isStale(slot) || options.load !== undefined || this.options.load !== undefined);
    return usable ? slot : NO_SLOT;
  }

  /** Holds the value of a usable entry, and refreshes it if it is stale. */
  private holdAt(key: K, slot: number, options: FetchOptions<K, V>): Lease<K, V> {
    const { table } = this;
    table.hit(slot);
    const lease = table.hold(slot, 1);
    if (table.isStale(slot)) {
      this.loads.refresh(key, this.loadOf(options), options);
    }
    return lease;
  }

  private useHeld<R>(lease: Lease<K, V>, section: (value: V) => R | PromiseLike<R>): R | Promise<R> {
    let result: R | PromiseLike<R>;
    let isPromise: boolean;
    try {
      result = section(lease.value as V);
      isPromise = isThenable(result);
    } catch (error) {
      this.table.letGo(lease);
      throw error;
    }
    if (isPromise) {
      return this.letGoAfter(lease, result as PromiseLike<R>);
    }
    this.table.letGo(lease);
    return result as R;
  }

  private async letGoAfter<R>(lease: Lease<K, V>, result: PromiseLike<R>): Promise<R> {
    try {
      return await result;
    } finally {
      this.table.letGo(lease);
    }
  }

  private async useLoaded<R>(key: K, section: (value: V) => R | PromiseLike<R>): Promise<R> {
    const { lease } = await this.loadShared(key, NO_OPTIONS, true);
    return this.useHeld(lease as Lease<K, V>, section);
  }

  private loadShared(key: K, options: FetchOptions<K, V>, hold: boolean): ReturnType<Loads<K, V>['join']> {
    if (this.closing !== null) {
      throw this.closedError('load a value');
    }
    return this.loads.join(key, this.loadOf(options), options, hold);
  }

  private loadOf(options: FetchOptions<K, V>): Load<K, V> {
    const load = options.load ?? this.options.load;
    if (load === undefined) {
      throw this.noLoadError('fetch', 'a load function, here or in the options of the cache');
    }
    return load;
  }

  private measure(key: K, value: V, options: SetOptions | undefined): number {
    let size = options?.size;
    if (size === undefined) {
      const { sizeOf } = this.options;
      if (sizeOf !== undefined) {
        size = sizeOf(value, key);
      } else if (this.sampler !== null) {
        size = this.sampler.sizeOf(value);
      } else if (this.maxBytes === Infinity) {
        return 0;
      } else {
        throw new TypeError('Cannot store a value: its size is not known; give sizeOf, or size to set()');
      }
    }
    checkSize(size);
    this.table.keepSizes();
    return size;
  }

  private endHold(lease: Lease<K, V>, leaked: boolean): void {
    const key = lease.key as K;
    this.table.letGo(lease);
    if (leaked) {
      this.leaks++;
      const message = `Cannot dispose of a value of "${this.name}" in time: its guard was garbage-collected without being released`;
      this.onError(new ObjectCacheError('ERR_OBJECT_CACHE_LEAK', message), key);
    }
  }

  private countFreeable(): number {
    const { table, graveyard } = this;
    const freeable = table.evictable + graveyard.reusable;
    return freeable === 0 && table.count === 0 ? SHRINK_EMPTY : freeable;
  }

  private scan(sc: ShrinkControl, goal: WalkGoal | null): number {
    if (sc.priority <= HARD_PRIORITY) {
      this.table.forgetEvicted();
    }
    const discarded = this.graveyard.discard(sc.nrToScan);
    const rest = { nrToScan: sc.nrToScan - discarded, nrScanned: 0 };
    const removed = this.table.walk(rest, goal);
    sc.nrScanned = discarded + rest.nrScanned;
    return discarded + removed;
  }

  /** The zone of the values, or null. */
  private get zone(): Zone | null {
    return this.ledger === null ? (this.options.zone ?? 'heap') : this.ledger.zone;
  }

  private countCharged(ledger: Ledger<K, V>, sc: ShrinkControl): number {
    if (!ledger.isAskedBy(sc)) {
      // Where no value of the cache will ever be, it need not be asked again. Elsewhere there may be some any time.
      return ledger.zone !== null && ledger.zone !== sc.zone ? SHRINK_EMPTY : 0;
    }
    if (sc.mode === 'direct') {
      // Somebody waits for room: the stock is the first to go, even if no entry can.
      ledger.drain();
    }
    return this.table.evictable + this.graveyard.reusable;
  }

  private scanCharged(ledger: Ledger<K, V>, sc: ShrinkControl): number {
    if (!ledger.isAskedBy(sc) || ledger.isServed) {
      return SHRINK_STOP;
    }
    const freed = this.scan(sc, ledger.goal);
    ledger.drain();
    return freed;
  }

  /** As `set` does it, in a group. */
  private setCharged(ledger: Ledger<K, V>, key: K, value: V, size: number, ttlMs: number | undefined): void {
    const { table, loads } = this;
    if (loads.count === 0) {
      const slot = table.slots.get(key);
      if ((slot !== NO_SLOT && table.fitsAt(slot, value, size)) || ledger.covers(size + ENTRY_OVERHEAD)) {
        const { bytes } = table;
        table.storeAt(slot, key, value, size, ttlMs);
        // What grows within what is charged leaves no more of it over than there was.
        if (table.bytes < bytes || table.count === 0 || table.evicted.isDue(table.evictions)) {
          ledger.settle(size);
        }
        return;
      }
    }
    // The charge may evict any entry. The one that has this value already must not leave, and come back.
    const pinned = table.pinValue(key, value);
    try {
      const fits = ledger.reserve(key, value, size);
      if (this.closing !== null) {
        throw this.closedError('store a value');
      }
      loads.supersede(key);
      if (pinned !== null && pinned.reason !== null) {
        this.setAgain(pinned, size, ttlMs, fits);
      } else if (fits) {
        table.store(key, value, size, ttlMs);
      } else {
        table.reject(key, value, size);
      }
    } finally {
      ledger.settle(size);
      if (pinned !== null) {
        table.unpin(pinned);
      }
    }
  }

  /** Stores a value that was in the cache, and has left while it was pinned. */
  private setAgain(pinned: Lease<K, V>, size: number, ttlMs: number | undefined, fits: boolean): void {
    const { table } = this;
    const slot = table.slots.get(pinned.key as K);
    if (slot !== NO_SLOT) {
      table.remove(slot, 'set');
    }
    if (fits) {
      table.revive(pinned, size, ttlMs);
    } else {
      table.rejected++;
    }
  }

  /** Whether the group has room for a value that is kept for reuse. Never throws. */
  private mayKeep(bytes: number): boolean {
    try {
      return this.ledger?.mayKeep(bytes) === true;
    } catch (error) {
      this.onError(error, undefined);
      return false;
    }
  }

  private closedError(action: string): ObjectCacheError {
    return new ObjectCacheError(
      'ERR_OBJECT_CACHE_CLOSED',
      `Cannot ${action}: "${this.name}" is closed; create a new cache`,
    );
  }

  private tooLateError(): ObjectCacheError {
    return new ObjectCacheError(
      'ERR_OBJECT_CACHE_NO_LOAD',
      `Cannot getOrCreate a missing value of "${this.name}": its load answers with a promise; use fetch, or give a create function`,
    );
  }

  private noLoadError(method: string, what: string): ObjectCacheError {
    return new ObjectCacheError(
      'ERR_OBJECT_CACHE_NO_LOAD',
      `Cannot ${method} a missing value of "${this.name}": there is nothing to make it with; give ${what}`,
    );
  }
}

/** An error channel that cannot fail: an error of the channel itself is reported as well. */
function guarded<K>(
  onError: ((error: unknown, key: K | undefined) => void) | undefined,
): (error: unknown, key: K | undefined) => void {
  return (error, key) => {
    try {
      if (onError === undefined) {
        reportUncaught(error);
      } else {
        onError(error, key);
      }
    } catch (second) {
      reportUncaught(second);
    }
  };
}
