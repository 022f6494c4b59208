import { assert, type Clock, type Scheduler } from '@core/base';
import type { RcuFlavor } from '@core/rcu';
import { RcuPending } from '@core/rcu-pending';
import type { MemoryGroup, Zone } from '@core/shrinker';
import { CachedKey, NO_VALUE } from './cached-key.js';
import { GroupLedger } from './group-ledger.js';

/** A cached key without the bytes of key and value: object, heads of string and array, place in the table; measured. */
export const KEY_BYTES = 384;
/** Keys whose values have at most so much room wait apart from others, and are taken for small values first. */
const PAGE = 4096;
const MIN_ROOM = 16;
/** A value moves to a smaller array if its own is so many times what it would get. */
const WASTEFUL = 4;
/** Keys kept for reuse after their readers have gone: a share of those in use, within these. */
const SPARE_SHARE = 8;
const MIN_SPARES = 128;
const MAX_SPARES = 4096;

/** Who can make room. */
export interface Evictor {
  readonly count: number;
  /** Evicts a few clean keys that were not used lately, into {@link Allocator.retire}. @returns how many */
  evict(): number;
  /** Takes the first clean key out of the table, used or not, for another one; poisoned. Null: there is none. */
  steal(): CachedKey | null;
}

export interface AllocatorOptions {
  readonly maxBytes: number;
  readonly group: MemoryGroup | null;
  readonly zone: Zone;
  readonly rcu: RcuFlavor;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly evictor: Evictor;
}

/**
 * Where cached keys come from, and go. What was evicted may be taken for another key at once: readers that still know
 * it compare the key before they look at the value. So a reader that stays for long costs no memory.
 *
 * All bytes count for `maxBytes`: keys in use, keys that wait for readers, and keys kept for reuse.
 */
export class Allocator {
  /** Bytes of all keys that there are. */
  used = 0;
  fromPending = 0;
  recycled = 0;
  fresh = 0;
  stolen = 0;
  readonly ledger: GroupLedger | null;
  private readonly maxBytes: number;
  private readonly evictor: Evictor;
  private readonly small: RcuPending<CachedKey>;
  private readonly large: RcuPending<CachedKey>;
  private readonly spares: CachedKey[] = [];
  private closed = false;

  constructor(options: AllocatorOptions) {
    this.maxBytes = options.maxBytes;
    this.evictor = options.evictor;
    const { rcu, clock, scheduler } = options;
    const pending = (): RcuPending<CachedKey> =>
      new RcuPending<CachedKey>({ rcu, clock, scheduler, sizeOf: bytesOf, process: (key) => this.keep(key) });
    this.small = pending();
    this.large = pending();
    this.ledger =
      options.group === null ? null : new GroupLedger(options.group, options.zone, () => this.used - this.pendingBytes);
  }

  get pending(): number {
    return this.small.count + this.large.count;
  }

  get pendingBytes(): number {
    return this.small.bytes + this.large.bytes;
  }

  /**
   * A locked key for the table, whose value is not known; or null: there is no room, and nothing clean to evict.
   *
   * From those that wait for readers, else fresh, else by evicting, else the first one that is clean.
   *
   * @param valueBytes expected
   */
  take(key: string, valueBytes: number): CachedKey | null {
    const taken = this.find(key.length, roomFor(valueBytes));
    if (taken === null) {
      return null;
    }
    taken.locked = true;
    if (!this.covers(key.length)) {
      this.discard(taken);
      return null;
    }
    taken.key = key;
    this.used += key.length;
    return taken;
  }

  /** Makes sure that a value of so many bytes fits into the array of the key. @returns false when there is no room */
  grow(key: CachedKey, valueBytes: number): boolean {
    const room = roomFor(valueBytes);
    const { byteLength } = key.value;
    // What is there must stay until it is replaced: the journal may still refuse the new value.
    if (valueBytes <= byteLength && (byteLength <= WASTEFUL * room || key.length > room)) {
      return true;
    }
    if (!this.covers(room - byteLength)) {
      return false;
    }
    const value = new Uint8Array(room);
    key.copyTo(value, 0);
    key.value = value;
    this.used += room - byteLength;
    return true;
  }

  /** A key that was taken out of the table loses its name: readers that still know it see that it is another. */
  poison(key: CachedKey): void {
    this.used -= key.key.length;
    key.length = NO_VALUE;
    key.poison();
  }

  /** Lets a poisoned key wait for readers that still know it. */
  retire(key: CachedKey): void {
    (key.value.byteLength > PAGE ? this.large : this.small).enqueue(key);
  }

  /** Lets go of what is kept for reuse. @returns how many */
  dropSpares(): number {
    const { length } = this.spares;
    while (this.dropSpare()) {
      // Until none is left.
    }
    return length;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.small.exit();
    await this.large.exit();
    this.dropSpares();
    this.ledger?.drain();
  }

  checkInvariants(keys: Iterable<CachedKey>): void {
    let bytes = this.pendingBytes;
    for (const key of this.spares) {
      assert(key.key === '' && key.space === null && !key.locked, 'A key that is kept for reuse is in use');
      bytes += bytesOf(key);
    }
    for (const key of keys) {
      bytes += bytesOf(key);
    }
    assert(bytes === this.used, () => `Keys take ${bytes} bytes, and ${this.used} are counted`);
    assert(this.used <= this.maxBytes, () => `Keys take ${this.used} bytes, and there may be ${this.maxBytes}`);
    this.small.checkInvariants();
    this.large.checkInvariants();
    this.ledger?.checkInvariants();
  }

  private find(keyBytes: number, room: number): CachedKey | null {
    const large = room > PAGE;
    const first = large ? this.large : this.small;
    const second = large ? this.small : this.large;
    let key = first.dequeue();
    if (key !== undefined) {
      this.fromPending++;
      return key;
    }
    key = this.spares.pop();
    if (key !== undefined) {
      this.recycled++;
      return key;
    }
    // A fresh one only if its value has room as well: else another one would be evicted for that, and let go of.
    const fits = this.used + Math.max(KEY_BYTES + keyBytes + room, this.meanBytes) <= this.maxBytes;
    if (fits && (this.ledger?.reserve(KEY_BYTES + keyBytes) ?? true)) {
      this.fresh++;
      this.used += KEY_BYTES;
      return new CachedKey();
    }
    key = second.dequeueFromAll();
    if (key === undefined && this.evictor.evict() > 0) {
      key = first.dequeue() ?? second.dequeue();
    }
    if (key !== undefined) {
      this.fromPending++;
      return key;
    }
    const stolen = this.evictor.steal();
    this.stolen += stolen === null ? 0 : 1;
    return stolen;
  }

  private get meanBytes(): number {
    const { count } = this.evictor;
    return count === 0 ? 0 : (this.used - this.pendingBytes) / count;
  }

  /** Makes room for so many bytes more, and has charged what is in use with them. */
  private covers(bytes: number): boolean {
    while (this.used + bytes > this.maxBytes) {
      if (!this.dropSpare() && !this.dropPending() && this.evictor.evict() === 0 && !this.dropStolen()) {
        return false;
      }
    }
    const { ledger } = this;
    if (ledger === null) {
      return true;
    }
    while (!ledger.reserve(bytes)) {
      if (!this.dropSpare() && this.evictor.evict() === 0 && !this.dropStolen()) {
        return false;
      }
    }
    return true;
  }

  private dropSpare(): boolean {
    const key = this.spares.pop();
    if (key !== undefined) {
      this.discard(key);
    }
    return key !== undefined;
  }

  private dropPending(): boolean {
    const key = this.large.dequeue() ?? this.small.dequeue();
    if (key !== undefined) {
      this.discard(key);
    }
    return key !== undefined;
  }

  private dropStolen(): boolean {
    const key = this.evictor.steal();
    if (key !== null) {
      this.discard(key);
    }
    return key !== null;
  }

  /** Its readers have gone. */
  private keep(key: CachedKey): void {
    const most = Math.min(MAX_SPARES, Math.max(MIN_SPARES, Math.floor(this.evictor.count / SPARE_SHARE)));
    const charged = this.ledger === null || this.ledger.charged >= this.used - this.pendingBytes;
    if (this.closed || !charged || this.spares.length >= most) {
      this.discard(key);
    } else {
      this.spares.push(key);
    }
  }

  /** To the garbage collector. */
  private discard(key: CachedKey): void {
    this.used -= bytesOf(key);
    key.locked = false;
    key.strip();
    this.ledger?.trim();
  }
}

/** Bytes that a key takes with all that it has. */
export function bytesOf(key: CachedKey): number {
  return KEY_BYTES + key.key.length + key.value.byteLength;
}

/** Bytes of the array for a value: half as much again as it needs, and then the next power of two. */
export function roomFor(valueBytes: number): number {
  let room = MIN_ROOM;
  while (room < valueBytes * 1.5) {
    room *= 2;
  }
  return room;
}
