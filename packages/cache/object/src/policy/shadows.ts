import { assert } from '@core/base';

/** Words to a bucket: half a cache line. */
const WAYS = 8;
/** Words for each key that is to be remembered: with fewer, full buckets forget too many too early. */
const WORDS_PER_KEY = 1.5;
// A word: a fingerprint of the key, the list it was evicted from, and when, in units of that list's evictions.
const STAMP_BITS = 13;
const STAMP_MASK = 2 ** STAMP_BITS - 1;
const FINGERPRINT_SHIFT = STAMP_BITS + 1;
/** Units in the longest distance that matters: the others tell old from new as long as the old ones are still there. */
const UNITS = 2 ** (STAMP_BITS - 2);
/** What {@link Shadows.take} says of a key that is not remembered. */
export const NO_SHADOW = -1;

/**
 * Shadows of keys that were evicted from one of two lists: who comes back, from which, and how far it has been.
 *
 * A shadow is one word of 32 bits, in a table of buckets: no key or value is kept alive. As in the kernel, what counts
 * is the refault distance, so nothing is listed and nothing has to be forgotten: old words are overwritten. A full
 * bucket loses its oldest. A key in 30,000 is taken for another one.
 *
 * Nothing is remembered before {@link allocate}, or after {@link drop}.
 *
 * @see Linux mm/workingset.c
 */
export class Shadows {
  /** Keys that there is room for; 0 when nothing is remembered. */
  capacity = 0;
  // Signed: unsigned words above 2^31 would be read as doubles.
  private words: Int32Array = EMPTY;
  private buckets = 0;
  private shift = 0;
  private clockMask = 0;
  /** Evictions from each list, as far as the clock goes before it starts over. */
  private readonly clocks: [number, number] = [0, 0];

  get bytes(): number {
    return this.words.byteLength;
  }

  /** Makes room for so many keys, and forgets all. */
  allocate(capacity: number): void {
    this.capacity = capacity;
    this.buckets = Math.ceil((capacity * WORDS_PER_KEY) / WAYS);
    this.words = new Int32Array(this.buckets * WAYS);
    this.shift = Math.max(0, Math.ceil(Math.log2((2 * capacity) / UNITS)));
    this.clockMask = 2 ** (STAMP_BITS + this.shift) - 1;
    this.clocks[0] = 0;
    this.clocks[1] = 0;
  }

  /** Forgets all, and gives the memory back. */
  drop(): void {
    this.capacity = 0;
    this.words = EMPTY;
    this.buckets = 0;
  }

  /** Bytes that {@link allocate} takes for so many keys. */
  static bytesFor(capacity: number): number {
    return Math.ceil((capacity * WORDS_PER_KEY) / WAYS) * WAYS * Int32Array.BYTES_PER_ELEMENT;
  }

  /** Remembers a key that was evicted from `list`. A hash of 0 is no key's. */
  add(list: 0 | 1, hash: number): void {
    const { words, buckets, clocks, shift } = this;
    if (buckets === 0 || hash === 0) {
      return;
    }
    clocks[list] = (clocks[list] + 1) & this.clockMask;
    const now0 = clocks[0] >>> shift;
    const now1 = clocks[1] >>> shift;
    const start = bucketOf(hash, buckets);
    let oldest = start;
    let oldestAge = -1;
    for (let at = start; at < start + WAYS; at++) {
      const word = words[at] as number;
      if (word === 0) {
        oldest = at;
        break;
      }
      const age = ((listOf(word) === 0 ? now0 : now1) - word) & STAMP_MASK;
      if (age > oldestAge) {
        oldestAge = age;
        oldest = at;
      }
    }
    words[oldest] = (fingerprintOf(hash) << FINGERPRINT_SHIFT) | (list << STAMP_BITS) | (list === 0 ? now0 : now1);
  }

  /**
   * Forgets a key.
   *
   * @returns {@link NO_SHADOW}, or twice its refault distance plus the number of its list. The distance is how many
   *   were evicted from that list since
   */
  take(hash: number): number {
    const { words, buckets, shift } = this;
    if (buckets === 0 || hash === 0) {
      return NO_SHADOW;
    }
    const start = bucketOf(hash, buckets);
    const wanted = fingerprintOf(hash);
    for (let at = start; at < start + WAYS; at++) {
      const word = words[at] as number;
      if (word >>> FINGERPRINT_SHIFT === wanted) {
        words[at] = 0;
        const list = listOf(word);
        const age = ((this.clocks[list] >>> shift) - word) & STAMP_MASK;
        return ((age << shift) << 1) | list;
      }
    }
    return NO_SHADOW;
  }

  checkInvariants(): void {
    assert(this.words.length === this.buckets * WAYS, 'The table of shadows is not as large as it says');
    assert((this.capacity === 0) === (this.buckets === 0), 'There is room for shadows, and for none');
    for (let at = 0; at < this.words.length; at++) {
      const word = this.words[at] as number;
      assert(word === 0 || word >>> FINGERPRINT_SHIFT !== 0, 'A shadow has no fingerprint');
    }
  }
}

const EMPTY: Int32Array = new Int32Array(0);

function bucketOf(hash: number, buckets: number): number {
  return Math.floor(((hash >>> 0) / 2 ** 32) * buckets) * WAYS;
}

/** Other bits than those that choose the bucket, and never 0. */
function fingerprintOf(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> FINGERPRINT_SHIFT || 1;
}

function listOf(word: number): 0 | 1 {
  return ((word >>> STAMP_BITS) & 1) as 0 | 1;
}
