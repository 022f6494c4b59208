import { checkOptionNames } from '@core/base';
import type { Inode } from './inode.js';

/** What a look at a file has shown: that there is one, that it is as before, that it has changed. */
export type LookOutcome = 'first' | 'unchanged' | 'changed';

/** Decides for how long attributes are believed without a look at the file. */
export interface RevalidationPolicy {
  /** Whether everybody who asks needs a look that began after that, instead of joining one that is under way. */
  readonly isStrict?: boolean;
  /**
   * Milliseconds for which the inode's attributes are believed, counted from when the look at them began; 0: not at
   * all. Called after each look. May keep what it needs in the inode's `ageMs` and `agedAtMs`.
   *
   * @param nowMs when the look began
   */
  trustMs(inode: Inode, outcome: LookOutcome, nowMs: number): number;
  /** The inode is leaving. */
  forget?(inode: Inode): void;
  /** The cache has closed. */
  close?(): void;
}

/** Looks at the file each time, for each who asks. */
export function alwaysRevalidate(): RevalidationPolicy {
  return { isStrict: true, trustMs: () => 0 };
}

export interface AgeOptions {
  /** Milliseconds for which a file that has changed is believed. Default 3,000. */
  readonly acregminMs?: number;
  /** At most, while it does not change. Default 60,000. */
  readonly acregmaxMs?: number;
  /** As `acregminMs`, for directories. Default 30,000. */
  readonly acdirminMs?: number;
  /** As `acregmaxMs`, for directories. Default 60,000. */
  readonly acdirmaxMs?: number;
}

const AGE_NAMES = ['acregminMs', 'acregmaxMs', 'acdirminMs', 'acdirmaxMs'];

/**
 * Believes attributes for a time that doubles as long as they do not change, and falls back to the least when they do.
 * So a change by others is seen after `acregmaxMs`, for directories `acdirmaxMs`, at the latest.
 *
 * @throws {TypeError} an option is unknown, or no number
 * @throws {RangeError} a time is negative, or a maximum below its minimum
 * @see Linux fs/nfs/inode.c; nfs(5), acregmin
 */
export function byAge(options: AgeOptions = {}): RevalidationPolicy {
  checkOptionNames(options, AGE_NAMES, 'a policy by age');
  const { acregminMs = 3000, acregmaxMs = 60_000, acdirminMs = 30_000, acdirmaxMs = 60_000 } = options;
  checkAges('acreg', acregminMs, acregmaxMs);
  checkAges('acdir', acdirminMs, acdirmaxMs);
  return new ByAge(acregminMs, acregmaxMs, acdirminMs, acdirmaxMs);
}

class ByAge implements RevalidationPolicy {
  private readonly fileMinMs: number;
  private readonly fileMaxMs: number;
  private readonly directoryMinMs: number;
  private readonly directoryMaxMs: number;

  constructor(fileMinMs: number, fileMaxMs: number, directoryMinMs: number, directoryMaxMs: number) {
    this.fileMinMs = fileMinMs;
    this.fileMaxMs = fileMaxMs;
    this.directoryMinMs = directoryMinMs;
    this.directoryMaxMs = directoryMaxMs;
  }

  trustMs(inode: Inode, outcome: LookOutcome, nowMs: number): number {
    if (outcome !== 'unchanged') {
      inode.ageMs = inode.isDirectory ? this.directoryMinMs : this.fileMinMs;
      inode.agedAtMs = nowMs;
    } else if (nowMs - inode.agedAtMs >= inode.ageMs) {
      // Only after a whole age: looks that somebody forces in between are no sign of a quiet file.
      inode.ageMs = Math.min(inode.ageMs * 2, inode.isDirectory ? this.directoryMaxMs : this.fileMaxMs);
      inode.agedAtMs = nowMs;
    }
    return inode.ageMs;
  }
}

function checkAges(kind: string, minMs: number, maxMs: number): void {
  checkAge(`${kind}minMs`, minMs);
  checkAge(`${kind}maxMs`, maxMs);
  if (maxMs < minMs) {
    throw new RangeError(
      `Cannot believe attributes: ${kind}maxMs is ${maxMs}; it must be ${kind}minMs, ${minMs}, or more`,
    );
  }
}

/** @throws {TypeError | RangeError} the option is no number of 0 or more */
export function checkAge(name: string, ms: unknown): void {
  if (typeof ms !== 'number') {
    throw new TypeError(`Cannot believe attributes: ${name} is ${String(ms)}; it must be a number of milliseconds`);
  }
  if (!(ms >= 0)) {
    throw new RangeError(`Cannot believe attributes: ${name} is ${ms}; it must be 0 or more`);
  }
}
