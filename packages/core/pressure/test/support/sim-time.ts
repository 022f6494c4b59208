import type { Clock, Scheduled, Scheduler } from '@core/base';

interface Timer {
  readonly dueMs: number;
  readonly delayMs: number;
  readonly callback: () => void;
}

/** A clock and an event loop that stand still until a test moves them. */
export class SimTime implements Clock, Scheduler {
  /** How far each look at the clock moves it, so that code that looks sees time pass. */
  stepMs = 0;
  /** The delay of each timer that ran, oldest first. */
  readonly delays: number[] = [];
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  get timers(): readonly Timer[] {
    return [...this.#timers];
  }

  now(): number {
    this.#nowMs += this.stepMs;
    return this.#nowMs;
  }

  nextTurn(callback: () => void): void {
    this.after(0, callback);
  }

  after(delayMs: number, callback: () => void): Scheduled {
    const timer = { dueMs: this.#nowMs + delayMs, delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Lets time pass, timer by timer, each with all of its microtasks. */
  async runFor(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (next === undefined || timer.dueMs < next.dueMs) {
          next = timer;
        }
      }
      if (next === undefined || next.dueMs > endMs) {
        break;
      }
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#timers.delete(next);
      this.delays.push(next.delayMs);
      next.callback();
      await turn();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }
}

/** Every microtask that is due has run. */
export async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
