import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_DENTRY_CLOSED`: `close()` was called; create a new cache.
 * - `ERR_DENTRY_HELD`: the host closed while dentries were held.
 * - `ERR_DENTRY_NOT_HELD`: `release` of a dentry that nobody holds.
 * - `ERR_DENTRY_STALE`: a walk from a `base` that has left the cache; walk to it again.
 */
export type DentryErrorCode = 'ERR_DENTRY_CLOSED' | 'ERR_DENTRY_HELD' | 'ERR_DENTRY_NOT_HELD' | 'ERR_DENTRY_STALE';

const BRAND = 'DentryError';

/** Every domain fault of this package; see {@link DentryErrorCode}. Errors of the file system are node's own. */
export class DentryError extends CodedError<DentryErrorCode> {
  readonly brand: string = BRAND;

  /** Whether `value` is a `DentryError`, from whichever copy of this package. */
  static is(value: unknown): value is DentryError {
    return hasBrand(value, BRAND);
  }
}
