import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_BUF_CLOSED`: the file or the cache was closed; open the file again.
 * - `ERR_BUF_FULL`: every block is held or shown in this turn; release some, await a turn, or give the cache more bytes.
 * - `ERR_BUF_LOCKED`: a synchronous call met a lock that somebody holds; use the asynchronous one.
 * - `ERR_BUF_BUSY`: a synchronous call met I/O in flight that it would have to wait for; use the asynchronous one.
 * - `ERR_BUF_NOT_LOCKED`: the buffer has to be locked for this, and is not.
 * - `ERR_BUF_NOT_HELD`: the buffer has to be held for this, and is not.
 * - `ERR_BUF_STALE`: the buffer has left the cache; read the block again.
 * - `ERR_BUF_WRITE`: blocks could not be written; `ranges` says which, `cause` why. They are still in the cache, unless
 *   the message says otherwise.
 * - `ERR_BUF_SYNC`: all was written, but the file could not be made durable; `cause` says why.
 * - `ERR_BUF_HELD`: the host closed while buffers were held.
 * - `ERR_BUF_LEAK`: a guard was garbage-collected while it held; goes to `onError`, and the hold is ended.
 */
export type BufErrorCode =
  | 'ERR_BUF_CLOSED'
  | 'ERR_BUF_FULL'
  | 'ERR_BUF_LOCKED'
  | 'ERR_BUF_BUSY'
  | 'ERR_BUF_NOT_LOCKED'
  | 'ERR_BUF_NOT_HELD'
  | 'ERR_BUF_STALE'
  | 'ERR_BUF_WRITE'
  | 'ERR_BUF_SYNC'
  | 'ERR_BUF_HELD'
  | 'ERR_BUF_LEAK';

/** Bytes of a file, from `position` on. */
export interface BufRange {
  readonly position: number;
  readonly length: number;
}

export interface BufErrorOptions extends ErrorOptions {
  readonly ranges?: readonly BufRange[];
}

const BRAND = 'BufError';

/** Every domain fault of this package; see {@link BufErrorCode}. */
export class BufError extends CodedError<BufErrorCode> {
  readonly brand: string = BRAND;
  /** Of `ERR_BUF_WRITE`: what could not be written, in order, neighbours merged. Otherwise empty. */
  readonly ranges: readonly BufRange[];

  constructor(code: BufErrorCode, message: string, options: BufErrorOptions = {}) {
    super(code, message, options);
    this.ranges = options.ranges ?? [];
  }

  /** Whether `value` is a `BufError`, from whichever copy of this package. */
  static is(value: unknown): value is BufError {
    return hasBrand(value, BRAND);
  }
}
