import type { MajorCollection } from '../heap-source.js';

/** Live bytes for each byte charged, before anything was measured, and what it may come to. */
const FACTOR = 1;
const FACTOR_MIN = 0.5;
const FACTOR_MAX = 8;
/** How much of what was measured is believed: much when more memory goes than was thought, little when less does. */
const BELIEF_UP = 0.7;
const BELIEF_DOWN = 0.2;
/** Smaller changes of what is charged say nothing about the factor. */
const TELLING_BYTES = 2 ** 20;
/** Waste that is less than this share of the limit is the normal state of a heap. */
const WASTE_SHARE = 0.05;
/** A heap that is smaller than this share of the limit has pages that are not full yet. */
const TELLING_SHARE = 0.25;

/**
 * How much of the old generation is alive: what was after the last major collection, and since then what the caches
 * have charged, times a factor that is measured at each collection.
 *
 * The used heap does not say that: most of it may be garbage that the collector has not met. So what a cache has
 * evicted counts as gone at once, and nobody asks for it twice.
 */
export class HeapModel {
  /** Live bytes for each byte charged. */
  factor: number = FACTOR;
  /** Major collections that were seen. */
  collections = 0;
  /** Bytes that no object could have if the heap were full, since they lie between others. */
  wastedBytes = 0;
  #live: number;
  #charged: number;
  #surprise = 0;
  #lastSeen = 0;
  #shrunk = false;

  /** @param live bytes on the heap now: more than are alive, until the first collection says better */
  constructor(live: number, charged: number) {
    this.#live = live;
    this.#charged = charged;
  }

  /** What was alive after the last major collection. */
  get liveAtLast(): number {
    return this.#live;
  }

  /** What is alive now, when so much is charged, and so much is on the heap in all. */
  live(charged: number, used: number): number {
    return Math.min(this.expected(charged), used);
  }

  /** As {@link live}, without a bound from above. */
  expected(charged: number): number {
    return Math.max(0, this.#live + this.factor * (charged - this.#charged));
  }

  /** By how much more than expected collections have left, in sum, since the last call. */
  takeSurprise(): number {
    const surprise = this.#surprise;
    this.#surprise = 0;
    return surprise;
  }

  /** So much is charged now: to be told often. */
  see(charged: number): void {
    this.#shrunk ||= charged < this.#lastSeen;
    this.#lastSeen = charged;
  }

  /** A major collection has ended, at about the time when so much was charged. */
  collected(collection: MajorCollection, charged: number, limitBytes: number): void {
    const { liveBytes } = collection;
    const change = charged - this.#charged;
    this.#surprise += this.collections === 0 ? 0 : liveBytes - this.expected(charged);
    if (this.collections > 0 && Math.abs(change) >= TELLING_BYTES) {
      const measured = Math.min(FACTOR_MAX, Math.max(FACTOR_MIN, (liveBytes - this.#live) / change));
      this.factor += (measured > this.factor ? BELIEF_UP : BELIEF_DOWN) * (measured - this.factor);
    } else if (this.collections === 0 && change >= TELLING_BYTES) {
      // Before the first collection there was garbage in what was taken for alive: only more than that tells.
      const measured = Math.min(FACTOR_MAX, (liveBytes - this.#live) / change);
      this.factor = Math.max(this.factor, measured);
    }
    this.collections++;
    this.#live = liveBytes;
    this.#charged = charged;
    const { wastedBytes, committedBytes = liveBytes + wastedBytes } = collection;
    // Only of a heap that has done nothing but grow: where anything was evicted, free space may wait to be swept.
    if (!this.#shrunk && change >= TELLING_BYTES && committedBytes >= TELLING_SHARE * limitBytes) {
      const share = wastedBytes / committedBytes;
      this.wastedBytes = share > WASTE_SHARE ? share * limitBytes : 0;
    }
    this.#shrunk = false;
  }
}
