import type { SlotLru } from './slot-lru.js';

/** No slot: what `head()` says of an empty list, and `next()` of the last slot. */
export const NO_SLOT = -1;

/** The tag of a slot that is on no list. */
export const ON_NO_LIST = 0;

const CAPACITY_MAX = 2 ** 30;
const BYTE_MAX = 255;

/**
 * The links of the slots 0 to `capacity` - 1, for one {@link SlotLru} or for several that share the slots.
 *
 * A slot is on one list at most. 9 bytes a slot, and 12 with more than 255 lists.
 */
export class SlotLinks {
  // `declare`: a field that is first defined as undefined, and then assigned, is checked at each use ever after.
  /** @internal Valid only while the slot is on a list, as `next`. */
  declare prev: Int32Array;
  /** @internal */
  declare next: Int32Array;
  /** @internal Which list the slot is on, by its id, or {@link ON_NO_LIST}. */
  declare owner: Uint8Array | Int32Array;
  /** @internal The list with id n is at n - 1. */
  readonly lists: SlotLru[] = [];

  /** @throws {RangeError} when `capacity` is not an integer from 0 to 2^30 */
  constructor(capacity = 0) {
    checkCapacity(capacity);
    this.prev = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    // Bytes as long as they do: beyond the processor's caches each line that an operation touches counts.
    this.owner = new Uint8Array(capacity);
  }

  /** @internal Makes the list known, and returns its id. */
  attach(list: SlotLru): number {
    const id = this.lists.push(list);
    if (id > BYTE_MAX && this.owner instanceof Uint8Array) {
      this.owner = new Int32Array(this.owner);
    }
    return id;
  }

  get capacity(): number {
    return this.owner.length;
  }

  /**
   * Makes room for the slots up to `capacity` - 1; a smaller capacity than now changes nothing. O(capacity).
   *
   * @throws {RangeError} when `capacity` is not an integer from 0 to 2^30
   */
  grow(capacity: number): void {
    checkCapacity(capacity);
    if (capacity > this.owner.length) {
      this.prev = enlarged(this.prev, new Int32Array(capacity));
      this.next = enlarged(this.next, new Int32Array(capacity));
      this.owner =
        this.owner instanceof Uint8Array
          ? enlarged(this.owner, new Uint8Array(capacity))
          : enlarged(this.owner, new Int32Array(capacity));
    }
  }

  /** The list that the slot is on, or null. O(1). */
  listOf(slot: number): SlotLru | null {
    const owner = this.owner[slot];
    return owner === undefined || owner === ON_NO_LIST ? null : (this.lists[owner - 1] as SlotLru);
  }
}

function checkCapacity(capacity: number): void {
  if (!Number.isInteger(capacity) || capacity < 0 || capacity > CAPACITY_MAX) {
    throw new RangeError(`Cannot make room for ${String(capacity)} slots: give an integer from 0 to 2^30`);
  }
}

function enlarged<A extends Uint8Array | Int32Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}
