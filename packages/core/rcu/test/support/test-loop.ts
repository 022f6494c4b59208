import type { Clock, Scheduled, Scheduler } from '@core/base';

interface Turn {
  readonly callback: () => void;
  readonly keepAlive: boolean;
}

interface Timer extends Scheduled {
  readonly dueMs: number;
  callback: (() => void) | null;
}

/** An event loop that moves only when the test says so. Microtasks run as usual, when the test awaits. */
export class TestLoop implements Scheduler, Clock {
  timeMs = 0;
  /** Called where a macrotask ends and the next one begins. */
  onBoundary: (() => void) | null = null;
  private readonly turns: Turn[] = [];
  private timers: Timer[] = [];

  now(): number {
    return this.timeMs;
  }

  nextTurn(callback: () => void, keepAlive: boolean): void {
    this.turns.push({ callback, keepAlive });
  }

  after(delayMs: number, callback: () => void): Scheduled {
    const timer: Timer = {
      dueMs: this.timeMs + delayMs,
      callback,
      cancel() {
        timer.callback = null;
      },
    };
    this.timers.push(timer);
    return timer;
  }

  /** Turns that are scheduled. */
  get scheduled(): number {
    return this.turns.length;
  }

  /** Whether a process with this loop would stay up. */
  get isAlive(): boolean {
    return this.turns.some((turn) => turn.keepAlive);
  }

  /** Timers that are neither cancelled nor expired. */
  get timersPending(): number {
    return this.timers.filter((timer) => timer.callback !== null).length;
  }

  /** Ends the current macrotask and runs the next turn that is scheduled; false when there is none. */
  runTurn(): boolean {
    this.onBoundary?.();
    const turn = this.turns.shift();
    turn?.callback();
    return turn !== undefined;
  }

  /** Runs turns until none is scheduled, with the microtasks after each. Returns how many there were. */
  async runAll(max = 10_000): Promise<number> {
    let turns = 0;
    while (this.runTurn()) {
      turns++;
      if (turns > max) {
        throw new Error(`The loop has not come to rest after ${max} turns`);
      }
      await microtasks();
    }
    return turns;
  }

  /** Moves the clock, and runs the timers that are due on the way, in order. */
  advance(ms: number): void {
    const untilMs = this.timeMs + ms;
    for (;;) {
      const due = this.timers.filter((timer) => timer.callback !== null && timer.dueMs <= untilMs);
      const next = due.sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) {
        break;
      }
      this.timeMs = Math.max(this.timeMs, next.dueMs);
      const { callback } = next;
      next.callback = null;
      callback?.();
    }
    this.timers = this.timers.filter((timer) => timer.callback !== null);
    this.timeMs = untilMs;
  }
}

/** Lets every microtask run that is due, and those which they queue: a real turn of the real loop. */
export function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
