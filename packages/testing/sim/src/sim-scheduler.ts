import type { Rng, Scheduled, Scheduler } from '@core/base';

import { drainMicrotasks } from './internal/drain-microtasks.js';
import { SimClock } from './sim-clock.js';
import { SimError } from './sim-error.js';

export interface SimSchedulerOptions {
  /** Drives the timers. Default: a new one, at 0. */
  clock?: SimClock;
  /**
   * Chooses which source gives the next turn: turns, foreign tasks or timers that are due. Default: none, and the next
   * turn is what became ready first. Turns keep their order among themselves either way, as the Scheduler port promises.
   */
  rng?: Rng;
}

export interface RunUntilIdleOptions {
  /** Throws after so many turns; default 100,000. */
  maxTurns?: number;
  /** Moves the clock to the next timer when nothing else is ready. Default false: timers wait for the clock. */
  advanceClock?: boolean;
}

interface Task {
  readonly callback: () => void;
  readonly keepAlive: boolean;
  /** What became ready first has the smaller number. */
  readonly order: number;
}

class SimTimer implements Scheduled {
  readonly dueMs: number;
  readonly order: number;
  callback: (() => void) | null;

  constructor(dueMs: number, order: number, callback: () => void) {
    this.dueMs = dueMs;
    this.order = order;
    this.callback = callback;
  }

  cancel(): void {
    this.callback = null;
  }
}

/**
 * An event loop under the test's control: nothing runs until the test says so, one turn at a time.
 *
 * A turn of an event loop is a macrotask with all of its microtasks. {@link runTurn} runs the macrotask and returns at
 * once, so its microtasks run when the test next awaits; {@link runUntilIdle} lets them run to the end before each turn.
 * A callback that throws throws out of the method that ran it.
 */
export class SimScheduler implements Scheduler {
  readonly clock: SimClock;
  readonly #rng: Rng | null;
  readonly #turns: Task[] = [];
  readonly #foreign: Task[] = [];
  /** Sorted by time, and by order of birth among equals. */
  #timers: SimTimer[] = [];
  #order = 0;
  #turn = 0;
  #owed = 0;

  constructor(options: SimSchedulerOptions = {}) {
    this.clock = options.clock ?? new SimClock();
    this.#rng = options.rng ?? null;
  }

  /** Turns run so far. */
  get turn(): number {
    return this.#turn;
  }

  /** Whether {@link runTurn} would run something now. */
  get ready(): boolean {
    return this.#turns.length > 0 || this.#foreign.length > 0 || this.#dueTimer() !== null;
  }

  /** Turns waiting that would keep a process alive. */
  get owed(): number {
    return this.#owed;
  }

  /** Timers waiting, due or not. */
  get timers(): number {
    this.#dropCancelled();
    return this.#timers.length;
  }

  nextTurn(callback: () => void, keepAlive: boolean): void {
    this.#owed += keepAlive ? 1 : 0;
    this.#turns.push({ callback, keepAlive, order: this.#order++ });
  }

  after(delayMs: number, callback: () => void): Scheduled {
    const timer = new SimTimer(this.clock.peek() + Math.max(0, delayMs), this.#order++, callback);
    let at = this.#timers.length;
    while (at > 0 && (this.#timers[at - 1] as SimTimer).dueMs > timer.dueMs) {
      at--;
    }
    this.#timers.splice(at, 0, timer);
    return timer;
  }

  /** Queues a turn that comes from elsewhere, such as an I/O callback or a message: no order against other turns. */
  post(callback: () => void): void {
    this.#foreign.push({ callback, keepAlive: false, order: this.#order++ });
  }

  /** Runs one turn if one is ready, and says whether it did. */
  runTurn(): boolean {
    const callback = this.#take();
    if (callback === null) {
      return false;
    }
    this.#turn++;
    callback();
    return true;
  }

  /**
   * Runs turns, each after the microtasks of the last, until none is ready; resolves to how many ran.
   *
   * @throws {SimError} ERR_SIM_NOT_IDLE after `maxTurns`
   */
  async runUntilIdle(options: RunUntilIdleOptions = {}): Promise<number> {
    const maxTurns = options.maxTurns ?? 100_000;
    const first = this.#turn;
    for (;;) {
      await drainMicrotasks();
      if (!this.ready && !(options.advanceClock === true && this.advanceToNextTimer())) {
        return this.#turn - first;
      }
      if (this.#turn - first >= maxTurns) {
        throw new SimError(
          'ERR_SIM_NOT_IDLE',
          `Cannot run until idle: ${maxTurns} turns have run and more are ready; look for work that reschedules itself, or raise maxTurns`,
        );
      }
      this.runTurn();
    }
  }

  /**
   * Lets `ms` pass, timer by timer, each timer at its own time; resolves to how many turns ran.
   *
   * @throws {SimError} ERR_SIM_NOT_IDLE when one instant takes more than 100,000 turns
   */
  async runFor(ms: number): Promise<number> {
    const endMs = this.clock.peek() + ms;
    let turns = await this.runUntilIdle();
    for (let dueMs = this.#nextDueMs(); dueMs <= endMs; dueMs = this.#nextDueMs()) {
      this.clock.advance(dueMs - this.clock.peek());
      turns += await this.runUntilIdle();
    }
    this.clock.advance(endMs - this.clock.peek());
    return turns;
  }

  /** Moves the clock to the next timer; false when there is none. A timer that is due already moves nothing. */
  advanceToNextTimer(): boolean {
    const dueMs = this.#nextDueMs();
    if (dueMs === Infinity) {
      return false;
    }
    this.clock.advance(Math.max(0, dueMs - this.clock.peek()));
    return true;
  }

  #take(): (() => void) | null {
    const timer = this.#dueTimer();
    const heads = [this.#turns[0], this.#foreign[0], timer].filter((head) => head !== undefined && head !== null);
    if (heads.length === 0) {
      return null;
    }
    // Without a seed the oldest goes first. With one, any source may: the loop promises no order between them.
    const head =
      this.#rng === null
        ? heads.reduce((a, b) => (b.order < a.order ? b : a))
        : heads[Math.floor(this.#rng.next() * heads.length)];
    if (head === timer) {
      this.#timers.shift();
      return timer.callback;
    }
    const task = head === this.#turns[0] ? this.#turns.shift() : this.#takeForeign();
    this.#owed -= task?.keepAlive === true ? 1 : 0;
    return task?.callback ?? null;
  }

  #takeForeign(): Task | undefined {
    const at = this.#rng === null ? 0 : Math.floor(this.#rng.next() * this.#foreign.length);
    return this.#foreign.splice(at, 1)[0];
  }

  #dueTimer(): SimTimer | null {
    return this.#nextDueMs() <= this.clock.peek() ? (this.#timers[0] ?? null) : null;
  }

  #nextDueMs(): number {
    this.#dropCancelled();
    return this.#timers[0]?.dueMs ?? Infinity;
  }

  #dropCancelled(): void {
    if (this.#timers.some((timer) => timer.callback === null)) {
      this.#timers = this.#timers.filter((timer) => timer.callback !== null);
    }
  }
}
