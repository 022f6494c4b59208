import type { Scheduled, Scheduler } from '@core/base';

class OwnedTimer implements Scheduled {
  readonly owner: string;
  readonly delayMs: number;
  readonly #open: Set<OwnedTimer>;
  readonly #timer: Scheduled;

  constructor(owner: string, delayMs: number, callback: () => void, scheduler: Scheduler, open: Set<OwnedTimer>) {
    this.owner = owner;
    this.delayMs = delayMs;
    this.#open = open;
    open.add(this);
    this.#timer = scheduler.after(delayMs, () => {
      open.delete(this);
      callback();
    });
  }

  cancel(): void {
    this.#open.delete(this);
    this.#timer.cancel();
  }
}

/** Knows every timer that was set through one of its schedulers, and whose it is. */
export class Timers {
  readonly #open = new Set<OwnedTimer>();
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get count(): number {
    return this.#open.size;
  }

  /** A view of the scheduler that notes `owner` on every timer. */
  schedulerOf(owner: string): Scheduler {
    const scheduler = this.#scheduler;
    const open = this.#open;
    return {
      nextTurn: (callback, keepAlive) => scheduler.nextTurn(callback, keepAlive),
      after: (delayMs, callback) => new OwnedTimer(owner, delayMs, callback, scheduler, open),
    };
  }

  cancelOf(owner: string): void {
    for (const timer of this.#open) {
      if (timer.owner === owner) {
        timer.cancel();
      }
    }
  }

  /** Cancels what is left and says what it was. */
  cancelAll(): { readonly owner: string; readonly delayMs: number }[] {
    const left = [...this.#open];
    for (const timer of left) {
      timer.cancel();
    }
    return left;
  }
}
