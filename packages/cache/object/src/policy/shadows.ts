import { assert } from '@core/base';

/** Shadows of each list in a bucket. */
const WAYS = 8;
// A bucket, in words: the tags of its shadows, four to a word; which way of either list is written next, in a byte each;
// and the shadows.
const TAGS = 4;
const CURSORS = TAGS;
const FIRST = CURSORS + 1;
const BUCKET = FIRST + 2 * WAYS;
const ONES = 0x01010101;
const HIGHS = 0x80808080 | 0;
/** Shadows of each list for each key that is to be remembered. Full buckets forget some of the older ones too early. */
const SHADOWS_PER_KEY = 1;
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
 * A shadow is one word of 32 bits in a table of buckets, and a tag of 8 by which a bucket is searched, four at a time: no
 * key or value is kept alive. As in the kernel, what counts is
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
  /** A power of two, or 0. */
  private buckets = 0;
  private bucketMask = 0;
  private shift = 0;
  private clockMask = 0;
  /** Evictions from each list, as far as the clock goes before it starts over. */
  private readonly clocks: Int32Array = new Int32Array(2);

  get bytes(): number {
    return this.words.byteLength;
  }

  /** Makes room for so many keys of each list, and forgets all. */
  allocate(capacity: number): void {
    this.capacity = capacity;
    this.buckets = bucketsFor(capacity);
    this.bucketMask = this.buckets - 1;
    this.words = new Int32Array(this.buckets * BUCKET);
    this.shift = Math.max(0, Math.ceil(Math.log2((2 * capacity) / UNITS)));
    this.clockMask = 2 ** (STAMP_BITS + this.shift) - 1;
    this.clocks.fill(0);
  }

  /** Forgets all, and gives the memory back. */
  drop(): void {
    this.capacity = 0;
    this.words = NO_WORDS;
    this.buckets = 0;
  }

  /** Bytes that {@link allocate} takes for so many keys: 10.5 to 21 for each. */
  static bytesFor(capacity: number): number {
    return bucketsFor(capacity) * BUCKET * Int32Array.BYTES_PER_ELEMENT;
  }

  /** Remembers a key that was evicted from `list`. A hash of 0 is no key's. */
  add(list: 0 | 1, hash: number): void {
    const { words, clocks } = this;
    if (this.buckets === 0 || hash === 0) {
      return;
    }
    const clock = ((clocks[list] as number) + 1) & this.clockMask;
    clocks[list] = clock;
    const bucket = bucketOf(hash, this.bucketMask);
    const cursors = words[bucket + CURSORS] as number;
    const shift = list << 3;
    const way = ((cursors >>> shift) & (WAYS - 1)) + list * WAYS;
    // Up to 7, and from 0 again.
    words[bucket + CURSORS] = (cursors & ~((WAYS - 1) << shift)) | (((way + 1) & (WAYS - 1)) << shift);
    words[bucket + FIRST + way] = (fingerprintOf(hash) << STAMP_BITS) | (clock >>> this.shift);
    this.tag(bucket, way, tagOf(hash));
  }

  /**
   * Forgets a key.
   *
   * @returns {@link NO_SHADOW}, or twice its refault distance plus the number of its list. The distance is how many
   *   were evicted from that list since
   */
  take(hash: number): number {
    const { words } = this;
    if (this.buckets === 0 || hash === 0) {
      return NO_SHADOW;
    }
    const bucket = bucketOf(hash, this.bucketMask);
    const wanted = Math.imul(tagOf(hash), ONES);
    const some0 = zeroBytes((words[bucket] as number) ^ wanted);
    const some1 = zeroBytes((words[bucket + 1] as number) ^ wanted);
    const some2 = zeroBytes((words[bucket + 2] as number) ^ wanted);
    const some3 = zeroBytes((words[bucket + 3] as number) ^ wanted);
    // The bit 8 * byte + word of each that may be it: without a branch, since none could be foretold.
    let found = (some0 >>> 7) | (some1 >>> 6) | (some2 >>> 5) | (some3 >>> 4);
    while (found !== 0) {
      const bit = 31 - Math.clz32(found & -found);
      found &= found - 1;
      const way = ((bit & 7) << 2) | (bit >>> 3);
      const word = words[bucket + FIRST + way] as number;
      if (word >>> STAMP_BITS === fingerprintOf(hash)) {
        words[bucket + FIRST + way] = 0;
        this.tag(bucket, way, 0);
        const list = way >>> 3;
        const age = (((this.clocks[list] as number) >>> this.shift) - word) & STAMP_MASK;
        return ((age << this.shift) << 1) | list;
      }
    }
    return NO_SHADOW;
  }

  checkInvariants(): void {
    const { words, buckets } = this;
    assert(words.length === buckets * BUCKET, 'A table of shadows has another size');
    assert((this.capacity === 0) === (buckets === 0), 'There is room for shadows, and for none');
    for (let bucket = 0; bucket < words.length; bucket += BUCKET) {
      assert(((words[bucket + CURSORS] as number) & ~0x707) === 0, 'A bucket would be written outside of it');
      for (let way = 0; way < 2 * WAYS; way++) {
        const word = words[bucket + FIRST + way] as number;
        const tag = ((words[bucket + (way >>> 2)] as number) >>> ((way & 3) << 3)) & 0xff;
        assert((word === 0) === (tag === 0), 'A shadow has no tag, or a tag no shadow');
        assert(word === 0 || word >>> STAMP_BITS !== 0, 'A shadow has no fingerprint');
      }
    }
  }

  private tag(bucket: number, way: number, tag: number): void {
    const at = bucket + (way >>> 2);
    const shift = (way & 3) << 3;
    this.words[at] = ((this.words[at] as number) & ~(0xff << shift)) | (tag << shift);
  }
}

const NO_WORDS: Int32Array = new Int32Array(0);

/** A power of two. */
function bucketsFor(capacity: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2((capacity * SHADOWS_PER_KEY) / WAYS)));
}

/** The high bit of each byte that is 0, and maybe of a byte above one. */
function zeroBytes(word: number): number {
  return (word - ONES) & ~word & HIGHS;
}

/** Where it begins. */
function bucketOf(hash: number, mask: number): number {
  return (hash & mask) * BUCKET;
}

/** By other bits, and never 0. */
function tagOf(hash: number): number {
  return hash >>> 24 || 1;
}

/** Mixed again, and never 0. */
function fingerprintOf(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> STAMP_BITS || 1;
}
