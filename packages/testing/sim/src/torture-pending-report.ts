import type { TortureFailure } from './internal/failure-log.js';
import { formatFailures, formatRows } from './torture-report.js';

/** What {@link torturePending} checks. The README says what each means. */
export type PendingCheck =
  | 'process-early'
  | 'cookie-early'
  | 'process-once'
  | 'dequeue-early'
  | 'dequeue-once'
  | 'claim'
  | 'count'
  | 'bytes'
  | 'barrier'
  | 'exit'
  | 'hang'
  | 'threw'
  | 'vacuous-readers'
  | 'vacuous-process'
  | 'vacuous-dequeue';

/** What a torture of a pending found. */
export interface PendingReport {
  readonly ok: boolean;
  /** Empty when `ok`; the first is the one that was seen first. */
  readonly failures: readonly TortureFailure<PendingCheck>[];
  readonly flavor: string;
  readonly loop: string;
  readonly seed: number;
  readonly readers: number;
  readonly writers: number;
  /** Sections read. */
  readonly reads: number;
  readonly turns: number;
  readonly enqueued: number;
  readonly processed: number;
  /** Handed out again before their grace period was over. */
  readonly dequeued: number;
  /** Handed out again by `dequeueExpired`. */
  readonly expired: number;
  /** Objects that were enqueued while readers were about who could have seen them. */
  readonly watched: number;
  /** Sections in which a reader held an object while it was pending. */
  readonly heldPending: number;
  /** Sections in which a reader found that its object had been reused. */
  readonly heldReused: number;
  readonly maxCount: number;
  readonly barriers: number;
}

/** The report as a table. */
export function formatPendingReport(report: PendingReport): string {
  const rows: [string, string][] = [
    ['Flavour', `${report.flavor}, ${report.loop} loop, seed ${report.seed}`],
    ['Actors', `${report.readers} readers, ${report.writers} writers`],
    ['Reads', `${report.reads} in ${report.turns} turns`],
    [
      'Enqueued',
      `${report.enqueued}, ${report.watched} of them while a reader could know them, ${report.maxCount} at most at once`,
    ],
    ['Processed', `${report.processed}`],
    ['Dequeued', `${report.dequeued}, and ${report.expired} that had expired`],
    ['Readers held', `${report.heldPending} pending objects, ${report.heldReused} reused ones`],
    ['Barriers', `${report.barriers}`],
  ];
  return [...formatRows(rows), ...formatFailures(report), ''].join('\n');
}
