import { assert } from '@core/base';
import { SlotLru } from '@core/list-lru';
import { enlarged } from '../internal/enlarged.js';
import type { EvictionPolicy } from './eviction-policy.js';

/**
 * A referenced bit: the oldest entry goes, unless it was used since it was last looked at.
 *
 * The plainest and fastest; a scan still empties it. 10 bytes an entry.
 *
 * @see fs/dcache.c, dentry_lru_isolate()
 */
export class SecondChance implements EvictionPolicy {
  readonly name = 'second-chance';
  readonly markMax = 1;
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
    this.order.add(slot);
  }

  remove(slot: number): void {
    this.order.del(slot);
  }

  hand(): number {
    return this.order.head();
  }

  spare(slot: number): void {
    this.marks[slot] = 0;
    this.order.moveToTail(slot);
  }

  evict(slot: number): void {
    this.order.del(slot);
  }

  replace(slot: number): void {
    this.order.moveToTail(slot);
  }

  touch(): void {}

  checkInvariants(): void {
    for (const slot of this.order) {
      assert((this.marks[slot] as number) <= this.markMax, 'A mark is above its maximum');
    }
  }
}
