import type { Zone } from '../spec.js';

/** Every zone; a deferred count has the index of its zone here. */
export const ZONES: readonly Zone[] = ['heap', 'external', 'shared'];

/**
 * The index of the zone in {@link ZONES}.
 *
 * @throws {TypeError} when `zone` is not a string
 * @throws {RangeError} when it is not one of the zones
 */
export function zoneIndexOf(zone: Zone): number {
  const index = ZONES.indexOf(zone);
  if (index < 0) {
    const message = `Cannot shrink zone ${String(zone)}: the zones are ${ZONES.join(', ')}`;
    throw typeof zone === 'string' ? new RangeError(message) : new TypeError(message);
  }
  return index;
}
