/** Real sizes are for figures; smoke sizes only show that a bench works and that its competitors agree. */
export type Size = 'real' | 'smoke';

/** One way to do the work of a race. Each is written out by itself, so that no two share what the JIT learnt. */
export interface Competitor {
  readonly name: string;
  /** Operations in one run. */
  readonly operations: number;
  /** Does the work once, from a clean sink, and leaves nothing for later. */
  readonly run: () => void | Promise<void>;
  /** What the last run computed; must be the same for all competitors, and not 0. */
  readonly hash: () => number;
  /** More about the last run: what may differ, and is worth knowing. */
  readonly facts?: () => Readonly<Record<string, number>>;
}

/** What a figure is held to. */
export interface Target {
  readonly bound: 'at most' | 'at least';
  readonly value: number;
  /** No slack for noise: it is counted, not timed. */
  readonly exact: boolean;
}

export function atMost(value: number): Target {
  return { bound: 'at most', value, exact: false };
}

export function atLeast(value: number): Target {
  return { bound: 'at least', value, exact: false };
}

export function exactly(bound: 'at most' | 'at least', value: number): Target {
  return { bound, value, exact: true };
}
