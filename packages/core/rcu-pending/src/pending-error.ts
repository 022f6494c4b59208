import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_PENDING_CLOSED`: `exit()` has finished; nothing can be enqueued any more.
 * - `ERR_PENDING_BUSY`: a `tryClaim` predicate used the pending that asks it.
 * - `ERR_PENDING_TWICE`: the object is waiting already. Always noticed of objects on a fallback list and of heads of
 *   `CallRcu`, of others in debug mode.
 * - `ERR_PENDING_SIZE_CHANGED`: debug mode: `sizeOf` answered differently while the object was waiting.
 */
export type PendingErrorCode =
  | 'ERR_PENDING_CLOSED'
  | 'ERR_PENDING_BUSY'
  | 'ERR_PENDING_TWICE'
  | 'ERR_PENDING_SIZE_CHANGED';

const BRAND = 'PendingError';

/** Every domain fault of this package; see {@link PendingErrorCode}. */
export class PendingError extends CodedError<PendingErrorCode> {
  readonly brand: string = BRAND;

  /** Whether `value` is a `PendingError`, from whichever copy of this package. */
  static is(value: unknown): value is PendingError {
    return hasBrand(value, BRAND);
  }
}
