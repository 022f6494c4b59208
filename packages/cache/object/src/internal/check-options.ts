import { ObjectCacheError } from '../object-cache-error.js';
import type { ObjectCacheOptions } from '../options.js';

export function checkSize(size: number): number {
  if (!(size >= 0 && size < Infinity)) {
    throw new RangeError(`Cannot store a value of ${size} bytes: the size must be a number of 0 or more`);
  }
  return size;
}

export function checkTtl(ttlMs: number): number {
  if (!(ttlMs > 0)) {
    throw new RangeError(`Cannot keep a value fresh for ${ttlMs} ms: it must be above 0; Infinity means for ever`);
  }
  return ttlMs;
}

export function checkOptions<K, V>(options: ObjectCacheOptions<K, V>): void {
  const { max, maxBytes, ttlMs, staleWhileRevalidateMs } = options;
  if (max !== undefined && !((Number.isSafeInteger(max) && max > 0) || max === Infinity)) {
    throw new RangeError(`Cannot create a cache of ${max} entries: max must be an integer above 0`);
  }
  if (maxBytes !== undefined && !(maxBytes > 0)) {
    throw new RangeError(`Cannot create a cache of ${maxBytes} bytes: maxBytes must be above 0`);
  }
  if (ttlMs !== undefined) {
    checkTtl(ttlMs);
  }
  if (staleWhileRevalidateMs !== undefined && !(staleWhileRevalidateMs >= 0)) {
    throw new RangeError(`Cannot answer with stale values for ${staleWhileRevalidateMs} ms: it must be 0 or more`);
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
