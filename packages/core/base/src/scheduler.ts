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

/** The event loop of this thread: `setImmediate` for turns, unref'd `setTimeout` for delays. */
export const systemScheduler: Scheduler = {
  nextTurn(callback, keepAlive) {
    const immediate = setImmediate(callback);
    if (!keepAlive) {
      immediate.unref();
    }
  },
  after(delayMs, callback) {
    return new Timer(delayMs, callback);
  },
};
