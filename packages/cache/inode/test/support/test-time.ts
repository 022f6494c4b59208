import type { Clock, Scheduled, Scheduler } from '@core/base';

interface Timer {
  readonly dueMs: number;
  callback: (() => void) | null;
}

/** A clock and an event loop that move only when the test says so. Microtasks run when the test awaits. */
export class TestTime implements Clock, Scheduler {
  /** No whole second: those are taken for times of a file system that counts no finer. */
  nowMs = 1_000_001;
  private readonly turns: (() => void)[] = [];
  private timers: Timer[] = [];

  now(): number {
    return this.nowMs;
  }

  nextTurn(callback: () => void): void {
    this.turns.push(callback);
  }

  after(delayMs: number, callback: () => void): Scheduled {
    const timer: Timer = { dueMs: this.nowMs + delayMs, callback };
    this.timers.push(timer);
    return {
      cancel() {
        timer.callback = null;
      },
    };
  }

  /** Moves the clock on, and runs the timers that are due then. */
  advance(ms: number): void {
    this.nowMs += ms;
    const due = this.timers.filter(({ dueMs }) => dueMs <= this.nowMs);
    this.timers = this.timers.filter(({ dueMs }) => dueMs > this.nowMs);
    for (const { callback } of due) {
      callback?.();
    }
  }

  runTurn(): boolean {
    const turn = this.turns.shift();
    turn?.();
    return turn !== undefined;
  }

  /** Runs turns, and the microtasks after each, until none is scheduled. */
  async runAll(): Promise<void> {
    do {
      await microtasks();
    } while (this.runTurn());
  }
}

/** Lets every microtask run that is due, and those which they queue: a turn of the real loop. */
export function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
