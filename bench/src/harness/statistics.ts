/** Of numbers in any order, at least one; `part` from 0 to 1, by linear interpolation. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below];
  const high = sorted[Math.min(below + 1, sorted.length - 1)];
  if (low === undefined || high === undefined) {
    throw new RangeError('Cannot take a quantile: there are no values');
  }
  return low + (high - low) * (at - below);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
