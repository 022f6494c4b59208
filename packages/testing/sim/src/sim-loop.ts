import { SeededRng } from '@core/base';

import type { EventLoop, Hop } from './event-loop.js';
import { drainMicrotasks } from './internal/drain-microtasks.js';
import { SimClock } from './sim-clock.js';
import { SimScheduler } from './sim-scheduler.js';

export interface SimLoopOptions {
  /** Chooses the order of turns and the length of timers; default 1. */
  seed?: number;
  /** Timers of hops last up to so many milliseconds; default 4. */
  maxTimerMs?: number;
  /** How far each look at the clock moves it on: what uses up budgets of time within a turn. Default 0.4. */
  clockStepMs?: number;
}

/**
 * A simulated event loop: the same seed gives the same order of turns, so a failure repeats exactly.
 *
 * Give its `clock` and `scheduler` to what is tested. Microtasks and ticks are the real ones.
 */
export class SimLoop implements EventLoop {
  readonly name = 'simulated';
  readonly clock: SimClock;
  readonly scheduler: SimScheduler;
  readonly #rng: SeededRng;
  readonly #maxTimerMs: number;

  constructor(options: SimLoopOptions = {}) {
    this.#rng = new SeededRng(options.seed ?? 1);
    this.#maxTimerMs = options.maxTimerMs ?? 4;
    this.clock = new SimClock(0, options.clockStepMs ?? 0.4);
    this.scheduler = new SimScheduler({ clock: this.clock, rng: this.#rng });
  }

  get turn(): number {
    return this.scheduler.turn;
  }

  run(hop: Hop, callback: () => void): void {
    switch (hop) {
      case 'await':
        queueMicrotask(callback);
        break;
      case 'tick':
        process.nextTick(callback);
        break;
      case 'immediate':
        this.scheduler.nextTurn(callback, true);
        break;
      case 'timer':
        this.scheduler.after(1 + this.#rng.below(this.#maxTimerMs), callback);
        break;
      case 'message':
      case 'io':
        this.scheduler.post(callback);
        break;
    }
  }

  async pump(done: () => boolean, maxTurns: number): Promise<boolean> {
    for (let turns = 0; ; turns++) {
      await drainMicrotasks();
      if (done()) {
        return true;
      }
      // The time moves a little now and then, so that timers and turns mix, and far only when nothing else can run.
      if (this.#rng.below(4) === 0) {
        this.clock.advance(1);
      }
      if (!this.scheduler.ready) {
        this.scheduler.advanceToNextTimer();
      }
      if (turns >= maxTurns || !this.scheduler.runTurn()) {
        return false;
      }
    }
  }

  async rest(turns: number): Promise<void> {
    await drainMicrotasks();
    for (let turn = 0; turn < turns && this.scheduler.runTurn(); turn++) {
      await drainMicrotasks();
    }
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }

  close(): void {}
}
