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
  /** As many of the queue are wanted. To set the length of an array takes longer than all the rest here. */
  private wanted = 0;

  nextTurn(callback: () => void): void {
    this.queue[this.wanted] = callback;
    this.wanted++;
  }

  after(): Scheduled {
    return NEVER;
  }

  /** Takes turns until nobody wants one. */
  run(): void {
    while (this.wanted > 0) {
      const { queue, wanted } = this;
      this.queue = this.spare;
      this.spare = queue;
      this.wanted = 0;
      for (let index = 0; index < wanted; index++) {
        (queue[index] as () => void)();
      }
    }
  }
}
