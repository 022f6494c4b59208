import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_SRCU_CLOSED`: the domain was disposed of; open a new one.
 * - `ERR_SRCU_FOREIGN_INDEX`: the index came from another domain, or is no index at all.
 * - `ERR_SRCU_UNBALANCED`: an index was unlocked more often than it was locked.
 * - `ERR_RCU_UNBALANCED`: debug mode: `readUnlock` without `readLock`.
 * - `ERR_RCU_READER_AWAITS`: a classic section awaited, or was still open when its turn ended.
 */
export type RcuErrorCode =
  | 'ERR_SRCU_CLOSED'
  | 'ERR_SRCU_FOREIGN_INDEX'
  | 'ERR_SRCU_UNBALANCED'
  | 'ERR_RCU_UNBALANCED'
  | 'ERR_RCU_READER_AWAITS';

const BRAND = 'RcuError';

/** Every domain fault of this package; see {@link RcuErrorCode}. */
export class RcuError extends CodedError<RcuErrorCode> {
  readonly brand: string = BRAND;

  /** Whether `value` is a `RcuError`, from whichever copy of this package. */
  static is(value: unknown): value is RcuError {
    return hasBrand(value, BRAND);
  }
}
