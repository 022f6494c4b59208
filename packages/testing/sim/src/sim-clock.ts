import type { Clock } from '@core/base';

/**
 * A clock that stands still until somebody moves it.
 *
 * Moving it runs nothing by itself: timers of a {@link SimScheduler} become ready, and run in its next turns, as they
 * do in an event loop.
 */
export class SimClock implements Clock {
  #nowMs: number;

  /** @param startMs what {@link now} says at first; default 0 */
  constructor(startMs: number = 0) {
    if (!Number.isFinite(startMs)) {
      throw new RangeError(`Cannot start the clock: ${startMs} is not a time in milliseconds`);
    }
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  /**
   * Moves the clock forward.
   *
   * @throws {RangeError} when `ms` is negative or not finite: a clock never runs backwards
   */
  advance(ms: number): void {
    if (!(ms >= 0) || ms === Infinity) {
      throw new RangeError(`Cannot advance the clock: ${ms} is not a length of time in milliseconds`);
    }
    this.#nowMs += ms;
  }
}
