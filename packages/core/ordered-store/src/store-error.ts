import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_STORE_CLOSED`: the store was closed; open it again.
 * - `ERR_STORE_KEY_EMPTY`: a key of no bytes.
 * - `ERR_STORE_KEY_TOO_LARGE`: a key of more than `caps.maxKeyBytes`.
 * - `ERR_STORE_KEY_RESERVED`: the key under which `storeOfLevel` keeps the mark.
 * - `ERR_STORE_VALUE_TOO_LARGE`: a value of more than `caps.maxValueBytes`.
 * - `ERR_STORE_UNAVAILABLE`: this Node, or this installation, has not what the store is made of.
 * - `ERR_STORE_FULL`: no room on the disk. Nothing of the batch was stored; the same batch may be tried again (of
 *   classic-level: when it was opened again).
 * - `ERR_STORE_FAILED`: what is below failed; `cause` is its error. The message says when only opening again helps.
 */
export type StoreErrorCode =
  | 'ERR_STORE_CLOSED'
  | 'ERR_STORE_KEY_EMPTY'
  | 'ERR_STORE_KEY_TOO_LARGE'
  | 'ERR_STORE_KEY_RESERVED'
  | 'ERR_STORE_VALUE_TOO_LARGE'
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_STORE_FULL'
  | 'ERR_STORE_FAILED';

const BRAND = 'StoreError';

/** Every domain fault of this package; see {@link StoreErrorCode}. */
export class StoreError extends CodedError<StoreErrorCode> {
  readonly brand: string = BRAND;

  /** Whether `value` is a `StoreError`, from whichever copy of this package. */
  static is(value: unknown): value is StoreError {
    return hasBrand(value, BRAND);
  }
}
