import { type Clock, assert } from '@core/base';

/** Above so many ready callbacks, and growing, each turn's budget is raised (the kernel's qhimark). */
const HIGH_MARK = 10_000;
/** Below so many the budget is normal again (the kernel's qlowmark). */
const LOW_MARK = 100;
/** The budget grows to at most this multiple: late callbacks are bad, a blocked event loop is worse. */
const MAX_LIFT = 16;
/** Callbacks between two looks at the clock, which costs as much as several of them. */
const PER_CLOCK_READ = 64;
/** A batch that grew above this is not kept for reuse. */
const MAX_SPARE_LENGTH = 16_384;

type Callback = () => void;

/** Callbacks that wait for the same grace period: a flat array that is filled, drained and used again. */
class Batch {
  readonly items: (Callback | null)[] = [];
  length = 0;

  push(callback: Callback): void {
    this.items[this.length] = callback;
    this.length++;
  }
}

/**
 * Callbacks in the order they came, in three segments: those for the grace period after the running one (`next`),
 * those for the running one (`waiting`), and those whose grace period is over (`done`).
 */
export class CallbackQueue {
  private next = new Batch();
  private waiting = new Batch();
  private readonly done: Batch[] = [];
  private spare: Batch | null = null;
  /** How far `done[0]` has been run. */
  private cursor = 0;
  private doneCount = 0;
  private budgetMs: number;
  private lastBacklog = 0;
  private ran = 0;
  private errors = 0;
  private readonly baseBudgetMs: number;
  private readonly clock: Clock;
  private readonly onError: (error: unknown) => void;

  /** @param options `onError` must not throw */
  constructor(options: { budgetMs: number; clock: Clock; onError: (error: unknown) => void }) {
    this.baseBudgetMs = options.budgetMs;
    this.budgetMs = options.budgetMs;
    this.clock = options.clock;
    this.onError = options.onError;
  }

  /** Callbacks that have not run. */
  get count(): number {
    return this.next.length + this.waiting.length + this.doneCount;
  }

  /** Callbacks that could run now. */
  get ready(): number {
    return this.doneCount;
  }

  get callbacksRun(): number {
    return this.ran;
  }

  get callbackErrors(): number {
    return this.errors;
  }

  push(callback: Callback): void {
    this.next.push(callback);
  }

  /** Adds behind the last callback there is, without asking for another grace period. There must be one. */
  entrain(callback: Callback): void {
    assert(this.count > 0, 'Cannot entrain a callback: nothing is queued');
    if (this.next.length > 0) {
      this.next.push(callback);
    } else if (this.waiting.length > 0) {
      this.waiting.push(callback);
    } else {
      (this.done.at(-1) as Batch).push(callback);
      this.doneCount++;
    }
  }

  gracePeriodStarted(): void {
    assert(this.waiting.length === 0, 'Cannot start a grace period: callbacks of the last one are still waiting');
    const empty = this.waiting;
    this.waiting = this.next;
    this.next = empty;
  }

  gracePeriodEnded(): void {
    if (this.waiting.length === 0) {
      return;
    }
    this.done.push(this.waiting);
    this.doneCount += this.waiting.length;
    this.waiting = this.spare ?? new Batch();
    this.spare = null;
  }

  /** Runs callbacks whose grace period is over, for about the budget. */
  run(): void {
    const deadline = this.clock.now() + this.adjustBudget();
    while (this.done.length > 0) {
      if (!this.runBatch(this.done[0] as Batch, deadline)) {
        return;
      }
      this.recycle(this.done.shift() as Batch);
    }
  }

  checkInvariants(): void {
    let done = 0;
    for (const batch of this.done) {
      done += batch.length;
    }
    assert(done - this.cursor === this.doneCount, () => `Ready callbacks: counted ${this.doneCount}, found ${done}`);
    assert(this.cursor === 0 || this.done.length > 0, 'A cursor without a batch');
  }

  /** @returns whether the batch is finished, as against the time */
  private runBatch(batch: Batch, deadline: number): boolean {
    const { items } = batch;
    while (this.cursor < batch.length) {
      const callback = items[this.cursor] as Callback;
      items[this.cursor] = null;
      // Counted before it runs: a callback that looks at the queue must not find itself there.
      this.cursor++;
      this.doneCount--;
      this.ran++;
      try {
        callback();
      } catch (error) {
        this.errors++;
        this.onError(error);
      }
      if (this.cursor % PER_CLOCK_READ === 0 && this.clock.now() >= deadline) {
        return this.cursor === batch.length;
      }
    }
    return true;
  }

  private recycle(batch: Batch): void {
    this.cursor = 0;
    batch.length = 0;
    if (batch.items.length <= MAX_SPARE_LENGTH) {
      this.spare = batch;
    }
  }

  private adjustBudget(): number {
    const backlog = this.doneCount;
    if (backlog > HIGH_MARK && backlog > this.lastBacklog && this.lastBacklog > 0) {
      this.budgetMs = Math.min(this.budgetMs * 2, this.baseBudgetMs * MAX_LIFT);
    } else if (backlog < LOW_MARK) {
      this.budgetMs = this.baseBudgetMs;
    }
    this.lastBacklog = backlog;
    return this.budgetMs;
  }
}
