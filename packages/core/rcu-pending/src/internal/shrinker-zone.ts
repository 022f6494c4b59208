import type { Zone } from '@core/shrinker';

const ZONES: readonly unknown[] = ['heap', 'external', 'shared'] satisfies Zone[];

/** @throws {RangeError} `zone` is given and is none */
export function checkZone(zone: unknown): void {
  if (zone !== undefined && !ZONES.includes(zone)) {
    throw new RangeError(`Cannot shrink in zone ${String(zone)}: it must be "heap", "external" or "shared"`);
  }
}
