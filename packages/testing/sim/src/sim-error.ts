import { CodedError, hasBrand } from '@core/base';

/** What can go wrong here, for programs. */
export type SimErrorCode =
  | 'ERR_SIM_NOT_IDLE'
  | 'ERR_SIM_PENDING_CLOSED'
  | 'ERR_SIM_SCHEDULE_MISMATCH'
  | 'ERR_SIM_TORTURE_FAILED';

/** The error class of this package. */
export class SimError extends CodedError<SimErrorCode> {
  readonly brand = 'SimError';

  static is(value: unknown): value is SimError {
    return hasBrand(value, 'SimError');
  }
}
