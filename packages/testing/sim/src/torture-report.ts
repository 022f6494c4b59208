import type { TortureFailure } from './internal/failure-log.js';

export type { TortureFailure } from './internal/failure-log.js';

/**
 * What {@link torture} checks. A failed check that begins with `vacuous` says that the run proved nothing.
 *
 * The README says what each means.
 */
export type TortureCheck =
  | 'reader-age'
  | 'reader-batch'
  | 'reader-reuse'
  | 'live-cookies'
  | 'poll-monotone'
  | 'poll-first'
  | 'equal'
  | 'cookie-late'
  | 'quiet-get-state'
  | 'call-stack'
  | 'call-once'
  | 'barrier'
  | 'circulation'
  | 'stuck-reader-freed'
  | 'stall-report'
  | 'hang'
  | 'threw'
  | 'vacuous-free-list'
  | 'vacuous-age'
  | 'vacuous-grace-periods'
  | 'vacuous-primitive';

/** The ways to wait for a grace period that the writers take in turn. */
export const PRIMITIVES = ['synchronize', 'synchronizeExpedited', 'call', 'getState+poll', 'startPoll+poll'] as const;

export type Primitive = (typeof PRIMITIVES)[number];

/** What a torture found. */
export interface TortureReport {
  readonly ok: boolean;
  /** Empty when `ok`; the first is the one that was seen first. */
  readonly failures: readonly TortureFailure<TortureCheck>[];
  readonly flavor: string;
  readonly loop: string;
  readonly seed: number;
  readonly readers: number;
  readonly fakeWriters: number;
  /** Sections read. */
  readonly reads: number;
  /** Objects replaced by the true writer. */
  readonly updates: number;
  readonly turns: number;
  /** Grace periods that ended during the run, as the flavour counts them. */
  readonly gracePeriods: number;
  /** By age, how many sections ended holding an object of that age. Anything beyond index 1 is a broken grace period. */
  readonly readerAges: readonly number[];
  /** By number, how many sections saw so many grace periods end. Anything beyond index 1 is broken too. */
  readonly readerBatches: readonly number[];
  /** By age, how many objects reached it: flat, but for what is still on its way. The last is how many were freed. */
  readonly circulation: readonly number[];
  /** How many times each primitive has completed. */
  readonly primitives: Readonly<Record<Primitive, number>>;
  readonly barriers: number;
  /** How often the true writer found no free object. */
  readonly freeListEmpty: number;
  /** The most distinct cookies that were not over at one instant. */
  readonly maxLiveCookies: number;
  /** Readers reported by the flavour while the torture held one stuck; -1 when that was not tried. */
  readonly stallReports: number;
}

/** The report as a table, as rcutorture prints one at the end of a test. */
export function formatReport(report: TortureReport): string {
  const { primitives } = report;
  const rows: [string, string][] = [
    ['Flavour', `${report.flavor}, ${report.loop} loop, seed ${report.seed}`],
    ['Actors', `${report.readers} readers, 1 writer, ${report.fakeWriters} fake writers`],
    ['Reads', `${report.reads} in ${report.turns} turns`],
    ['Updates', `${report.updates}`],
    ['Grace periods', `${report.gracePeriods}`],
    ['Reader ages', histogram(report.readerAges)],
    ['Reader batches', histogram(report.readerBatches)],
    ['Free-block circulation', report.circulation.join(' ')],
    ['Primitives', PRIMITIVES.map((name) => `${name} ${primitives[name]}`).join(', ')],
    ['Barriers', `${report.barriers}`],
    ['Free list empty', `${report.freeListEmpty} times`],
    ['Live cookies', `${report.maxLiveCookies} at most`],
    ['Stall reports', report.stallReports < 0 ? 'not tried' : `${report.stallReports}`],
  ];
  return [...formatRows(rows), ...formatFailures(report), ''].join('\n');
}

/** Rows with their first column aligned. */
export function formatRows(rows: readonly [string, string][]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

/** The verdict, and what each failed check saw. */
export function formatFailures(report: {
  readonly ok: boolean;
  readonly failures: readonly TortureFailure[];
}): string[] {
  const lines = report.failures.map(
    ({ check, message, count, atOperation }) =>
      `  !!! ${check} (${count}×, first at operation ${atOperation}): ${message}`,
  );
  return [`Verdict: ${report.ok ? 'SUCCESS' : 'FAILURE'}`, ...lines];
}

function histogram(counts: readonly number[]): string {
  const broken = counts.slice(2).some((count) => count > 0);
  return `${counts.join(' ')}${broken ? '   !!!' : ''}`;
}
