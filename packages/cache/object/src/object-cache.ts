import { CoarseClock, assert, isThenable, reportUncaught } from '@core/base';
import { type LruStatus, REMOVED, ROTATE, SlotLru } from '@core/list-lru';
import { Rcu, type RcuFlavor } from '@core/rcu';
import { DEFAULT_SEEKS, SHRINK_EMPTY, type ShrinkerSpec } from '@core/shrinker';
import { checkOptions, checkSize, checkTtl } from './internal/check-options.js';
import { Expiry } from './internal/expiry.js';
import { Graveyard } from './internal/graveyard.js';
import type { Lease } from './internal/lease.js';
import { type Flight, type Loaded, Loads } from './internal/loads.js';
import { ObjectCacheError } from './object-cache-error.js';
import { type GuardOwner, ObjectGuard } from './object-guard.js';
import type { DisposeReason, FetchOptions, Load, ObjectCacheOptions, ObjectCacheStats, SetOptions } from './options.js';

const FIRST_CAPACITY = 64;
const NOT_STORED = -1;

/** Caches that were given no domain share one: a turn of the event loop is the same turn for all of them. */
let sharedRcu: RcuFlavor | null = null;

/**
 * A cache of objects that are disposed of only when nobody uses them any more.
 *
 * A value returned by `get`, `peek`, `fetch` or an iterator is good for the current turn: synchronous code and awaits
 * of settled promises. To keep it across other awaits, hold it with `use` or `acquire`. A value that leaves the cache
 * is disposed of when its last holder has let go and a grace period has passed.
 *
 * Eviction is second chance: a hit sets a bit, eviction takes the oldest entry whose bit is clear and clears the bits
 * it meets. Held entries are passed over as long as there are others.
 *
 * Keys are anything that a `Map` takes. `get`, `set`, `has`, `peek`, `delete` and `acquire` are O(1), amortised over
 * the bits that eviction clears. A hit allocates nothing.
 *
 * Iteration is in the order in which keys were first stored, live, as of a `Map`: what is deleted before it is reached
 * is not visited, what is added is. It sets no bits, and passes over stale entries.
 *
 * @see fs/dcache.c for holds and second chance
 */
export class ObjectCache<K, V> implements AsyncDisposable, Iterable<[K, V]> {
  readonly name: string;
  readonly max: number;
  readonly maxBytes: number;
  private readonly slots = new Map<K, number>();
  private readonly slotKeys: (K | undefined)[] = [];
  private readonly slotValues: (V | undefined)[] = [];
  private readonly freeSlots: number[] = [];
  private capacity = 0;
  /** As `slots.size`, which is a call. */
  private count = 0;
  private referenced = new Uint8Array(0);
  private readonly order = new SlotLru();
  private expiry: Expiry | null = null;
  private readonly ttlMs: number | undefined;
  private sizes: Float64Array | null = null;
  private totalBytes = 0;
  private leases: (Lease<K, V> | undefined)[] | null = null;
  private readonly graveyard: Graveyard<K, V>;
  private readonly loads: Loads<K, V>;
  private readonly options: ObjectCacheOptions<K, V>;
  private readonly clock: { now(): number };
  private readonly onError: (error: unknown, key: K | undefined) => void;
  private readonly judge = (slot: number): LruStatus => this.isolate(slot);
  private readonly guardOwner: GuardOwner<K, V>;
  private closing: Promise<void> | null = null;
  private hits = 0;
  private misses = 0;
  private evictions = 0;
  private expirations = 0;
  private rejected = 0;
  private leaks = 0;

  /**
   * @throws {RangeError} an option is out of range
   * @throws {TypeError} an option is of the wrong type, or `maxBytes` comes without a way to know sizes
   * @throws {ObjectCacheError} `ERR_OBJECT_CACHE_NO_GROUPS`
   */
  constructor(options: ObjectCacheOptions<K, V> = {}) {
    checkOptions(options);
    this.options = options;
    this.name = options.name ?? 'object';
    this.max = options.max ?? Infinity;
    this.maxBytes = options.maxBytes ?? Infinity;
    this.ttlMs = options.ttlMs;
    this.clock = options.clock ?? new CoarseClock();
    this.onError = options.onError ?? reportUncaught;
    this.graveyard = new Graveyard<K, V>({
      rcu: options.rcu ?? (sharedRcu ??= new Rcu({ name: 'object caches' })),
      nodes: options.nodes,
      dispose: options.dispose ?? null,
      recycle: options.recycle ?? null,
      onError: this.onError,
    });
    this.loads = new Loads<K, V>({
      land: (flight, value) => this.land(flight, value),
      fail: (flight) => this.retireRecycled(flight),
      onError: this.onError,
    });
    this.guardOwner = { endHold: (lease, leaked) => this.endHold(lease, leaked) };
    if (options.sizeOf !== undefined || this.maxBytes !== Infinity) {
      this.sizes = new Float64Array(0);
    }
    this.grow();
    if (options.ttlMs !== undefined) {
      this.expiry = this.createExpiry();
    }
  }

  /** Entries, stale ones that were not met yet included. */
  get size(): number {
    return this.count;
  }

  /** Bytes of these, as `sizeOf` or `set` said. */
  get bytes(): number {
    return this.totalBytes;
  }

  /** The value, if there is a fresh one; marks it as used. Good for the current turn. */
  get(key: K): V | undefined {
    const slot = this.slots.get(key);
    if (slot === undefined || (this.expiry !== null && this.expireIfStale(slot))) {
      this.misses++;
      return undefined;
    }
    this.referenced[slot] = 1;
    this.hits++;
    return this.slotValues[slot];
  }

  /** As {@link get}, without marking it as used, and without counting. */
  peek(key: K): V | undefined {
    const slot = this.freshSlot(key);
    return slot === undefined ? undefined : this.slotValues[slot];
  }

  /** Whether there is a fresh value. Marks nothing. */
  has(key: K): boolean {
    return this.freshSlot(key) !== undefined;
  }

  /**
   * Stores a value. What it replaces, and what must go to make room, is retired. A value larger than `maxBytes` is not
   * stored: it is retired at once, as is what had its key.
   *
   * @throws {RangeError} a size or a time to live is out of range; nothing has changed
   * @throws {ObjectCacheError} `ERR_OBJECT_CACHE_CLOSED`
   */
  set(key: K, value: V, options?: SetOptions): this {
    if (this.closing !== null) {
      throw this.closedError('store a value');
    }
    const size = this.sizes === null && options === undefined ? 0 : this.measure(key, value, options);
    const ttlMs = options?.ttlMs === undefined ? this.ttlMs : checkTtl(options.ttlMs);
    if (this.loads.count > 0) {
      this.loads.supersede(key);
    }
    if (this.store(key, value, size, ttlMs) === NOT_STORED) {
      this.retireValue(key, value, size, 'reject');
    }
    return this;
  }

  /** Removes an entry and retires its value. A load of the key that is under way will not be stored. */
  delete(key: K): boolean {
    if (this.loads.count > 0) {
      this.loads.supersede(key);
    }
    const slot = this.slots.get(key);
    if (slot === undefined) {
      return false;
    }
    const stale = this.expiry !== null && this.expiry.isStale(slot);
    this.remove(slot, stale ? 'expire' : 'delete');
    return !stale;
  }

  /** Removes all entries. Loads that are under way will not be stored. */
  clear(): void {
    this.loads.supersedeAll();
    for (const slot of this.slots.values()) {
      this.remove(slot, 'delete');
    }
  }

  /** Removes stale entries. @returns how many */
  purgeStale(): number {
    let purged = 0;
    if (this.expiry !== null) {
      for (const slot of this.slots.values()) {
        if (this.expiry.isGone(slot)) {
          this.expire(slot);
          purged++;
        }
      }
    }
    return purged;
  }

  /** Milliseconds for which the entry stays fresh: Infinity without a time to live, 0 when stale or absent. */
  remainingTtlMs(key: K): number {
    const slot = this.slots.get(key);
    if (slot === undefined) {
      return 0;
    }
    return this.expiry === null ? Infinity : this.expiry.remainingMs(slot);
  }

  /**
   * The value, made and stored by `create` if there is none; with `recycle`, made of a value that nobody uses any more
   * if there is one.
   *
   * @throws {ObjectCacheError} `ERR_OBJECT_CACHE_NO_LOAD` there is no value, none to recycle, and no `create`
   * @throws what `create` or `recycle` throws; then nothing is stored
   */
  getOrCreate(key: K, create?: (key: K) => V, options?: SetOptions): V {
    const slot = this.freshSlot(key);
    if (slot !== undefined) {
      this.referenced[slot] = 1;
      this.hits++;
      return this.slotValues[slot] as V;
    }
    this.misses++;
    if (this.closing !== null) {
      throw this.closedError('create a value');
    }
    const recycled = this.graveyard.recycleFor(key);
    if (recycled === undefined && create === undefined) {
      throw this.noLoadError('getOrCreate', 'a create function');
    }
    const value = recycled ?? (create as (key: K) => V)(key);
    try {
      this.set(key, value, options);
    } catch (error) {
      this.retireValue(key, value, 0, 'reject');
      throw error;
    }
    return value;
  }

  /**
   * The value, loaded if there is no fresh one. Callers for one key share one load. Of a value that has been stale for
   * less than `staleWhileRevalidateMs`, the old one, while the new one is loaded.
   *
   * Rejects with what the load throws, with the reason of `signal`, or with `ERR_OBJECT_CACHE_NO_LOAD` or
   * `ERR_OBJECT_CACHE_CLOSED`. Errors are not cached.
   */
  async fetch(key: K, options: FetchOptions<K, V> = {}): Promise<V> {
    options.signal?.throwIfAborted();
    const slot = this.slots.get(key);
    if (slot !== undefined && options.forceRefresh !== true && this.isUsable(slot, key, options)) {
      this.referenced[slot] = 1;
      this.hits++;
      return this.slotValues[slot] as V;
    }
    this.misses++;
    const { value } = await this.loads.join(this.flight(key, options), false, options.signal);
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
    const slot = this.slots.get(key);
    if (slot !== undefined && this.isUsable(slot, key, {})) {
      this.referenced[slot] = 1;
      this.hits++;
      const lease = this.leaseOf(slot);
      this.graveyard.hold(lease);
      return this.useHeld(lease, section);
    }
    this.misses++;
    if (this.options.load === undefined) {
      return undefined;
    }
    return this.useLoaded(key, section);
  }

  /**
   * Holds the value until the guard is released; `undefined` if there is no fresh one. A guard that is garbage-collected
   * before is reported and released.
   */
  acquire(key: K): ObjectGuard<K, V> | undefined {
    const slot = this.freshSlot(key);
    if (slot === undefined) {
      this.misses++;
      return undefined;
    }
    this.referenced[slot] = 1;
    this.hits++;
    const lease = this.leaseOf(slot);
    this.graveyard.hold(lease);
    return new ObjectGuard<K, V>(this.guardOwner, lease);
  }

  /** As {@link acquire}, and on a miss loads the value. Rejects as {@link fetch} does. */
  async acquireOrLoad(key: K, options: FetchOptions<K, V> = {}): Promise<ObjectGuard<K, V>> {
    options.signal?.throwIfAborted();
    const slot = this.slots.get(key);
    if (slot !== undefined && options.forceRefresh !== true && this.isUsable(slot, key, options)) {
      this.referenced[slot] = 1;
      this.hits++;
      const lease = this.leaseOf(slot);
      this.graveyard.hold(lease);
      return new ObjectGuard<K, V>(this.guardOwner, lease);
    }
    this.misses++;
    return new ObjectGuard<K, V>(this.guardOwner, await this.loadHeld(key, options));
  }

  *keys(): IterableIterator<K> {
    for (const [key, slot] of this.slots) {
      if (!this.isStale(slot)) {
        yield key;
      }
    }
  }

  *values(): IterableIterator<V> {
    for (const slot of this.slots.values()) {
      if (!this.isStale(slot)) {
        yield this.slotValues[slot] as V;
      }
    }
  }

  *entries(): IterableIterator<[K, V]> {
    for (const [key, slot] of this.slots) {
      if (!this.isStale(slot)) {
        yield [key, this.slotValues[slot] as V];
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

  /** What to register with a `ShrinkerRegistry`, so that the cache gives back its share under pressure. */
  asShrinker(): ShrinkerSpec {
    return {
      name: this.name,
      seeks: this.options.seeks ?? DEFAULT_SEEKS,
      count: () => (this.size === 0 ? SHRINK_EMPTY : this.size),
      scan: (sc) => this.order.walk(sc, this.judge),
    };
  }

  stats(): ObjectCacheStats {
    const { graveyard, loads } = this;
    return {
      name: this.name,
      size: this.size,
      bytes: this.bytes,
      hits: this.hits,
      misses: this.misses,
      evictions: this.evictions,
      expirations: this.expirations,
      rejected: this.rejected,
      loads: loads.started,
      coalesced: loads.coalesced,
      loadErrors: loads.errors,
      held: graveyard.held,
      leaks: this.leaks,
      retired: graveyard.count,
      retiredBytes: graveyard.bytes,
      disposed: graveyard.disposed,
      recycled: graveyard.recycled,
    };
  }

  /**
   * Removes all entries, aborts loads, refuses new ones, and resolves when every value that is not held has been
   * disposed of. Values that are held follow when they are let go; `stats().held` says how many. Idempotent.
   */
  close(): Promise<void> {
    if (this.closing === null) {
      this.closing = Promise.resolve();
      this.loads.abortAll(this.closedError('go on loading'));
      this.clear();
      this.closing = this.graveyard.barrier();
    }
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    this.graveyard.checkInvariants();
    assert(this.slots.size === this.size, () => `${this.slots.size} keys, and ${this.size} are counted`);
    assert(this.order.length === this.size, () => `${this.size} entries, and ${this.order.length} in the list`);
    assert(this.size + this.freeSlots.length === this.slotKeys.length, 'A slot is neither used nor free');
    assert(this.size <= this.max && this.totalBytes <= this.maxBytes, 'The cache is over its limit');
    let bytes = 0;
    for (const [key, slot] of this.slots) {
      assert(this.order.has(slot), 'An entry is not in the list');
      assert(Object.is(this.slotKeys[slot], key) || key === 0, 'A slot has another key');
      bytes += this.sizes?.[slot] ?? 0;
      const lease = this.leases?.[slot];
      assert(
        lease === undefined || (lease.reason === null && lease.value === this.slotValues[slot]),
        'A slot has the lease of another value',
      );
    }
    assert(bytes === this.totalBytes, () => `Entries have ${bytes} bytes, and ${this.totalBytes} are counted`);
    for (const slot of this.freeSlots) {
      assert(this.slotKeys[slot] === undefined && this.slotValues[slot] === undefined, 'A free slot holds something');
      assert(!this.order.has(slot) && this.leases?.[slot] === undefined, 'A free slot is in use');
    }
  }

  private store(key: K, value: V, size: number, ttlMs: number | undefined): number {
    const old = this.slots.get(key);
    if (size > this.maxBytes) {
      this.rejected++;
      if (old !== undefined) {
        this.remove(old, 'set');
      }
      return NOT_STORED;
    }
    let slot: number;
    if (old === undefined) {
      slot = this.insert(key, value, size);
    } else {
      slot = old;
      this.replace(slot, value, size);
    }
    if (this.expiry !== null || ttlMs !== undefined) {
      this.expiry ??= this.createExpiry();
      this.expiry.set(slot, ttlMs ?? Infinity);
    }
    return slot;
  }

  private insert(key: K, value: V, size: number): number {
    if (this.sizes !== null) {
      this.makeRoom(size);
    }
    let slot: number;
    if (this.count < this.max) {
      slot = this.freeSlots.pop() ?? this.newSlot();
      this.order.add(slot);
      this.count++;
    } else {
      // The victim's slot and its place in the list are used again.
      slot = this.victim(NOT_STORED);
      this.vacate(slot, 'evict');
      this.order.moveToTail(slot);
    }
    this.slots.set(key, slot);
    this.slotKeys[slot] = key;
    this.slotValues[slot] = value;
    this.referenced[slot] = 0;
    if (this.sizes !== null) {
      this.sizes[slot] = size;
      this.totalBytes += size;
    }
    return slot;
  }

  private replace(slot: number, value: V, size: number): void {
    const before = this.slotValues[slot] as V;
    if (before !== value) {
      this.retireSlot(slot, 'set');
      this.slotValues[slot] = value;
    }
    this.referenced[slot] = 1;
    if (this.sizes !== null) {
      this.totalBytes += size - (this.sizes[slot] as number);
      this.sizes[slot] = size;
      if (this.totalBytes > this.maxBytes) {
        // It is no larger than the limit by itself, so at the tail it is the last to be reached.
        this.order.moveToTail(slot);
        this.makeRoom(0, slot);
      }
    }
  }

  private makeRoom(size: number, keep: number = NOT_STORED): void {
    while (this.totalBytes + size > this.maxBytes && this.count > 0) {
      this.remove(this.victim(keep), 'evict');
    }
  }

  /**
   * The entry to evict, by second chance, as in a walk of the list that ends at the first that may go.
   *
   * After two rounds every bit is clear, and only held entries are left: then the oldest goes, held or not. Its value
   * stays until it is let go.
   */
  private victim(keep: number): number {
    const { order, referenced } = this;
    let patience = 2 * order.length;
    let slot = order.head();
    while (slot === keep || (patience > 0 && (referenced[slot] !== 0 || this.isHeld(slot)))) {
      referenced[slot] = 0;
      order.moveToTail(slot);
      patience--;
      slot = order.head();
    }
    this.evictions++;
    return slot;
  }

  /** What a shrinker's walk does with each entry. */
  private isolate(slot: number): LruStatus {
    if (this.expiry !== null && this.expiry.isGone(slot)) {
      this.expire(slot);
      return REMOVED;
    }
    if (this.referenced[slot] !== 0 || this.isHeld(slot)) {
      this.referenced[slot] = 0;
      return ROTATE;
    }
    this.evictions++;
    this.remove(slot, 'evict');
    return REMOVED;
  }

  private isHeld(slot: number): boolean {
    const lease = this.leases === null ? undefined : this.leases[slot];
    return lease !== undefined && lease.holds > 0;
  }

  private remove(slot: number, reason: DisposeReason): void {
    this.vacate(slot, reason);
    this.order.del(slot);
    this.slotKeys[slot] = undefined;
    this.slotValues[slot] = undefined;
    this.freeSlots.push(slot);
    this.count--;
  }

  /** Takes key and value out of a slot, without freeing it. */
  private vacate(slot: number, reason: DisposeReason): void {
    this.slots.delete(this.slotKeys[slot] as K);
    this.retireSlot(slot, reason);
    if (this.sizes !== null) {
      this.totalBytes -= this.sizes[slot] as number;
      this.sizes[slot] = 0;
    }
  }

  /** Lets go of the value in a slot: to the graveyard if anybody wants to know, else to the garbage collector. */
  private retireSlot(slot: number, reason: DisposeReason): void {
    const lease = this.leases === null ? undefined : this.leases[slot];
    if (lease !== undefined) {
      (this.leases as (Lease<K, V> | undefined)[])[slot] = undefined;
      lease.bytes = this.sizes === null ? 0 : (this.sizes[slot] as number);
      this.graveyard.retire(lease, reason);
    } else if (this.graveyard.wanted) {
      const size = this.sizes === null ? 0 : (this.sizes[slot] as number);
      this.retireValue(this.slotKeys[slot] as K, this.slotValues[slot] as V, size, reason);
    }
  }

  private retireValue(key: K, value: V, size: number, reason: DisposeReason): void {
    this.graveyard.retire(this.graveyard.lease(key, value, size), reason);
  }

  private expire(slot: number): void {
    this.expirations++;
    this.remove(slot, 'expire');
  }

  /** @returns whether the entry is stale; if it is not even kept for a refresh, it is removed */
  private expireIfStale(slot: number): boolean {
    const expiry = this.expiry as Expiry;
    if (!expiry.isStale(slot)) {
      return false;
    }
    if (expiry.isGone(slot)) {
      this.expire(slot);
    }
    return true;
  }

  private isStale(slot: number): boolean {
    return this.expiry !== null && this.expiry.isStale(slot);
  }

  private freshSlot(key: K): number | undefined {
    const slot = this.slots.get(key);
    return slot === undefined || (this.expiry !== null && this.expireIfStale(slot)) ? undefined : slot;
  }

  /** Whether `fetch` may answer with this entry: fresh, or stale for so short that it may, while it is refreshed. */
  private isUsable(slot: number, key: K, options: FetchOptions<K, V>): boolean {
    if (!this.isStale(slot)) {
      return true;
    }
    if ((this.expiry as Expiry).isGone(slot)) {
      this.expire(slot);
      return false;
    }
    if ((options.load ?? this.options.load) === undefined) {
      return false;
    }
    if (this.loads.get(key) === undefined) {
      this.flight(key, options).background = true;
    }
    return true;
  }

  private measure(key: K, value: V, options: SetOptions | undefined): number {
    const size = options?.size ?? this.options.sizeOf?.(value, key);
    if (this.sizes === null) {
      if (size !== undefined) {
        this.sizes = new Float64Array(this.capacity);
        return checkSize(size);
      }
      return 0;
    }
    if (size === undefined) {
      throw new TypeError('Cannot store a value: its size is not known; give sizeOf, or size to set()');
    }
    return checkSize(size);
  }

  private leaseOf(slot: number): Lease<K, V> {
    this.leases ??= [];
    let lease = this.leases[slot];
    if (lease === undefined) {
      lease = this.graveyard.lease(this.slotKeys[slot] as K, this.slotValues[slot] as V, 0);
      this.leases[slot] = lease;
    }
    return lease;
  }

  private endHold(lease: Lease<K, V>, leaked: boolean): void {
    const { key } = lease;
    if (leaked) {
      this.leaks++;
      this.onError(new Error(`A guard of "${this.name}" was garbage-collected without being released`), key);
    }
    this.letGo(lease);
  }

  private letGo(lease: Lease<K, V>): void {
    if (this.graveyard.letGo(lease)) {
      // The value is still in the cache, and nobody holds it: the slot needs no lease.
      const slot = this.slots.get(lease.key as K) as number;
      (this.leases as (Lease<K, V> | undefined)[])[slot] = undefined;
      this.graveyard.forget(lease);
    }
  }

  private useHeld<R>(lease: Lease<K, V>, section: (value: V) => R | PromiseLike<R>): R | Promise<R> {
    let result: R | PromiseLike<R>;
    try {
      result = section(lease.value as V);
    } catch (error) {
      this.letGo(lease);
      throw error;
    }
    if (isThenable(result)) {
      return this.letGoAfter(lease, result);
    }
    this.letGo(lease);
    return result;
  }

  private async letGoAfter<R>(lease: Lease<K, V>, result: PromiseLike<R>): Promise<R> {
    try {
      return await result;
    } finally {
      this.letGo(lease);
    }
  }

  private async useLoaded<R>(key: K, section: (value: V) => R | PromiseLike<R>): Promise<R> {
    const lease = await this.loadHeld(key, {});
    return this.useHeld(lease, section);
  }

  private async loadHeld(key: K, options: FetchOptions<K, V>): Promise<Lease<K, V>> {
    const { lease } = await this.loads.join(this.flight(key, options), true, options.signal);
    return lease as Lease<K, V>;
  }

  /** The load of `key` that is under way, or a new one. */
  private flight(key: K, options: FetchOptions<K, V>): Flight<K, V> {
    const under = this.loads.get(key);
    if (under !== undefined) {
      this.loads.coalesced++;
      return under;
    }
    if (this.closing !== null) {
      throw this.closedError('load a value');
    }
    const load: Load<K, V> | undefined = options.load ?? this.options.load;
    if (load === undefined) {
      throw this.noLoadError('fetch', 'a load function, here or in the options of the cache');
    }
    const slot = this.slots.get(key);
    return this.loads.start(key, load, options, {
      stale: slot === undefined ? undefined : this.slotValues[slot],
      recycled: this.graveyard.recycleFor(key),
    });
  }

  /** Stores what a load brought, and holds it for those who asked for that, before anything can evict it. */
  private land(flight: Flight<K, V>, value: V): Loaded<K, V> {
    const { key, options } = flight;
    if (value !== flight.recycled) {
      this.retireRecycled(flight);
    }
    let size: number;
    let ttlMs: number | undefined;
    try {
      size = this.sizes === null && options.size === undefined ? 0 : this.measure(key, value, options);
      ttlMs = options.ttlMs === undefined ? this.ttlMs : checkTtl(options.ttlMs);
    } catch (error) {
      this.retireValue(key, value, 0, 'reject');
      throw error;
    }
    const slot = flight.superseded ? NOT_STORED : this.store(key, value, size, ttlMs);
    if (slot === NOT_STORED) {
      return this.landNowhere(flight, value, size);
    }
    return { value, lease: flight.holds === 0 ? null : this.holdFor(flight, this.leaseOf(slot)) };
  }

  /** A value that is not stored is retired at once; whoever waits for it has it for this turn, or holds it. */
  private landNowhere(flight: Flight<K, V>, value: V, size: number): Loaded<K, V> {
    const lease = this.holdFor(flight, this.graveyard.lease(flight.key, value, size));
    this.graveyard.retire(lease, 'reject');
    return { value, lease: flight.holds > 0 ? lease : null };
  }

  private holdFor(flight: Flight<K, V>, lease: Lease<K, V>): Lease<K, V> {
    for (let hold = 0; hold < flight.holds; hold++) {
      this.graveyard.hold(lease);
    }
    return lease;
  }

  /** A value that was made ready for a load which did not use it. */
  private retireRecycled(flight: Flight<K, V>): void {
    if (flight.recycled !== undefined) {
      this.retireValue(flight.key, flight.recycled, 0, 'reject');
    }
  }

  private newSlot(): number {
    const slot = this.slotKeys.length;
    if (slot === this.capacity) {
      this.grow();
    }
    this.slotKeys.push(undefined);
    this.slotValues.push(undefined);
    return slot;
  }

  private grow(): void {
    this.capacity = Math.min(Math.max(this.capacity * 2, FIRST_CAPACITY), this.max);
    const referenced = new Uint8Array(this.capacity);
    referenced.set(this.referenced);
    this.referenced = referenced;
    this.order.grow(this.capacity);
    this.expiry?.grow(this.capacity);
    if (this.sizes !== null) {
      const sizes = new Float64Array(this.capacity);
      sizes.set(this.sizes);
      this.sizes = sizes;
    }
  }

  private createExpiry(): Expiry {
    return new Expiry(this.capacity, this.clock, this.options.staleWhileRevalidateMs ?? 0);
  }

  private closedError(action: string): ObjectCacheError {
    return new ObjectCacheError(
      'ERR_OBJECT_CACHE_CLOSED',
      `Cannot ${action}: "${this.name}" is closed; create a new cache`,
    );
  }

  private noLoadError(method: string, what: string): ObjectCacheError {
    return new ObjectCacheError(
      'ERR_OBJECT_CACHE_NO_LOAD',
      `Cannot ${method} a missing value of "${this.name}": there is nothing to make it with; give ${what}`,
    );
  }
}
