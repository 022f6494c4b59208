import type { Job, Sample } from './protocol.js';

/** What became of a child. */
export interface Outcome {
  readonly job: Job;
  /** It went through the whole load, closed everything, and exited with 0. */
  readonly survived: boolean;
  /** How it ended, for people: `exit 0`, `SIGABRT`. */
  readonly exit: string;
  /** What it printed, if it died. */
  readonly lastWords: string;
  /** Of its whole life, the start of Node included. */
  readonly seconds: number;
  /** What it said last; of the dead, a moment before. */
  readonly last: Sample | null;
  /** Said when memory was short, the last time. */
  readonly report: string | null;
}

/** Reclaim may be so much under what was tuned by hand for this very load. Points of 100. */
const HIT_RATIO_POINTS = 5;

/** What Reclaim has done wrong under one load, as sentences; of the others nothing is expected. */
export function faultsOf(outcomes: readonly Outcome[]): string[] {
  const ours = outcomes.find(({ job }) => job.contender === 'reclaim');
  if (ours === undefined || ours.last === null || !ours.survived) {
    return [`Reclaim did not survive: ${ours?.exit ?? 'it was not run'}`];
  }
  const faults: string[] = [];
  const { hitRatio, handles } = ours.last;
  const wrong: [number, string][] = [
    [handles.open, 'never closed'],
    [handles.closedTwice, 'closed twice'],
    [handles.usedAfterClose, 'used after they were closed'],
  ];
  for (const [count, what] of wrong) {
    if (count > 0) {
      faults.push(`Reclaim: ${count} handles were ${what}`);
    }
  }
  const tuned = outcomes.find(({ job }) => job.contender === 'lru-size');
  const missing = tuned?.survived === true && tuned.last !== null ? 100 * (tuned.last.hitRatio - hitRatio) : 0;
  if (missing > HIT_RATIO_POINTS) {
    faults.push(`Reclaim: a hit ratio ${missing.toFixed(1)} points under that of caches tuned by hand`);
  }
  return faults;
}
