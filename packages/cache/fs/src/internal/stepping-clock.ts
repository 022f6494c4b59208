import type { Clock } from '@core/base';

/** Reads for which one look at the clock is enough. */
const READS = 64;

/**
 * A clock that looks at another one once per turn of the event loop, or per 64 reads: in one turn thousands of
 * synchronous calls may be made, which take seconds, and a program may wait in a loop for a file to appear.
 */
export class SteppingClock implements Clock {
  private readonly source: Clock;
  private left = 0;
  private cached = 0;
  private readonly endTurn = (): void => {
    this.left = 0;
  };

  constructor(source: Clock) {
    this.source = source;
  }

  now(): number {
    if (this.left === 0) {
      this.look();
    }
    this.left--;
    return this.cached;
  }

  private look(): void {
    this.cached = this.source.now();
    this.left = READS;
    setImmediate(this.endTurn).unref();
  }
}
