import { isPositive } from './check-options.js';
import type { LruSettings, LruSetOptions } from './options.js';

const NOT_SIZED = 'cannot set size without setting maxSize or maxEntrySize on cache';
const NO_SIZE =
  'invalid size value (must be positive integer). When maxSize or maxEntrySize is used, sizeCalculation or size must be set.';
const BAD_SIZE = 'sizeCalculation return invalid (expect positive integer)';

/** The size of a value, as a `set` or the cache says; 0 where sizes do not count. @throws {TypeError} as lru-cache does */
export function entrySize<K, V, FC>(
  key: K,
  value: V,
  options: LruSetOptions<K, V, FC>,
  settings: LruSettings<K, V, FC>,
  sized: boolean,
): number {
  const { size, sizeCalculation = settings.sizeCalculation } = options;
  if (!sized) {
    if (size || sizeCalculation) {
      throw new TypeError(NOT_SIZED);
    }
    return 0;
  }
  if (isPositive(size)) {
    return size;
  }
  if (!sizeCalculation) {
    throw new TypeError(NO_SIZE);
  }
  if (typeof sizeCalculation !== 'function') {
    throw new TypeError('sizeCalculation must be a function');
  }
  const calculated = sizeCalculation(value, key);
  if (!isPositive(calculated)) {
    throw new TypeError(BAD_SIZE);
  }
  return calculated;
}
