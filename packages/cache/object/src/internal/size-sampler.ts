import { approximateSize, isCheap } from './approximate-size.js';

/** Of so many objects one is walked. */
const INTERVAL = 32;
/** So many walks the mean remembers: it follows values that change over time. */
const MEMORY = 16;

/**
 * Sizes of values that nobody has told the size of: strings, numbers and buffers each by itself; of objects each 32nd,
 * the first included, and the others as the mean of these. Always the same for the same values in the same order.
 */
export class SizeSampler {
  private met = 0;
  private walks = 0;
  private mean = 0;

  /** Whole bytes. */
  sizeOf(value: unknown): number {
    if (isCheap(value)) {
      return approximateSize(value);
    }
    if (this.met++ % INTERVAL !== 0) {
      return Math.round(this.mean);
    }
    const size = approximateSize(value);
    this.walks = Math.min(this.walks + 1, MEMORY);
    this.mean += (size - this.mean) / this.walks;
    return size;
  }
}
