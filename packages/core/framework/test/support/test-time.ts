import { type Clock, type Scheduled, type Scheduler, systemScheduler } from '@core/base';

/** Time that moves by hand; turns are the real ones. */
export class TestTime implements Clock, Scheduler {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#nowMs;
  }

  nextTurn(callback: () => void, keepAlive: boolean): void {
    systemScheduler.nextTurn(callback, keepAlive);
  }

  after(delayMs: number, callback: () => void): Scheduled {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)) {
      if (timer.dueMs <= this.#nowMs && this.#timers.delete(timer)) {
        timer.callback();
      }
    }
  }

  /** Lets time pass, `stepMs` for every few turns, until `promise` settles; then it is as if awaited. */
  async pass<T>(promise: Promise<T>, stepMs = 500): Promise<T> {
    const state = { settled: false };
    const watched = promise.finally(() => {
      state.settled = true;
    });
    watched.catch(() => {});
    for (let step = 0; !state.settled; step++) {
      if (step > 1000) {
        throw new Error('The promise did not settle within 1000 steps');
      }
      await turns(8);
      if (!state.settled) {
        this.advance(stepMs);
      }
    }
    return await watched;
  }
}

/** Waits for `count` turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
