import { reportUncaught } from '@core/base';

/** An error channel that cannot fail: what it throws itself is reported as well. */
export function guarded<E>(onError: ((error: E) => void) | undefined): (error: E) => void {
  return (error) => {
    try {
      if (onError === undefined) {
        reportUncaught(error);
      } else {
        onError(error);
      }
    } catch (second) {
      reportUncaught(second);
    }
  };
}
