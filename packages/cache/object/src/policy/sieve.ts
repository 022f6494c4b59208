import { assert } from '@core/base';
import { NO_SLOT, SlotLru } from '@core/list-lru';
import { enlarged } from '../internal/enlarged.js';
import type { EvictionPolicy } from './eviction-policy.js';

/**
 * A referenced bit, and a hand that goes from the oldest to the newest and round again, while entries stay where they
 * are: so new ones that nobody uses go soon, and old ones that are used stay.
 *
 * Good on skewed traffic. Very bad where each key is used a second time a little later, and then never. 10 bytes an
 * entry.
 *
 * @see Zhang et al., SIEVE is simpler than LRU, NSDI 2024
 */
export class Sieve implements EvictionPolicy {
  readonly name = 'sieve';
  readonly markMax = 1;
  readonly shadows = null;
  marks: Uint8Array = new Uint8Array(0);
  private readonly order: SlotLru = new SlotLru();
  /** Where the hand is, or NO_SLOT for the oldest. */
  private at: number = NO_SLOT;

  get length(): number {
    return this.order.length;
  }

  grow(capacity: number): void {
    this.marks = enlarged(this.marks, new Uint8Array(capacity));
    this.order.grow(capacity);
  }

  has(slot: number): boolean {
    return this.order.has(slot);
  }

  insert(slot: number): void {
    this.order.add(slot);
  }

  remove(slot: number): void {
    if (slot === this.at) {
      this.at = this.order.next(slot);
    }
    this.order.del(slot);
  }

  hand(): number {
    return this.at === NO_SLOT ? this.order.head() : this.at;
  }

  spare(slot: number): void {
    this.marks[slot] = 0;
    this.at = this.order.next(slot);
  }

  evict(slot: number): void {
    this.at = this.order.next(slot);
    this.order.del(slot);
  }

  replace(slot: number): void {
    this.evict(slot);
    this.insert(slot);
  }

  touch(): void {}

  checkInvariants(): void {
    assert(this.at === NO_SLOT || this.order.has(this.at), 'The hand is at an entry that has left');
    for (const slot of this.order) {
      assert((this.marks[slot] as number) <= this.markMax, 'A mark is above its maximum');
    }
  }
}
