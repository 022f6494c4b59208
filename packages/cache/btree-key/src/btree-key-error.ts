import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_BTREE_KEY_CLOSED`: `close()` was called; open a new cache.
 * - `ERR_BTREE_KEY_JOURNAL`: the journal failed, with its error as `cause`: an update that rejects with it may be there
 *   or not when the cache is opened again. Reads go on.
 * - `ERR_BTREE_KEY_STORE`: the store failed, with its error as `cause`. Of a flush it goes to `onError`: the keys stay
 *   dirty, and the flush is tried again.
 * - `ERR_BTREE_KEY_DIRTY`: `close()` could not write all keys to the store; the journal has them, and they are replayed
 *   when the cache is opened again.
 * - `ERR_BTREE_KEY_TOO_LARGE`: a key, a value or a batch is larger than the store, the journal or the cache takes, or its
 *   memory group has no room for it.
 * - `ERR_BTREE_KEY_REPLAY`: the journal has records that the store lacks, and they cannot be read or written.
 * - `ERR_BTREE_KEY_NO_TREES`: `tree()` of a cache that was opened without `trees: true`.
 * - `ERR_BTREE_KEY_TRANSACTION_OVER`: a transaction, or a handle of it, was used after its section had ended.
 */
export type BtreeKeyErrorCode =
  | 'ERR_BTREE_KEY_CLOSED'
  | 'ERR_BTREE_KEY_JOURNAL'
  | 'ERR_BTREE_KEY_STORE'
  | 'ERR_BTREE_KEY_DIRTY'
  | 'ERR_BTREE_KEY_TOO_LARGE'
  | 'ERR_BTREE_KEY_REPLAY'
  | 'ERR_BTREE_KEY_NO_TREES'
  | 'ERR_BTREE_KEY_TRANSACTION_OVER';

const BRAND = 'BtreeKeyError';

/** Every domain fault of this package; see {@link BtreeKeyErrorCode}. */
export class BtreeKeyError extends CodedError<BtreeKeyErrorCode> {
  readonly brand: string = BRAND;

  /** Whether `value` is a `BtreeKeyError`, from whichever copy of this package. */
  static is(value: unknown): value is BtreeKeyError {
    return hasBrand(value, BRAND);
  }
}

/** What went wrong underneath, for a message. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
