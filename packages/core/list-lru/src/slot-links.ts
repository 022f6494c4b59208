import type { SlotLru } from './slot-lru.js';

/** No slot: what `head()` says of an empty list, and `next()` of the last slot. */
export const NO_SLOT = -1;

/** The tag of a slot that is on no list. */
export const ON_NO_LIST = 0;

const CAPACITY_MAX = 2 ** 30;

/**
 * The links of the slots 0 to `capacity` - 1, for one {@link SlotLru} or for several that share the slots.
 *
 * A slot is on one list at most. 12 bytes a slot.
 */
export class SlotLinks {
  // `declare`: a field that is first defined as undefined, and then assigned, is checked at each use ever after.
  /** @internal Valid only while the slot is on a list, as `next`. */
  declare prev: Int32Array;
  /** @internal */
  declare next: Int32Array;
  /** @internal Which list the slot is on, by its id, or {@link ON_NO_LIST}. */
  declare owner: Int32Array;
  /** @internal The list with id n is at n - 1. */
  readonly lists: SlotLru[] = [];

  /** @throws {RangeError} when `capacity` is not an integer from 0 to 2^30 */
  constructor(capacity = 0) {
    checkCapacity(capacity);
    this.prev = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.owner = new Int32Array(capacity);
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
      this.prev = enlarged(this.prev, capacity);
      this.next = enlarged(this.next, capacity);
      this.owner = enlarged(this.owner, capacity);
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

function enlarged(old: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity);
  larger.set(old);
  return larger;
}
