import { type Clock, systemClock } from './clock.js';
import { type Scheduler, systemScheduler } from './scheduler.js';

/**
 * A clock that looks at another one at most once per `resolutionMs`, so that reading it is a field read.
 *
 * For deadlines that need no precision. Time stands still while the event loop is blocked. The timer that lets it go
 * on keeps nothing alive, and runs only while somebody reads.
 */
export class CoarseClock implements Clock {
  private readonly source: Clock;
  private readonly scheduler: Scheduler;
  private readonly resolutionMs: number;
  private cached = 0;
  private fresh = false;
  private readonly onTimer = (): void => {
    this.fresh = false;
  };

  /** @throws {RangeError} `resolutionMs` is not above 0 */
  constructor(resolutionMs = 1, source: Clock = systemClock, scheduler: Scheduler = systemScheduler) {
    if (!(resolutionMs > 0)) {
      throw new RangeError(`Cannot use a clock resolution of ${resolutionMs} ms: it must be above 0`);
    }
    this.resolutionMs = resolutionMs;
    this.source = source;
    this.scheduler = scheduler;
  }

  now(): number {
    if (!this.fresh) {
      this.fresh = true;
      this.cached = this.source.now();
      this.scheduler.after(this.resolutionMs, this.onTimer);
    }
    return this.cached;
  }
}
