import type { Scheduled, Scheduler } from '@core/base';

/** Turns are real, and so are timers, but that they last a few turns and no time. Stops with the life that it is for. */
export class TurnScheduler implements Scheduler {
  alive = true;

  nextTurn(callback: () => void): void {
    setImmediate(() => {
      if (this.alive) {
        callback();
      }
    });
  }

  after(_delayMs: number, callback: () => void): Scheduled {
    let cancelled = false;
    const wait = (turns: number): void => {
      if (cancelled || !this.alive) {
        return;
      }
      if (turns === 0) {
        callback();
      } else {
        setImmediate(wait, turns - 1);
      }
    };
    setImmediate(wait, 3);
    return {
      cancel() {
        cancelled = true;
      },
    };
  }
}
