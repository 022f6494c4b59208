import type { Target } from './competitor.js';
import type { Figure, Unit } from './result.js';
import { median, quantile } from './statistics.js';

/** What was measured of one competitor, in each round. */
export function figureOver(
  what: string,
  of: string,
  values: readonly number[],
  unit: Unit,
  target: Target | null = null,
  against: string | null = null,
): Figure {
  return {
    what,
    of,
    against,
    value: median(values),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
    unit,
    target,
  };
}

/** What was measured of two competitors in the same rounds, divided round by round. */
export function ratioOver(
  what: string,
  [of, ours]: readonly [string, readonly number[]],
  [against, theirs]: readonly [string, readonly number[]],
  target: Target | null,
): Figure {
  const ratios = ours.map((value, round) => value / (theirs[round] as number));
  return figureOver(what, of, ratios, 'x', target, against);
}
