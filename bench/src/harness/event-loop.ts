import type { Scheduled, Scheduler } from '@core/base';

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

const NEVER: Scheduled = { cancel() {} };

/** Turns without an event loop: what a grace period costs by itself. Timers never fire. */
export class ManualLoop implements Scheduler {
  private queue: (() => void)[] = [];
  private spare: (() => void)[] = [];

  nextTurn(callback: () => void): void {
    this.queue.push(callback);
  }

  after(): Scheduled {
    return NEVER;
  }

  /** Takes turns until nobody wants one. */
  run(): void {
    while (this.queue.length > 0) {
      const callbacks = this.queue;
      this.queue = this.spare;
      for (const callback of callbacks) {
        callback();
      }
      callbacks.length = 0;
      this.spare = callbacks;
    }
  }
}
