/** Something that can be cancelled; cancelling twice, or after it ran, is harmless. */
export interface Scheduled {
  cancel(): void;
}

/**
 * How work gets into another turn of the event loop. Tests and simulation pass their own.
 *
 * A turn is one macrotask with all of its microtasks. `nextTurn` must never run its callback in a microtask or in the
 * current turn: grace periods rest on that.
 */
export interface Scheduler {
  /**
   * Runs `callback` in a later turn, after everything that was scheduled so before.
   *
   * With `keepAlive` the process stays up until it has run: for work that somebody is owed.
   */
  nextTurn(callback: () => void, keepAlive: boolean): void;
  /** Runs `callback` once after `delayMs`. Never keeps the process alive. */
  after(delayMs: number, callback: () => void): Scheduled;
}

class Timer implements Scheduled {
  readonly #timer: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    this.#timer = setTimeout(callback, delayMs).unref();
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Whether an exception was thrown out of a macrotask and caught by nobody but the process.
 *
 * The program may go on after that (`process.on('uncaughtException')`), and then Node runs the first immediates of the
 * next round before the microtasks that the broken macrotask left behind. For a turn that would be too early.
 */
let broken = false;
let listening = false;

function onBroken(): void {
  broken = true;
  // Left-over microtasks run after the first immediate of that round at the latest, so the round after it is safe.
  setImmediate(() => {
    broken = false;
  }).unref();
}

function runTurn(callback: () => void, keepAlive: boolean): void {
  if (broken) {
    schedule(callback, keepAlive);
  } else {
    callback();
  }
}

function schedule(callback: () => void, keepAlive: boolean): void {
  const immediate = setImmediate(runTurn, callback, keepAlive);
  if (!keepAlive) {
    immediate.unref();
  }
}

/** The event loop of this thread: `setImmediate` for turns, unref'd `setTimeout` for delays. */
export const systemScheduler: Scheduler = {
  nextTurn(callback, keepAlive) {
    if (!listening) {
      listening = true;
      // The monitor only watches: unlike a listener for `uncaughtException` it does not keep the process from dying.
      process.on('uncaughtExceptionMonitor', onBroken);
    }
    schedule(callback, keepAlive);
  },
  after(delayMs, callback) {
    return new Timer(delayMs, callback);
  },
};
