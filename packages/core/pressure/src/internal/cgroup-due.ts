import type { Clock } from '@core/base';

/** Says when something that was read must be read again: after so many looks, or so much time. */
export class Due {
  private readonly clock: Clock;
  private readonly everyReads: number;
  private readonly everyMs: number;
  private readsLeft = 0;
  private lastMs = -Infinity;

  /** @throws {RangeError} `everyReads` is no whole number from 1 up (or Infinity), or `everyMs` is not above 0 */
  constructor(clock: Clock, everyReads: number, everyMs: number) {
    if (!(everyReads === Infinity || (Number.isInteger(everyReads) && everyReads >= 1))) {
      throw new RangeError(`Cannot look again every ${everyReads} reads: it must be a whole number from 1 up`);
    }
    if (!(everyMs > 0)) {
      throw new RangeError(`Cannot look again every ${everyMs} ms: it must be above 0`);
    }
    this.clock = clock;
    this.everyReads = everyReads;
    this.everyMs = everyMs;
  }

  /** Counts one read. True at the first, and then when it is time again. */
  tick(): boolean {
    return --this.readsLeft < 0 || !(this.clock.now() - this.lastMs < this.everyMs);
  }

  /** Counts from here. */
  restart(): void {
    this.readsLeft = this.everyReads - 1;
    this.lastMs = this.clock.now();
  }
}
