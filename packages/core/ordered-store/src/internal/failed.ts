import { StoreError } from '../store-error.js';

/** The error of a backend as the store's own; one that is so already, as it is. */
export function failedOf(error: unknown, action: string): StoreError {
  if (StoreError.is(error)) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  return new StoreError('ERR_STORE_FAILED', `Cannot ${action}: ${message}; see the cause`, { cause: error });
}
