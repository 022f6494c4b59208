import type { Clock } from '@core/base';

/**
 * A clock that stands still until somebody moves it.
 *
 * Moving it runs nothing by itself: timers of a {@link SimScheduler} become ready, and run in its next turns, as they
 * do in an event loop.
 */
export class SimClock implements Clock {
  #nowMs: number;
  readonly #stepMs: number;

  /**
   * @param startMs where it stands at first; default 0
   * @param stepMs how far each {@link now} moves it on, so that code which looks at the clock sees time pass; default 0
   * @throws {RangeError} when `startMs` is not finite, or `stepMs` is negative or not finite
   */
  constructor(startMs: number = 0, stepMs: number = 0) {
    if (!Number.isFinite(startMs)) {
      throw new RangeError(`Cannot start the clock: ${startMs} is not a time in milliseconds`);
    }
    this.#nowMs = startMs;
    this.#stepMs = lengthOfTime(stepMs);
  }

  now(): number {
    this.#nowMs += this.#stepMs;
    return this.#nowMs;
  }

  /** The time, without a step. */
  peek(): number {
    return this.#nowMs;
  }

  /**
   * Moves the clock forward.
   *
   * @throws {RangeError} when `ms` is negative or not finite: a clock never runs backwards
   */
  advance(ms: number): void {
    this.#nowMs += lengthOfTime(ms);
  }
}

function lengthOfTime(ms: number): number {
  if (!(ms >= 0) || ms === Infinity) {
    throw new RangeError(`Cannot advance the clock: ${ms} is not a length of time in milliseconds`);
  }
  return ms;
}
