import { assert } from '@core/base';

/** Words of each list in a bucket; those of both are a cache line. */
const WAYS = 8;
const BUCKET = 2 * WAYS;
/** Words of each list for each key that is to be remembered. Full buckets forget some of the older ones too early. */
const WORDS_PER_KEY = 1;
// A word: a fingerprint of the key, and when it was evicted, in units of its list's evictions.
const STAMP_BITS = 13;
const STAMP_MASK = 2 ** STAMP_BITS - 1;
/** Units in the longest distance that matters: the other stamps are of words that were not overwritten for long. */
const UNITS = 2 ** (STAMP_BITS - 2);
/** What {@link Shadows.take} says of a key that is not remembered. */
export const NO_SHADOW = -1;

/**
 * Shadows of keys that were evicted from one of two lists: who comes back, from which, and how far it has been.
 *
 * A shadow is one word of 32 bits in a table of buckets: no key or value is kept alive. As in the kernel, what counts is
 * the refault distance, so nothing is listed and nothing has to be forgotten: each list has half of each bucket, and
 * overwrites its oldest words there. A key in 30,000 is taken for another one.
 *
 * Nothing is remembered before {@link allocate}, or after {@link drop}.
 *
 * @see Linux mm/workingset.c
 */
export class Shadows {
  /** Keys of each list that there is room for; 0 when nothing is remembered. */
  capacity = 0;
  // Signed: unsigned words above 2^31 would be read as doubles.
  private words: Int32Array = NO_WORDS;
  /** Which word of a half is written next. */
  private cursors: Uint8Array = NO_CURSORS;
  private buckets = 0;
  private shift = 0;
  private clockMask = 0;
  /** Evictions from each list, as far as the clock goes before it starts over. */
  private readonly clocks: Int32Array = new Int32Array(2);

  get bytes(): number {
    return this.words.byteLength + this.cursors.byteLength;
  }

  /** Makes room for so many keys of each list, and forgets all. */
  allocate(capacity: number): void {
    this.capacity = capacity;
    this.buckets = bucketsFor(capacity);
    this.words = new Int32Array(this.buckets * BUCKET);
    this.cursors = new Uint8Array(this.buckets * 2);
    this.shift = Math.max(0, Math.ceil(Math.log2((2 * capacity) / UNITS)));
    this.clockMask = 2 ** (STAMP_BITS + this.shift) - 1;
    this.clocks.fill(0);
  }

  /** Forgets all, and gives the memory back. */
  drop(): void {
    this.capacity = 0;
    this.words = NO_WORDS;
    this.cursors = NO_CURSORS;
    this.buckets = 0;
  }

  /** Bytes that {@link allocate} takes for so many keys: about 8 for each. */
  static bytesFor(capacity: number): number {
    return bucketsFor(capacity) * (BUCKET * Int32Array.BYTES_PER_ELEMENT + 2);
  }

  /** Remembers a key that was evicted from `list`. A hash of 0 is no key's. */
  add(list: 0 | 1, hash: number): void {
    const { buckets, clocks, cursors } = this;
    if (buckets === 0 || hash === 0) {
      return;
    }
    const clock = ((clocks[list] as number) + 1) & this.clockMask;
    clocks[list] = clock;
    const half = bucketOf(hash, buckets) * 2 + list;
    const way = cursors[half] as number;
    cursors[half] = (way + 1) & (WAYS - 1);
    this.words[half * WAYS + way] = (fingerprintOf(hash) << STAMP_BITS) | (clock >>> this.shift);
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
    const start = bucketOf(hash, buckets) * BUCKET;
    const wanted = fingerprintOf(hash);
    for (let at = 0; at < BUCKET; at++) {
      const word = words[start + at] as number;
      if (word >>> STAMP_BITS === wanted) {
        words[start + at] = 0;
        const list = at < WAYS ? 0 : 1;
        const age = (((this.clocks[list] as number) >>> shift) - word) & STAMP_MASK;
        return ((age << shift) << 1) | list;
      }
    }
    return NO_SHADOW;
  }

  checkInvariants(): void {
    const { words, cursors, buckets } = this;
    assert(words.length === buckets * BUCKET && cursors.length === buckets * 2, 'A table of shadows has another size');
    assert((this.capacity === 0) === (buckets === 0), 'There is room for shadows, and for none');
    assert(
      cursors.every((way) => way < WAYS),
      'A bucket would be written outside of it',
    );
    assert(
      words.every((word) => word === 0 || word >>> STAMP_BITS !== 0),
      'A shadow has no fingerprint',
    );
  }
}

const NO_WORDS: Int32Array = new Int32Array(0);
const NO_CURSORS: Uint8Array = new Uint8Array(0);

function bucketsFor(capacity: number): number {
  return Math.ceil((capacity * WORDS_PER_KEY) / WAYS);
}

function bucketOf(hash: number, buckets: number): number {
  return Math.floor(((hash >>> 0) / 2 ** 32) * buckets);
}

/** Other bits than those that choose the bucket, and never 0. */
function fingerprintOf(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> STAMP_BITS || 1;
}
