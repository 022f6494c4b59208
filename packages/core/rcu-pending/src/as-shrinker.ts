import { SHRINK_EMPTY, SHRINK_STOP, type ShrinkerSpec } from '@core/shrinker';
import type { RcuPending } from './rcu-pending.js';
import type { RcuHead } from './types.js';

export interface PendingShrinkerOptions {
  /** Name of the shrinker. Default `'rcu-pending'`. */
  readonly name?: string;
  /** Default 0: an object that waits to be freed costs nothing to bring back. */
  readonly seeks?: number;
  readonly batch?: number;
}

/**
 * A shrinker over a pending: under pressure it processes what has expired, and expedites the grace period for what has
 * not. Progress may come after the scan, which then answers `SHRINK_STOP`.
 *
 * @throws {TypeError} `pending` is no `RcuPending`
 */
export function asShrinker<T extends RcuHead>(
  pending: RcuPending<T>,
  options: PendingShrinkerOptions = {},
): ShrinkerSpec {
  if (typeof pending?.drainExpired !== 'function') {
    throw new TypeError(`Cannot make a shrinker of ${String(pending)}: pass an RcuPending; a KvFree has asShrinker()`);
  }
  return {
    name: options.name ?? 'rcu-pending',
    seeks: options.seeks ?? 0,
    ...(options.batch === undefined ? {} : { batch: options.batch }),
    count: () => (pending.count === 0 ? SHRINK_EMPTY : pending.count),
    scan: (sc) => {
      const freed = pending.drainExpired(sc.nrToScan);
      if (freed < sc.nrToScan && pending.count > 0) {
        pending.expedite();
      }
      sc.nrScanned = freed;
      return freed === 0 ? SHRINK_STOP : freed;
    },
  };
}
