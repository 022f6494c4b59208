import type { Scheduled, Scheduler } from '@core/base';

/** The longest delay of a timer; Node takes a longer one for 1 ms. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Looks after open readers once per period, as long as there are some, with a timer that keeps nothing alive. */
export class StallWatch {
  readonly stallMs: number;
  stalls = 0;
  private timer: Scheduled | null = null;
  private readonly scheduler: Scheduler;
  /** Reports readers that are overdue; returns the age of the oldest, or null when none is open. */
  private readonly look: () => number | null;

  constructor(stallMs: number, scheduler: Scheduler, look: () => number | null) {
    this.stallMs = stallMs;
    this.scheduler = scheduler;
    this.look = look;
  }

  /** Called when a reader opens whose age is known, or when a grace period waits for one whose is not. */
  watch(): void {
    if (this.timer === null && this.stallMs !== Infinity) {
      this.arm(this.stallMs);
    }
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private arm(delayMs: number): void {
    this.timer = this.scheduler.after(Math.min(delayMs, MAX_DELAY_MS), () => this.expired());
  }

  private expired(): void {
    this.timer = null;
    const ageMs = this.look();
    if (ageMs === null) {
      return;
    }
    if (ageMs >= this.stallMs) {
      this.arm(this.stallMs);
    } else {
      this.arm(this.stallMs - ageMs);
    }
  }
}
