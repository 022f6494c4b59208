import type { Zone } from '../spec.js';

/** Every zone; a deferred count has the index of its zone here. */
export const ZONES: readonly Zone[] = ['heap', 'external', 'shared'];

/** Where what is not kept apart by zone goes: beside the zones, so that a pass over any zone finds it at once. */
export const ANY_ZONE = 3;

/**
 * The index of the zone in {@link ZONES}.
 *
 * @throws {TypeError} when `zone` is not a string
 * @throws {RangeError} when it is not one of the zones
 */
export function zoneIndexOf(zone: Zone, action = 'shrink'): number {
  const index = ZONES.indexOf(zone);
  if (index < 0) {
    const message = `Cannot ${action} zone ${String(zone)}: the zones are ${ZONES.join(', ')}`;
    throw typeof zone === 'string' ? new RangeError(message) : new TypeError(message);
  }
  return index;
}
