import type { LruOptionsBase } from './options.js';

/** The messages are lru-cache's, for those who look for them. */
export function checkLruOptions<K, V, FC>(options: LruOptionsBase<K, V, FC>): void {
  const { max = 0, maxSize = 0, maxEntrySize, sizeCalculation, ttl = 0, perf, fetchMethod, memoMethod } = options;
  if (perf !== undefined && typeof perf?.now !== 'function') {
    throw new TypeError('perf option must have a now() method if specified');
  }
  if (max !== 0 && !isPositive(max)) {
    throw new TypeError('max option must be a nonnegative integer');
  }
  if (sizeCalculation) {
    if (!maxSize && !maxEntrySize) {
      throw new TypeError('cannot set sizeCalculation without setting maxSize or maxEntrySize');
    }
    if (typeof sizeCalculation !== 'function') {
      throw new TypeError('sizeCalculation set to non-function');
    }
  }
  if (memoMethod !== undefined && typeof memoMethod !== 'function') {
    throw new TypeError('memoMethod must be a function if defined');
  }
  if (fetchMethod !== undefined && typeof fetchMethod !== 'function') {
    throw new TypeError('fetchMethod must be a function if specified');
  }
  if (maxSize !== 0 && !isPositive(maxSize)) {
    throw new TypeError('maxSize must be a positive integer if specified');
  }
  if (maxEntrySize && !isPositive(maxEntrySize)) {
    throw new TypeError('maxEntrySize must be a positive integer if specified');
  }
  if (ttl && !isPositive(ttl)) {
    throw new TypeError('ttl must be a positive integer if specified');
  }
  checkFetchSize(options.backgroundFetchSize ?? 1);
  if (max === 0 && !ttl && maxSize === 0) {
    throw new TypeError('At least one of max, maxSize, or ttl is required');
  }
}

/** @throws {TypeError} an entry cannot have that size while its value is being loaded */
export function checkFetchSize(size: number): void {
  if (size !== 0 && !isPositive(size)) {
    throw new TypeError('backgroundFetchSize must be a nonnegative integer');
  }
}

export function isPositive(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}
