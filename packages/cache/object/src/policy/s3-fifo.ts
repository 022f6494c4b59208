import { assert } from '@core/base';
import { SlotLinks, SlotLru } from '@core/list-lru';
import { enlarged } from '../internal/enlarged.js';
import type { EvictionPolicy } from './eviction-policy.js';
import { NO_SHADOW, Shadows } from './shadows.js';

/** The share of the entries that the first queue may have. */
const SMALL_SHARE = 0.1;
/** Uses in the first queue that lead to the second; with fewer, the entry goes. */
const PROMOTE_AT = 2;

/**
 * S3-FIFO: new entries pass through a small queue, and only those that were used there twice, or that come back soon
 * after they went, get into the main one.
 *
 * Good on skewed traffic and against scans. Its small queue is a tenth whatever the traffic is, so that what is used
 * again a little later than that is lost. 10 bytes an entry, and 14 to 24 for shadows.
 *
 * @see Yang et al., FIFO queues are all you need for cache eviction, SOSP 2023
 */
export class S3Fifo implements EvictionPolicy {
  readonly name = 's3-fifo';
  readonly markMax = 3;
  readonly shadows: Shadows = new Shadows();
  marks: Uint8Array = new Uint8Array(0);
  private readonly links: SlotLinks = new SlotLinks();
  private readonly small: SlotLru = new SlotLru(this.links);
  private readonly main: SlotLru = new SlotLru(this.links);

  get length(): number {
    return this.small.length + this.main.length;
  }

  grow(capacity: number): void {
    this.marks = enlarged(this.marks, new Uint8Array(capacity));
    this.links.grow(capacity);
  }

  has(slot: number): boolean {
    return this.small.has(slot) || this.main.has(slot);
  }

  insert(slot: number, hash: number): void {
    const shadow = this.shadows.take(hash);
    // A distance that the main queue could have bridged.
    const refaults = shadow !== NO_SHADOW && shadow >> 1 <= this.length - this.smallTarget();
    (refaults ? this.main : this.small).add(slot);
  }

  remove(slot: number): void {
    if (!this.small.del(slot)) {
      this.main.del(slot);
    }
  }

  hand(): number {
    const { small, main, marks } = this;
    if (small.length === 0 || (main.length > 0 && small.length < this.smallTarget())) {
      return main.head();
    }
    const slot = small.head();
    if ((marks[slot] as number) < PROMOTE_AT) {
      marks[slot] = 0;
    }
    return slot;
  }

  spare(slot: number): void {
    const { small, main, marks } = this;
    if (small.del(slot)) {
      marks[slot] = 0;
      main.add(slot);
    } else {
      (marks[slot] as number)--;
      main.moveToTail(slot);
    }
  }

  evict(slot: number, hash: number): void {
    if (this.small.del(slot)) {
      this.shadows.add(0, hash);
    } else {
      this.main.del(slot);
    }
  }

  replace(slot: number, oldHash: number, hash: number): void {
    this.evict(slot, oldHash);
    this.insert(slot, hash);
  }

  touch(): void {}

  checkInvariants(): void {
    this.shadows.checkInvariants();
    for (const list of [this.small, this.main]) {
      for (const slot of list) {
        assert((this.marks[slot] as number) <= this.markMax, 'A mark is above its maximum');
      }
    }
  }

  private smallTarget(): number {
    return Math.max(1, Math.floor(this.length * SMALL_SHARE));
  }
}
