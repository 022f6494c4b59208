import { reportUncaught } from '@core/base';

/**
 * `report`, made safe to call in the middle of a structure: what it throws is an uncaught exception of its own, and the
 * work goes on.
 */
export function guarded<T>(report: (value: T) => void): (value: T) => void {
  return (value) => {
    try {
      report(value);
    } catch (error) {
      reportUncaught(error);
    }
  };
}
