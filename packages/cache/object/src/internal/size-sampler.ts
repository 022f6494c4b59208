import { approximateSize, isCheap } from './approximate-size.js';

/** Of so many objects one is walked; later, of so many. A walk takes a few microseconds, a set a tenth of one. */
const INTERVAL = 32;
const LATER_INTERVAL = 256;
/** So many walks the mean remembers: it follows values that change over time. After as many, walks become rarer. */
const MEMORY = 16;

/** What a walk finds is told to 1/32 of it, so that there are few different sizes, which take little room. */
const STEPS_PER_OCTAVE = 16;

/**
 * Sizes of values that nobody has told the size of: strings, numbers, Buffers and other views each by itself; of objects
 * each 32nd at first, then each 256th, the first included, and the others as the mean of these. Always the same for the
 * same values in the same order.
 */
export class SizeSampler {
  private untilNext = 0;
  private walks = 0;
  private mean = 0;
  private rounded = 0;

  /** Whole bytes. */
  sizeOf(value: unknown): number {
    if (isCheap(value)) {
      return approximateSize(value);
    }
    if (this.untilNext > 0) {
      this.untilNext--;
      return this.rounded;
    }
    const size = approximateSize(value);
    this.walks = Math.min(this.walks + 1, MEMORY);
    this.untilNext = (this.walks < MEMORY ? INTERVAL : LATER_INTERVAL) - 1;
    this.mean += (size - this.mean) / this.walks;
    this.rounded = coarse(this.mean);
    return coarse(size);
  }
}

function coarse(size: number): number {
  const step = 2 ** Math.max(0, Math.floor(Math.log2(size / STEPS_PER_OCTAVE)));
  return Math.round(size / step) * step;
}
