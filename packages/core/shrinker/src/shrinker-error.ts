import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_SHRINKER_NAME_TAKEN`: another registered shrinker has this name; choose another, or free that one.
 * - `ERR_SHRINKER_REGISTERED`: the shrinker was registered before.
 * - `ERR_SHRINKER_FREED`: the shrinker was freed before; allocate a new one.
 * - `ERR_SHRINKER_FOREIGN`: the shrinker belongs to another registry.
 * - `ERR_SHRINKER_FREE_IN_SCAN`: `free` was called from inside the shrinker's own `count` or `scan`, for whose end it
 *   would wait.
 * - `ERR_SHRINKER_BAD_RESULT`: `count` or `scan` returned what is no number of objects; goes to the error channel.
 * - `ERR_SHRINKER_UNKNOWN`: `debug` was asked about a name that no registered shrinker has.
 * - `ERR_SHRINKER_NO_GROUPS`: a group was given where there is none to give.
 * - `ERR_SHRINKER_CLOSED`: the registry was disposed of.
 */
export type ShrinkerErrorCode =
  | 'ERR_SHRINKER_NAME_TAKEN'
  | 'ERR_SHRINKER_REGISTERED'
  | 'ERR_SHRINKER_FREED'
  | 'ERR_SHRINKER_FOREIGN'
  | 'ERR_SHRINKER_FREE_IN_SCAN'
  | 'ERR_SHRINKER_BAD_RESULT'
  | 'ERR_SHRINKER_UNKNOWN'
  | 'ERR_SHRINKER_NO_GROUPS'
  | 'ERR_SHRINKER_CLOSED';

const BRAND = 'ShrinkerError';

/** Every domain fault of this package; see {@link ShrinkerErrorCode}. */
export class ShrinkerError extends CodedError<ShrinkerErrorCode> {
  readonly brand: string = BRAND;

  /** Whether `value` is a `ShrinkerError`, from whichever copy of this package. */
  static is(value: unknown): value is ShrinkerError {
    return hasBrand(value, BRAND);
  }
}
