/**
 * How much memory must be free, in bytes: below `low` background reclaim begins, and goes on up to `high`; below `min`
 * whoever wants more has to reclaim first.
 *
 * @see Linux mm/page_alloc.c, watermarks of a zone
 */
export interface Watermarks {
  readonly min: number;
  readonly low: number;
  readonly high: number;
}

/** As shares of what may be used. */
export interface WatermarkShares {
  readonly min: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Of the old generation. V8 dies well before its limit: with 64 KB strings at 3/4 of it. So a fifth is kept free at
 * least.
 */
export const HEAP_WATERMARKS: WatermarkShares = { min: 0.2, low: 0.28, high: 0.36 };

/** Of memory that is counted exactly. */
export const EXACT_WATERMARKS: WatermarkShares = { min: 0.05, low: 0.1, high: 0.15 };

/** The watermarks of so many bytes; `floorBytes` are kept free in any case, as far as half of them goes. */
export function watermarksOf(bytes: number, shares: WatermarkShares, floorBytes = 0): Watermarks {
  if (bytes === Infinity) {
    return { min: 0, low: 0, high: 0 };
  }
  const min = Math.min(Math.max(shares.min * bytes, floorBytes), bytes / 2);
  const scale = min / (shares.min * bytes || 1);
  return {
    min: Math.floor(min),
    low: Math.floor(Math.min(shares.low * bytes * scale, bytes * 0.6)),
    high: Math.floor(Math.min(shares.high * bytes * scale, bytes * 0.7)),
  };
}
