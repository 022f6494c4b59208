import { checkOptionNames } from '@core/base';
import { SHRINK_EMPTY, SHRINK_STOP, type ShrinkerSpec, type Zone } from '@core/shrinker';
import { checkZone } from './internal/shrinker-zone.js';
import type { RcuPending } from './rcu-pending.js';
import type { RcuHead } from './types.js';

export interface PendingShrinkerOptions {
  /** Name of the shrinker. Default `'rcu-pending'`. */
  readonly name?: string;
  /** Default 0: an object that waits to be freed costs nothing to bring back. */
  readonly seeks?: number;
  readonly batch?: number;
  /**
   * Where the objects that wait have their memory. Given, the shrinker answers only in passes over this zone; absent,
   * in those over any zone, and the bytes that wait are those of the heap.
   */
  readonly zone?: Zone;
}

const OPTION_NAMES = Object.keys({
  name: true,
  seeks: true,
  batch: true,
  zone: true,
} satisfies Record<keyof PendingShrinkerOptions, true>);

/**
 * A shrinker over a pending: under pressure it processes what has expired, and expedites the grace period for what has
 * not. Progress may come after the scan, which then answers `SHRINK_STOP`.
 *
 * Its `retiredBytes` are the bytes of the pending, which needs a `sizeOf` to know them.
 *
 * @throws {TypeError} `pending` is no `RcuPending`, or an option has a name that is none
 * @throws {RangeError} `zone` is none
 */
export function asShrinker<T extends RcuHead>(
  pending: RcuPending<T>,
  options: PendingShrinkerOptions = {},
): ShrinkerSpec {
  if (typeof pending?.drainExpired !== 'function') {
    throw new TypeError(`Cannot make a shrinker of ${String(pending)}: pass an RcuPending; a KvFree has asShrinker()`);
  }
  checkOptionNames(options, OPTION_NAMES, 'a shrinker of a pending');
  const { zone } = options;
  checkZone(zone);
  const home = zone ?? 'heap';
  return {
    name: options.name ?? 'rcu-pending',
    seeks: options.seeks ?? 0,
    ...(options.batch === undefined ? {} : { batch: options.batch }),
    ...(zone === undefined ? {} : { zoneAware: true }),
    count: (sc) => {
      if (zone !== undefined && sc.zone !== zone) {
        return 0;
      }
      return pending.count === 0 ? SHRINK_EMPTY : pending.count;
    },
    retiredBytes: (asked) => (asked === home ? pending.bytes : 0),
    retiredAgeMs: () => pending.stats().oldestAgeMs,
    scan: (sc) => {
      if (zone !== undefined && sc.zone !== zone) {
        sc.nrScanned = 0;
        return SHRINK_STOP;
      }
      const freed = pending.drainExpired(sc.nrToScan);
      if (freed < sc.nrToScan && pending.count > 0) {
        pending.expedite();
      }
      sc.nrScanned = freed;
      return freed === 0 ? SHRINK_STOP : freed;
    },
  };
}
