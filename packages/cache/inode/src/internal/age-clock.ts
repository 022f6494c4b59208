import { type Clock, CoarseClock, type Scheduler } from '@core/base';

const RESOLUTION_MS = 1;
/** Reads after which the time is looked at in any case. */
const MAX_READS = 64;

/**
 * A coarse clock that goes on also while the event loop is blocked: a program that works synchronously for a minute
 * must not believe what it saw at the beginning for that long.
 */
export class AgeClock implements Clock {
  private readonly source: Clock;
  private readonly coarse: CoarseClock;
  private readsLeft = 0;
  private aheadMs = Number.NEGATIVE_INFINITY;

  constructor(source: Clock, scheduler: Scheduler) {
    this.source = source;
    this.coarse = new CoarseClock(RESOLUTION_MS, source, scheduler);
  }

  now(): number {
    if (this.readsLeft-- <= 0) {
      return this.exactNow();
    }
    const coarseMs = this.coarse.now();
    return coarseMs > this.aheadMs ? coarseMs : this.aheadMs;
  }

  /** The time itself; later reads are never behind it. */
  exactNow(): number {
    this.readsLeft = MAX_READS;
    this.aheadMs = this.source.now();
    return this.aheadMs;
  }
}
