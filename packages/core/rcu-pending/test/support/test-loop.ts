import type { Clock, Scheduled, Scheduler } from '@core/base';

/** An event loop and a clock that move only when the test says so. Microtasks run when the test awaits. */
export class TestLoop implements Clock, Scheduler {
  timeMs = 0;
  /** Called where a macrotask ends and the next one begins. */
  onBoundary: (() => void) | null = null;
  private turns: { readonly callback: () => void; readonly keepAlive: boolean }[] = [];

  now(): number {
    return this.timeMs;
  }

  nextTurn(callback: () => void, keepAlive: boolean): void {
    this.turns.push({ callback, keepAlive });
  }

  /** Nothing here depends on timers. */
  after(): Scheduled {
    return { cancel() {} };
  }

  /** Turns that are scheduled. */
  get scheduled(): number {
    return this.turns.length;
  }

  /** Whether a process with this loop would stay up. */
  get isAlive(): boolean {
    return this.turns.some(({ keepAlive }) => keepAlive);
  }

  /** Ends the current macrotask and runs the next turn that is scheduled; false when there is none. */
  runTurn(): boolean {
    this.onBoundary?.();
    const turn = this.turns.shift();
    turn?.callback();
    return turn !== undefined;
  }

  /** Runs turns, and no microtasks, until none is scheduled. @returns how many there were */
  runSync(max = 10_000): number {
    let turns = 0;
    while (this.runTurn()) {
      if (++turns > max) {
        throw new Error(`The loop has not come to rest after ${max} turns`);
      }
    }
    return turns;
  }

  /** Runs turns, and the microtasks after each, until none is scheduled. */
  async runAll(max = 10_000): Promise<void> {
    for (let turns = 0; ; turns++) {
      await microtasks();
      if (!this.runTurn()) {
        return;
      }
      if (turns > max) {
        throw new Error(`The loop has not come to rest after ${max} turns`);
      }
    }
  }
}

/** Lets every microtask run that is due, and those which they queue: a turn of the real loop. */
export function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
