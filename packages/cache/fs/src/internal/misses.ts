import type { Clock } from '@core/base';

/** For how long a miss that the system has confirmed is believed where looks are slow. */
const TRUST_MS = 3000;
/** What takes longer than this is slow: a network, not a disk. */
const SLOW_MS = 0.5;
/** Looks of which the fastest tells how slow the system is: others may only have waited for their turn. */
const LOOKS = 16;
const GENERATION = 8192;

interface Confirmed {
  readonly begunMs: number;
  readonly changeCount: number;
}

/**
 * Misses of calls whose callers expect the path to be there, such as `readFile`.
 *
 * The file system below is asked again before such a caller is told that it failed. Some programs ask for what is not
 * there all the time, and take the error for an answer: git reads a `.gitignore` in each directory. On a disk that costs
 * next to nothing. Over a network it would cost as much as no cache; so there, and only there, a miss that was confirmed
 * is believed for three seconds, as new attributes of a file are.
 */
export class Misses {
  private readonly clock: Clock;
  private young = new Map<string, Confirmed>();
  private old = new Map<string, Confirmed>();
  private readonly looksMs: number[] = [];
  private next = 0;

  /** @param clock in milliseconds, as precise as it can be */
  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** When a look begins: for {@link confirm}. */
  now(): number {
    return this.clock.now();
  }

  /** The system has said that the path is not there. */
  confirm(path: string, begunMs: number, changeCount: number): void {
    this.looksMs[this.next] = this.clock.now() - begunMs;
    this.next = (this.next + 1) % LOOKS;
    if (this.young.size >= GENERATION) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(path, { begunMs, changeCount });
  }

  /**
   * Whether the system need not be asked again.
   *
   * @param changeCount of now, where nothing else is known of the path: then any change might have made it
   */
  isConfirmed(path: string, changeCount?: number): boolean {
    const confirmed = this.young.get(path) ?? this.old.get(path);
    return (
      confirmed !== undefined &&
      (changeCount === undefined || changeCount === confirmed.changeCount) &&
      Math.min(...this.looksMs) > SLOW_MS &&
      this.now() - confirmed.begunMs < TRUST_MS
    );
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}
