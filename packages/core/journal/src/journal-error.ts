import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_JOURNAL_OPEN`: the directory cannot be made, read, locked or repaired; `cause` says why.
 * - `ERR_JOURNAL_LOCKED`: another process, or another `Journal` of this one, has the directory open.
 * - `ERR_JOURNAL_CORRUPT`: bytes that were known to be on disk are gone or changed. `Journal.salvage` keeps the rest.
 * - `ERR_JOURNAL_FORMAT`: a newer version of this package wrote it.
 * - `ERR_JOURNAL_DEAD`: a write or a sync failed before, so nothing is known of the file any more; `cause` says which.
 * - `ERR_JOURNAL_CLOSED`: `close()` was called.
 * - `ERR_JOURNAL_RECORD_TOO_LARGE`: a payload above `MAX_RECORD_BYTES`.
 */
export type JournalErrorCode =
  | 'ERR_JOURNAL_OPEN'
  | 'ERR_JOURNAL_LOCKED'
  | 'ERR_JOURNAL_CORRUPT'
  | 'ERR_JOURNAL_FORMAT'
  | 'ERR_JOURNAL_DEAD'
  | 'ERR_JOURNAL_CLOSED'
  | 'ERR_JOURNAL_RECORD_TOO_LARGE';

/** Where a journal is damaged. */
export interface JournalDamage {
  /** The path of the file. */
  readonly segment: string;
  /** Bytes from its start. */
  readonly offset: number;
}

const BRAND = 'JournalError';

/** Every domain fault of this package; see {@link JournalErrorCode}. */
export class JournalError extends CodedError<JournalErrorCode> {
  readonly brand: string = BRAND;
  /** Of `ERR_JOURNAL_CORRUPT` and `ERR_JOURNAL_FORMAT`: where. Else null. */
  readonly damage: JournalDamage | null;

  constructor(
    code: JournalErrorCode,
    message: string,
    options: ErrorOptions & { readonly damage?: JournalDamage } = {},
  ) {
    super(code, message, options);
    this.damage = options.damage ?? null;
  }

  /** Whether `value` is a `JournalError`, from whichever copy of this package. */
  static is(value: unknown): value is JournalError {
    return hasBrand(value, BRAND);
  }
}
