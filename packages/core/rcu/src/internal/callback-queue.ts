import { type Clock, TurnBudget, assert, isThenable } from '@core/base';

/** A batch that grew above this is not kept for reuse. */
const MAX_SPARE_LENGTH = 16_384;

/** A callback that is declared to return nothing may be asynchronous all the same. */
type Callback = () => unknown;

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
  /** Callbacks in `done`, with those before the cursor. */
  private doneCount = 0;
  /** Callbacks that have run, without those before the cursor. */
  private ran = 0;
  private errors = 0;
  private readonly budget: TurnBudget;
  private readonly onError: (error: unknown) => void;

  private readonly failed = (error: unknown): void => {
    this.errors++;
    this.onError(error);
  };

  /** @param options `onError` must not throw */
  constructor(options: { budgetMs: number; clock: Clock; onError: (error: unknown) => void }) {
    this.budget = new TurnBudget(options.budgetMs, options.clock);
    this.onError = options.onError;
  }

  /** Callbacks that have not run. */
  get count(): number {
    return this.next.length + this.waiting.length + this.ready;
  }

  /** Callbacks that could run now. */
  get ready(): number {
    return this.doneCount - this.cursor;
  }

  get callbacksRun(): number {
    return this.ran + this.cursor;
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
    const { budget } = this;
    budget.begin(this.ready);
    do {
      this.runSome(budget.steps);
    } while (this.done.length > 0 && !budget.look());
  }

  checkInvariants(): void {
    let found = 0;
    for (const batch of this.done) {
      assert(batch.length > 0, 'A batch without a callback is kept');
      found += batch.length;
    }
    assert(found === this.doneCount, () => `Callbacks in finished batches: counted ${this.doneCount}, found ${found}`);
    assert(this.cursor <= (this.done[0]?.length ?? 0), 'The cursor is outside of its batch');
  }

  private runSome(steps: number): void {
    let left = steps;
    while (left > 0 && this.done.length > 0) {
      const batch = this.done[0] as Batch;
      left -= this.runBatch(batch, left);
      if (this.cursor === batch.length) {
        this.done.shift();
        this.recycle(batch);
      }
    }
  }

  /** @returns how many callbacks it ran: `atMost`, or all that the batch had left */
  private runBatch(batch: Batch, atMost: number): number {
    const { items } = batch;
    let ran = 0;
    while (ran < atMost && this.cursor < batch.length) {
      const callback = items[this.cursor] as Callback;
      items[this.cursor] = null;
      // Counted before it runs: a callback that looks at the queue must not find itself there.
      this.cursor++;
      ran++;
      try {
        const result = callback();
        if (result !== undefined && isThenable(result)) {
          // Nobody waits for it; but an error must be heard where the others are.
          result.then(undefined, this.failed);
        }
      } catch (error) {
        this.failed(error);
      }
    }
    return ran;
  }

  private recycle(batch: Batch): void {
    this.ran += batch.length;
    this.doneCount -= batch.length;
    this.cursor = 0;
    batch.length = 0;
    if (batch.items.length <= MAX_SPARE_LENGTH) {
      this.spare = batch;
    }
  }
}
