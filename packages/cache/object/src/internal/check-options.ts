import { ObjectCacheError } from '../object-cache-error.js';
import type { ObjectCacheOptions } from '../options.js';

/** A `Map` of V8 takes twice as many keys, but then can't exchange one for another. */
export const MAX_ENTRIES: number = 2 ** 23;

export function checkSize(size: number): number {
  if (!isNumber(size) || !(size >= 0 && size <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`Cannot store a value of ${String(size)} bytes: the size must be a number from 0 to 2^53 - 1`);
  }
  return size;
}

export function checkTtl(ttlMs: number): number {
  if (!isNumber(ttlMs) || !(ttlMs > 0)) {
    throw new RangeError(
      `Cannot keep a value fresh for ${String(ttlMs)} ms: it must be a number above 0; Infinity means for ever`,
    );
  }
  return ttlMs;
}

export function checkOptions<K, V>(options: ObjectCacheOptions<K, V>): void {
  const { max, maxBytes, ttlMs, staleWhileRevalidateMs } = options;
  if (max !== undefined && max !== Infinity && !(Number.isInteger(max) && max > 0 && max <= MAX_ENTRIES)) {
    throw new RangeError(
      `Cannot create a cache of ${String(max)} entries: max must be an integer from 1 to ${MAX_ENTRIES}`,
    );
  }
  if (maxBytes !== undefined && !(isNumber(maxBytes) && maxBytes > 0)) {
    throw new RangeError(`Cannot create a cache of ${String(maxBytes)} bytes: maxBytes must be a number above 0`);
  }
  if (ttlMs !== undefined) {
    checkTtl(ttlMs);
  }
  if (staleWhileRevalidateMs !== undefined && !(isNumber(staleWhileRevalidateMs) && staleWhileRevalidateMs >= 0)) {
    throw new RangeError(
      `Cannot answer with stale values for ${String(staleWhileRevalidateMs)} ms: it must be a number of 0 or more`,
    );
  }
  for (const name of ['sizeOf', 'dispose', 'recycle', 'load', 'onError'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`Cannot create a cache with ${name} ${String(value)}: it must be a function`);
    }
  }
  if (options.group !== undefined && options.group !== null) {
    throw new ObjectCacheError(
      'ERR_OBJECT_CACHE_NO_GROUPS',
      `Cannot create a cache in group ${options.group.path}: memory groups are not available yet; leave group out`,
    );
  }
}

/** Comparisons alone would let strings pass, and additions make longer strings of them. */
function isNumber(value: unknown): boolean {
  return typeof value === 'number';
}
