import { type Clock, assert } from '@core/base';
import { SlotLru } from '@core/list-lru';
import type { DisposeReason } from '../options.js';
import type * as port from '../policy/eviction-policy.js';
import { EvictedKeys } from './evicted-keys.js';
import { Expiry } from './expiry.js';
import type { Graveyard } from './graveyard.js';
import type { Holds } from './holds.js';
import { KeyIndex } from './key-index.js';
import type { Lease } from './lease.js';
import { SlotSizes } from './slot-sizes.js';

// Not imported: an imported constant is read from a module cell each time.
export const NO_SLOT = -1;
const WATCHED: typeof port.WATCHED = 255;
const FIRST_CAPACITY = 64;
/** From here on it grows by a half, and not by as much again. */
const LARGE_CAPACITY = 2 ** 16;
/**
 * Bytes that an entry takes besides its value: its place in the map, the arrays by slot and the list, 36 to 67 as
 * measured, and a short key. See docs/decisions/0004-charges-of-object-caches.md.
 */
export const ENTRY_OVERHEAD = 96;

/** A walk ends when it has freed `most` bytes, or `least`, if the next entry would make it more than `most`. */
export interface WalkGoal {
  readonly least: number;
  readonly most: number;
}

/** Who has charged what the table holds, and is told when anything has left it. */
interface Books {
  trim(): void;
}

export interface EntryTableOptions<K, V> {
  readonly max: number;
  readonly maxBytes: number;
  readonly ttlMs: number | undefined;
  /** For how long a stale entry is kept. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly policy: port.EvictionPolicy;
  readonly graveyard: Graveyard<K, V>;
  readonly holds: Holds<K, V>;
}

/**
 * The entries of a cache: an index from keys to slots, and arrays by slot.
 *
 * The policy has the entries that may be evicted, and also held ones that eviction has not met yet. Those that it has met
 * wait in `parked` until they are let go: so each hold costs eviction one look, however long it lasts.
 *
 * No user code runs in here.
 */
export class EntryTable<K, V> {
  readonly slots: KeyIndex<K> = new KeyIndex();
  readonly evicted: EvictedKeys;
  count = 0;
  bytes = 0;
  hits = 0;
  misses = 0;
  evictions = 0;
  expirations = 0;
  rejected = 0;
  /** Null without a group. */
  ledger: Books | null = null;
  readonly maxBytes: number;
  private readonly max: number;
  // As long as there are slots: an array that is pushed to keeps room for half as many again.
  private keys: (K | undefined)[] = [];
  private values: (V | undefined)[] = [];
  /** Slots below have been used. */
  private used = 0;
  private readonly freeSlots: number[] = [];
  private capacity = 0;
  private readonly policy: port.EvictionPolicy;
  // As of the policy, where they are two loads further away.
  private marks: Uint8Array = new Uint8Array(0);
  private readonly markMax: number;
  /** Held entries, in the order in which eviction met them. */
  private parked: SlotLru | null = null;
  private expiry: Expiry | null = null;
  private sizes: SlotSizes | null = null;
  private leases: (Lease<K, V> | undefined)[] | null = null;
  private readonly options: EntryTableOptions<K, V>;
  private readonly graveyard: Graveyard<K, V>;
  private readonly holds: Holds<K, V>;

  constructor(options: EntryTableOptions<K, V>) {
    this.options = options;
    this.max = options.max;
    this.maxBytes = options.maxBytes;
    this.graveyard = options.graveyard;
    this.holds = options.holds;
    this.policy = options.policy;
    this.markMax = options.policy.markMax;
    this.evicted = new EvictedKeys(options.policy.shadows);
    this.grow();
    if (options.ttlMs !== undefined) {
      this.expiry = this.createExpiry();
    }
  }

  /** How many could be evicted: all but the held ones that eviction has met. */
  get evictable(): number {
    return this.policy.length;
  }

  get(key: K): V | undefined {
    const slot = this.slots.get(key);
    if (slot === NO_SLOT || (this.expiry !== null && this.expireIfStale(slot))) {
      this.misses++;
      return undefined;
    }
    this.mark(slot);
    this.hits++;
    return this.values[slot];
  }

  /** The entry of `key`, stale or not, or {@link NO_SLOT}. One that is too stale to be kept is removed. */
  find(key: K): number {
    const slot = this.slots.get(key);
    if (slot === NO_SLOT) {
      return NO_SLOT;
    }
    if (this.expiry !== null && this.expiry.isGone(slot)) {
      this.expire(slot);
      return NO_SLOT;
    }
    return slot;
  }

  /** The entry of `key` if it is fresh, or {@link NO_SLOT}. */
  findFresh(key: K): number {
    const slot = this.slots.get(key);
    return slot === NO_SLOT || (this.expiry !== null && this.expireIfStale(slot)) ? NO_SLOT : slot;
  }

  /** As a `Map` has it: there is no -0. */
  keyAt(slot: number): K {
    const key = this.keys[slot] as K;
    return key === 0 ? (0 as K) : key;
  }

  valueAt(slot: number): V {
    return this.values[slot] as V;
  }

  /** Marks the entry as used, and counts a hit. */
  hit(slot: number): V {
    this.mark(slot);
    this.hits++;
    return this.values[slot] as V;
  }

  isStale(slot: number): boolean {
    return this.expiry !== null && this.expiry.isStale(slot);
  }

  remainingTtlMs(slot: number): number {
    return this.expiry === null ? Infinity : this.expiry.remainingMs(slot);
  }

  /** Stores a value that is no larger than `maxBytes`, and retires what it replaces. @returns its slot */
  store(key: K, value: V, size: number, ttlMs: number | undefined): number {
    return this.storeAt(this.slots.get(key), key, value, size, ttlMs);
  }

  /** As {@link store}, where the slot of `key` is known, or {@link NO_SLOT}. */
  storeAt(old: number, key: K, value: V, size: number, ttlMs: number | undefined): number {
    let slot: number;
    if (old === NO_SLOT) {
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

  /** A value is too large: retires it, and what has its key. */
  reject(key: K, value: V, size: number): void {
    this.rejected++;
    const slot = this.slots.get(key);
    if (slot !== NO_SLOT && this.values[slot] === value) {
      // It is one value, to be disposed of once.
      this.remove(slot, 'reject');
      return;
    }
    if (slot !== NO_SLOT) {
      this.remove(slot, 'set');
    }
    this.retireValue(key, value, size, 'reject');
  }

  /** Retires a value that came in vain, unless it is in the cache after all. */
  refuse(key: K, value: V, size: number): void {
    const slot = this.slots.get(key);
    if (slot === NO_SLOT || this.values[slot] !== value) {
      this.retireValue(key, value, size, 'reject');
    }
  }

  remove(slot: number, reason: DisposeReason): void {
    if (this.parked === null || !this.parked.del(slot)) {
      this.policy.remove(slot);
    }
    this.free(slot, reason);
  }

  expire(slot: number): void {
    this.expirations++;
    this.remove(slot, 'expire');
    if (this.ledger !== null) {
      this.ledger.trim();
    }
  }

  clear(): void {
    for (const slot of this.slots.slots()) {
      this.remove(slot, 'delete');
    }
    this.forgetEvicted();
  }

  /** Another value stands for each one from now on. */
  exchangeAll(exchange: (value: V, key: K) => V): void {
    for (const slot of this.slots.slots()) {
      const value = exchange(this.values[slot] as V, this.keyAt(slot));
      const lease = this.leases?.[slot];
      this.values[slot] = value;
      if (lease !== undefined) {
        lease.value = value;
      }
    }
  }

  /** Removes what is too stale to be kept. @returns how many */
  purge(): number {
    let purged = 0;
    if (this.expiry !== null) {
      for (const slot of this.slots.slots()) {
        if (this.expiry.isGone(slot)) {
          this.expire(slot);
          purged++;
        }
      }
    }
    return purged;
  }

  /**
   * A shrinker's walk over those that are next to go, up to the goal, if that is before its end.
   *
   * @returns how many were removed
   */
  walk(sc: { nrToScan: number; nrScanned: number }, goal: WalkGoal | null): number {
    const { policy } = this;
    const enough = goal === null ? -1 : this.weight() - goal.most;
    const fewEnough = goal === null ? -1 : this.weight() - goal.least;
    let removed = 0;
    let scanned = 0;
    for (; scanned < sc.nrToScan; scanned++) {
      const slot = policy.hand();
      if (slot === NO_SLOT) {
        break;
      }
      const weight = this.weight();
      if (weight <= fewEnough && weight - this.sizeAt(slot) - ENTRY_OVERHEAD < enough) {
        break;
      }
      if (this.expiry !== null && this.expiry.isGone(slot)) {
        this.expire(slot);
        removed++;
      } else if (this.isMarked(slot)) {
        policy.spare(slot);
      } else if (this.isHeld(slot)) {
        this.park(slot);
      } else {
        this.evictions++;
        policy.evict(slot, this.hashAt(slot));
        this.free(slot, 'evict');
        removed++;
      }
    }
    sc.nrScanned = scanned;
    return removed;
  }

  /** Forgets evicted keys, until as many entries as there are now were evicted. */
  forgetEvicted(): void {
    this.evicted.drop(this.turnover);
  }

  /** What `evictions` will be when as many entries as there are now were evicted. */
  get turnover(): number {
    return this.evictions + this.count + 1;
  }

  /** Bytes that the entries take more once the value is stored; less than 0 if it takes the place of a larger one. */
  growth(key: K, value: V, size: number): number {
    const slot = this.slots.get(key);
    if (slot === NO_SLOT) {
      return size + ENTRY_OVERHEAD;
    }
    // Somebody holds what it replaces, so that stays.
    const stays = this.values[slot] !== value && this.isHeld(slot);
    return stays || this.sizes === null ? size : size - this.sizes.get(slot);
  }

  /** Whether a value can be stored there, and the entries take no more bytes then. */
  fitsAt(slot: number, value: V, size: number): boolean {
    return this.sizes !== null && size <= this.sizes.get(slot) && (this.values[slot] === value || !this.isHeld(slot));
  }

  /** From now on sizes are kept, and count. */
  keepSizes(): void {
    this.sizes ??= new SlotSizes(this.capacity);
  }

  hold(slot: number, times: number): Lease<K, V> {
    const lease = this.leaseOf(slot);
    this.holds.hold(lease, times);
    return lease;
  }

  pin(slot: number): Lease<K, V> {
    const lease = this.leaseOf(slot);
    this.holds.pin(lease);
    return lease;
  }

  /** Pins the value if the key has it; null if not, or if nobody cares when it goes. */
  pinValue(key: K, value: V): Lease<K, V> | null {
    const slot = this.slots.get(key);
    return slot !== NO_SLOT && this.values[slot] === value && this.graveyard.wanted ? this.pin(slot) : null;
  }

  /** A hold ends. */
  letGo(lease: Lease<K, V>): void {
    if (this.holds.release(lease)) {
      this.endLease(lease);
    } else if (this.ledger !== null) {
      this.ledger.trim();
    }
  }

  unpin(lease: Lease<K, V>): void {
    if (this.holds.unpin(lease)) {
      this.endLease(lease);
    } else if (this.ledger !== null) {
      this.ledger.trim();
    }
  }

  /** Stores the value of a lease, which has left, again, under the key that it had. There is no entry of that key. */
  revive(lease: Lease<K, V>, size: number, ttlMs: number | undefined): number {
    const slot = this.store(lease.key as K, lease.value as V, size, ttlMs);
    this.allLeases()[slot] = lease;
    this.holds.revive(lease);
    return slot;
  }

  checkInvariants(): void {
    const { count, policy, parked } = this;
    policy.checkInvariants();
    assert(policy.marks === this.marks, 'The marks are those of another capacity');
    const listed = policy.length + (parked?.length ?? 0);
    assert(this.slots.size === count, () => `${this.slots.size} keys, and ${count} are counted`);
    assert(listed === count, () => `${count} entries, and ${listed} are with the policy, or parked`);
    assert(count + this.freeSlots.length === this.used, 'A slot is neither used nor free');
    assert(count <= this.max, 'The cache has too many entries');
    let bytes = 0;
    this.slots.checkInvariants();
    for (const slot of this.slots.slots()) {
      const isParked = parked?.has(slot) === true;
      const lease = this.leases?.[slot];
      bytes += this.sizes === null ? 0 : this.sizes.get(slot);
      assert(policy.has(slot) !== isParked, 'An entry is nowhere, or both parked and with the policy');
      assert(!isParked || lease !== undefined, 'An entry is parked, and nobody holds it');
      assert(this.slots.get(this.keys[slot] as K) === slot, 'A slot has another key');
      assert(
        lease === undefined || (lease.holds > 0 && lease.reason === null && lease.value === this.values[slot]),
        'A slot has a lease that is not its own',
      );
    }
    assert(same(bytes, this.bytes), () => `Entries have ${bytes} bytes, and ${this.bytes} are counted`);
    assert(this.bytes <= this.maxBytes || same(this.bytes, this.maxBytes), 'The cache has too many bytes');
    for (const slot of this.freeSlots) {
      assert(this.keys[slot] === undefined && this.values[slot] === undefined, 'A free slot holds something');
      assert(!policy.has(slot) && parked?.has(slot) !== true, 'A free slot is in a list');
      assert(this.leases?.[slot] === undefined, 'A free slot has a lease');
    }
  }

  private insert(key: K, value: V, size: number): number {
    if (this.sizes !== null) {
      this.makeRoom(size);
    }
    const slot = this.count < this.max ? this.insertInNew(key) : this.insertInVictim(key);
    this.slots.set(key, slot);
    this.keys[slot] = key;
    this.values[slot] = value;
    if (this.sizes !== null) {
      this.sizes.set(slot, size);
      this.bytes += size;
    }
    return slot;
  }

  private insertInNew(key: K): number {
    const slot = this.freeSlots.pop() ?? this.newSlot();
    this.count++;
    this.marks[slot] = 0;
    this.policy.insert(slot, this.evicted.hashOf(key, slot));
    return slot;
  }

  /** The victim's slot is used again. */
  private insertInVictim(key: K): number {
    let slot = this.victim();
    if (slot === NO_SLOT) {
      slot = this.unparkVictim();
      this.vacate(slot, 'evict');
      this.marks[slot] = 0;
      this.policy.insert(slot, this.evicted.hashOf(key, slot));
    } else {
      this.marks[slot] = 0;
      const oldHash = this.hashAt(slot);
      this.policy.replace(slot, oldHash, this.evicted.hashOf(key, slot));
      this.vacate(slot, 'evict');
    }
    return slot;
  }

  private replace(slot: number, value: V, size: number): void {
    if (this.values[slot] !== value) {
      this.retire(slot, 'set');
      this.unpark(slot);
      this.values[slot] = value;
    }
    this.mark(slot);
    if (this.sizes !== null) {
      this.bytes += size - this.sizes.get(slot);
      this.sizes.set(slot, size);
      if (this.bytes > this.maxBytes) {
        this.makeRoomBeside(slot);
      }
    }
  }

  private makeRoom(size: number): void {
    while (this.bytes + size > this.maxBytes && this.count > 0) {
      const slot = this.evictOne();
      this.free(slot, 'evict');
    }
  }

  /** As {@link makeRoom}, for an entry that has grown, and is no larger than the limit by itself. */
  private makeRoomBeside(slot: number): void {
    const { parked, policy } = this;
    const wasParked = parked !== null && parked.del(slot);
    if (!wasParked) {
      policy.remove(slot);
    }
    while (this.bytes > this.maxBytes && this.count > 1) {
      this.free(this.evictOne(), 'evict');
    }
    if (wasParked) {
      parked.add(slot);
    } else {
      policy.insert(slot, this.hashAt(slot));
    }
  }

  /** Takes the entry out that is to go, and leaves it in its slot. There must be one. */
  private evictOne(): number {
    const slot = this.victim();
    if (slot === NO_SLOT) {
      return this.unparkVictim();
    }
    this.policy.evict(slot, this.hashAt(slot));
    return slot;
  }

  /**
   * The entry that is to go, in the policy's hand: the first there that is not marked, nor held. {@link NO_SLOT} if there
   * are none but held ones, which are parked now. Counts an eviction.
   */
  private victim(): number {
    const { policy } = this;
    if (this.evicted.isDue(this.evictions) && this.ledger === null) {
      this.evicted.allocate();
    }
    this.evictions++;
    for (let looks = 0; ; looks++) {
      const slot = policy.hand();
      if (slot === NO_SLOT) {
        return NO_SLOT;
      }
      if (this.isMarked(slot) && this.isPatient(looks)) {
        policy.spare(slot);
      } else if (this.isHeld(slot)) {
        this.park(slot);
      } else {
        return slot;
      }
    }
  }

  /** A policy that is asked so often and has nothing is not worth a hang. */
  private isPatient(looks: number): boolean {
    return looks < 3 * (this.markMax + 2) * (this.count + 1);
  }

  /** Of the held entries, the one that eviction met first. Its value stays until it is let go. */
  private unparkVictim(): number {
    const { policy, parked } = this;
    if (parked === null || parked.length === 0) {
      throw new TypeError(
        `Cannot evict: policy "${policy.name}" has ${policy.length} entries, and none in its hand; see EvictionPolicy for what is asked of one`,
      );
    }
    const slot = parked.head();
    parked.del(slot);
    return slot;
  }

  private mark(slot: number): void {
    const mark = this.marks[slot] as number;
    if (mark < this.markMax) {
      this.marks[slot] = mark + 1;
    } else if (mark === WATCHED) {
      this.policy.touch(slot);
    }
  }

  private isMarked(slot: number): boolean {
    const mark = this.marks[slot] as number;
    return mark !== 0 && mark !== WATCHED;
  }

  private hashAt(slot: number): number {
    return this.evicted.hashAt(slot, this.keys[slot]);
  }

  private sizeAt(slot: number): number {
    return this.sizes === null ? 0 : this.sizes.get(slot);
  }

  private weight(): number {
    return this.bytes + this.count * ENTRY_OVERHEAD;
  }

  private isHeld(slot: number): boolean {
    return this.leases !== null && this.leases[slot] !== undefined;
  }

  private park(slot: number): void {
    this.parked ??= new SlotLru(this.capacity);
    this.policy.remove(slot);
    // It is not watched where it goes; its uses are counted.
    this.marks[slot] = 0;
    this.parked.add(slot);
  }

  private unpark(slot: number): void {
    if (this.parked !== null && this.parked.del(slot)) {
      this.policy.insert(slot, this.hashAt(slot));
    }
  }

  /** Takes an entry out that the policy has no more. */
  private free(slot: number, reason: DisposeReason): void {
    this.vacate(slot, reason);
    this.keys[slot] = undefined;
    this.values[slot] = undefined;
    this.freeSlots.push(slot);
    this.count--;
    if (this.count === 0) {
      // Sizes that are fractions would leave something.
      this.bytes = 0;
    }
  }

  /** Takes key and value out of a slot, without freeing it. */
  private vacate(slot: number, reason: DisposeReason): void {
    this.slots.delete(this.keys[slot] as K);
    this.retire(slot, reason);
    if (this.sizes !== null) {
      this.bytes -= this.sizes.get(slot);
      this.sizes.clear(slot);
    }
  }

  /** Lets go of the value in a slot: to whoever holds it, to the graveyard, or to the garbage collector. */
  private retire(slot: number, reason: DisposeReason): void {
    if (this.leases !== null) {
      const lease = this.leases[slot];
      if (lease !== undefined) {
        this.leases[slot] = undefined;
        this.holds.leave(lease, this.sizes === null ? 0 : this.sizes.get(slot), reason);
        return;
      }
    }
    if (this.graveyard.wanted) {
      const size = this.sizes === null ? 0 : this.sizes.get(slot);
      this.graveyard.retire(this.keys[slot] as K, this.values[slot] as V, size, reason);
    }
  }

  private retireValue(key: K, value: V, size: number, reason: DisposeReason): void {
    if (this.graveyard.wanted) {
      this.graveyard.retire(key, value, size, reason);
    }
  }

  /** @returns whether the entry is stale; if it is not even kept, it is removed */
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

  private leaseOf(slot: number): Lease<K, V> {
    const leases = this.allLeases();
    let lease = leases[slot];
    if (lease === undefined) {
      lease = this.holds.lease(this.keys[slot] as K, this.values[slot] as V);
      leases[slot] = lease;
    }
    return lease;
  }

  /** Nobody holds the value any more, which is in the cache. */
  private endLease(lease: Lease<K, V>): void {
    const slot = this.slots.get(lease.key as K);
    this.allLeases()[slot] = undefined;
    this.holds.forget(lease);
    this.unpark(slot);
  }

  private allLeases(): (Lease<K, V> | undefined)[] {
    // As long as there are slots: an array with far-off indices would become a dictionary.
    this.leases ??= Array.from({ length: this.capacity }, () => undefined);
    return this.leases;
  }

  private newSlot(): number {
    if (this.used === this.capacity) {
      this.grow();
    }
    return this.used++;
  }

  private grow(): void {
    const factor = this.capacity < LARGE_CAPACITY ? 2 : 1.5;
    this.capacity = Math.min(Math.max(Math.ceil(this.capacity * factor), FIRST_CAPACITY), this.max);
    this.keys = lengthened(this.keys, this.capacity);
    this.values = lengthened(this.values, this.capacity);
    this.slots.grow(this.capacity, this.keys);
    this.evicted.grow(this.capacity, this.evictions);
    this.policy.grow(this.capacity);
    this.marks = this.policy.marks;
    this.parked?.grow(this.capacity);
    this.expiry?.grow(this.capacity);
    if (this.sizes !== null) {
      this.sizes.grow(this.capacity);
    }
    while (this.leases !== null && this.leases.length < this.capacity) {
      this.leases.push(undefined);
    }
  }

  private createExpiry(): Expiry {
    const { clock, graceMs } = this.options;
    return new Expiry(this.capacity, clock, graceMs);
  }
}

/** `list`, in an array of that length, whose elements may be anything. */
function lengthened<T>(list: readonly (T | undefined)[], length: number): (T | undefined)[] {
  return Array.from({ length }, (_, at) => list[at]);
}

/** Whole numbers add up exactly; fractions do not. */
function same(a: number, b: number): boolean {
  return Number.isInteger(a) && Number.isInteger(b) ? a === b : Math.abs(a - b) < 1e-6 * Math.max(1, a, b);
}
