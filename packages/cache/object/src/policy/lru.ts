import { assert } from '@core/base';
import { SlotLru } from '@core/list-lru';
import { enlarged } from '../internal/enlarged.js';
import { type EvictionPolicy, WATCHED } from './eviction-policy.js';

/**
 * The entry goes whose last use is longest ago, exactly: each use moves an entry in the list.
 *
 * For those who need that order. 10 bytes an entry.
 */
export class Lru implements EvictionPolicy {
  readonly name = 'lru';
  readonly markMax = 0;
  readonly shadows = null;
  marks: Uint8Array = new Uint8Array(0);
  private readonly order: SlotLru = new SlotLru();

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
    this.marks[slot] = WATCHED;
    this.order.add(slot);
  }

  remove(slot: number): void {
    this.order.del(slot);
  }

  hand(): number {
    return this.order.head();
  }

  spare(slot: number): void {
    this.order.moveToTail(slot);
  }

  evict(slot: number): void {
    this.order.del(slot);
  }

  replace(slot: number): void {
    this.marks[slot] = WATCHED;
    this.order.moveToTail(slot);
  }

  touch(slot: number): void {
    this.order.moveToTail(slot);
  }

  /** The slots from the one that goes next on. No change is allowed meanwhile, but of the slot in hand. */
  slots(): IterableIterator<number> {
    return this.order[Symbol.iterator]();
  }

  /** The same the other way round. */
  reversed(): IterableIterator<number> {
    return this.order.reversed();
  }

  checkInvariants(): void {
    for (const slot of this.order) {
      assert(this.marks[slot] === WATCHED, 'A use would not be told');
    }
  }
}
