import { CodedError, hasBrand } from '@core/base';

export type FsSourceErrorCode = 'ERR_FS_SOURCE_UNSUPPORTED';

const BRAND = 'FsSourceError';

/** The error of a file system that lacks what was asked of it. Errors of calls are node's own. */
export class FsSourceError extends CodedError<FsSourceErrorCode> {
  readonly brand: string = BRAND;

  /** Whether the error is one of these, from whichever copy of this package. */
  static is(value: unknown): value is FsSourceError {
    return hasBrand(value, BRAND);
  }
}
