import type { Rng } from '@core/base';

/** How much more often low ranks are asked for: 0 all alike, 1 as words of a language. */
const SKEW = 0.9;

/**
 * A rank from 0 to below `keys`: nearly as by Zipf's law, where the n-th is asked for about 1/n as often as the first.
 * From the inverse of the integral of that law, so that no table is needed.
 */
export function zipfRank(keys: number, rng: Rng): number {
  const power = 1 - SKEW;
  const place = (((keys + 1) ** power - 1) * rng.next() + 1) ** (1 / power);
  return Math.min(keys, Math.floor(place)) - 1;
}
