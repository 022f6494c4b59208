import type { Clock } from './clock.js';

/** Above so much backlog, and growing, each turn's budget is raised (the kernel's qhimark). */
const HIGH_MARK = 10_000;
/** Below so much the budget is normal again (the kernel's qlowmark). */
const LOW_MARK = 100;
/** The budget grows to at most this multiple: late work is bad, a blocked event loop is worse. */
const MAX_LIFT = 16;
/** Bounds of the number of steps between two looks at the clock, which costs as much as several light steps. */
const MIN_STRIDE = 1;
const MAX_STRIDE = 256;

/**
 * Decides how long deferred work may run in one turn of the event loop.
 *
 * The budget is time, not a number of items. It is raised while a large backlog keeps growing, since otherwise the
 * work would never catch up. How many steps pass between two looks at the clock follows from how long they take.
 */
export class TurnBudget {
  private readonly clock: Clock;
  private readonly baseMs: number;
  private budgetMs: number;
  private lastBacklog = 0;
  private deadline = 0;
  private lastLook = 0;
  private stride = MIN_STRIDE;

  /**
   * @param baseMs milliseconds a turn
   * @throws {RangeError} `baseMs` is not above 0: with NaN the budget would never be spent
   */
  constructor(baseMs: number, clock: Clock) {
    if (!(baseMs > 0)) {
      throw new RangeError(`Cannot use a budget of ${baseMs} ms a turn: it must be above 0`);
    }
    this.baseMs = baseMs;
    this.budgetMs = baseMs;
    this.clock = clock;
  }

  /** Begins a turn's work. @param backlog how many steps there are to do */
  begin(backlog: number): void {
    if (backlog > HIGH_MARK && backlog > this.lastBacklog && this.lastBacklog > 0) {
      this.budgetMs = Math.min(this.budgetMs * 2, this.baseMs * MAX_LIFT);
    } else if (backlog < LOW_MARK || backlog < this.lastBacklog) {
      this.budgetMs = this.baseMs;
    }
    this.lastBacklog = backlog;
    this.lastLook = this.clock.now();
    this.deadline = this.lastLook + this.budgetMs;
    // From small steps again: what was light in the last turn may be heavy in this one.
    this.stride = MIN_STRIDE;
  }

  /** How many steps to take before the next {@link look}. */
  get steps(): number {
    return this.stride;
  }

  /** Whether the budget is spent. Called after {@link steps} steps, or fewer. */
  look(): boolean {
    const now = this.clock.now();
    const tookMs = now - this.lastLook;
    if (tookMs > this.baseMs / 4) {
      this.stride = Math.max(this.stride >> 1, MIN_STRIDE);
    } else if (tookMs < this.baseMs / 16) {
      this.stride = Math.min(this.stride * 2, MAX_STRIDE);
    }
    this.lastLook = now;
    return now >= this.deadline;
  }
}
