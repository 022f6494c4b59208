import type { Zone } from './spec.js';

/** A limit in bytes: a number is for all zones together, a record for each of the zones that it names. */
export type GroupLimit = number | Readonly<Partial<Record<Zone, number>>>;

/**
 * The limits of a group, in bytes. All may be assigned at any time.
 *
 * - `min`: reclaim from above leaves the group alone while it uses no more than this.
 * - `low`: the same, unless reclaim is desperate (priority 0).
 * - `high`: a charge that gets above this has the group's caches reclaimed, and never fails for it.
 * - `max`: a charge that would get above this reclaims first, and fails if that does not help.
 */
export interface GroupLimits {
  /** Absent: 0. */
  min: GroupLimit;
  /** Absent: 0. */
  low: GroupLimit;
  /** Absent: Infinity. */
  high: GroupLimit;
  /** Absent: Infinity. */
  max: GroupLimit;
}
