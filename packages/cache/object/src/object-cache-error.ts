import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_OBJECT_CACHE_CLOSED`: `close()` was called; create a new cache.
 * - `ERR_OBJECT_CACHE_NO_LOAD`: `fetch` or `getOrCreate` missed, and there is no function to make the value with, or, for
 *   `getOrCreate`, none that answers at once: use `fetch`.
 * - `ERR_OBJECT_CACHE_HELD`: the host closed while values of the cache were held.
 * - `ERR_OBJECT_CACHE_RELEASED`: the value of a guard was read after its release.
 * - `ERR_OBJECT_CACHE_LEAK`: a guard was garbage-collected while it held; goes to `onError`, and the hold is ended.
 */
export type ObjectCacheErrorCode =
  | 'ERR_OBJECT_CACHE_CLOSED'
  | 'ERR_OBJECT_CACHE_NO_LOAD'
  | 'ERR_OBJECT_CACHE_HELD'
  | 'ERR_OBJECT_CACHE_RELEASED'
  | 'ERR_OBJECT_CACHE_LEAK';

const BRAND = 'ObjectCacheError';

/** Every domain fault of this package; see {@link ObjectCacheErrorCode}. */
export class ObjectCacheError extends CodedError<ObjectCacheErrorCode> {
  readonly brand: string = BRAND;

  /** Whether `value` is an `ObjectCacheError`, from whichever copy of this package. */
  static is(value: unknown): value is ObjectCacheError {
    return hasBrand(value, BRAND);
  }
}
