/** A reader that stays too long (`stall`), was forgotten (`leak`), or was still open at exit (`abandoned`). */
export interface SrcuReport {
  readonly kind: 'stall' | 'leak' | 'abandoned';
  /** Name of the domain. */
  readonly domain: string;
  /**
   * Label of the reader; `a raw read lock` for raw pairs without debug mode, which nobody can tell apart. Of readers that
   * are abandoned, the oldest one's.
   */
  readonly label: string;
  /** How long it has been open; for a raw pair without debug mode, how long a grace period has waited for it. */
  readonly ageMs: number;
  /**
   * Readers with a label that are open too long and get no report of their own in this period, counted up to 10,000. In
   * the last of 16 reports, which is the most there are; else 0.
   */
  readonly more: number;
  /** Readers open in the domain. */
  readonly readers: number;
  /** Callbacks that wait behind them. */
  readonly callbacksWaiting: number;
  /** Where the section was opened; only in debug mode. */
  readonly stack: string | null;
}

const WHAT = {
  stall: 'has been open too long',
  leak: 'was garbage-collected without being released',
  abandoned: 'was still open when the process ran out of work; it was given up so that callbacks could run',
} as const;

/** The default channel for reports. */
export function warnOf(report: SrcuReport): void {
  const more = report.more === 0 ? '' : `; ${report.more} more are overdue`;
  const seconds = (report.ageMs / 1000).toFixed(1);
  process.emitWarning(
    `Reader "${report.label}" of "${report.domain}" ${WHAT[report.kind]} (${seconds} s): ${report.readers} readers open, ${report.callbacksWaiting} callbacks wait${more}`,
    {
      type: 'ReclaimWarning',
      code: `RECLAIM_SRCU_${report.kind.toUpperCase()}`,
      detail: report.stack ?? 'Open the domain with { debug: true } to see where readers were opened',
    },
  );
}
