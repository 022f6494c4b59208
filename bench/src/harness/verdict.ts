import type { Target } from './competitor.js';
import type { Figure } from './result.js';

/** How far a figure may be off its target for noise alone. */
export const SLACK = 0.25;

/** `near` is off the target, within the slack. */
export type Verdict = 'met' | 'near' | 'missed' | 'none';

export function verdictOf({ value, target }: Pick<Figure, 'value' | 'target'>): Verdict {
  if (target === null) {
    return 'none';
  }
  if (holds(value, target, 0)) {
    return 'met';
  }
  return !target.exact && holds(value, target, SLACK) ? 'near' : 'missed';
}

/** A value that is no number holds nowhere. */
function holds(value: number, { bound, value: limit }: Target, slack: number): boolean {
  return bound === 'at most' ? value <= limit * (1 + slack) : value >= limit / (1 + slack);
}
