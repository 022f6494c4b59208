import type { Rng, Scheduled, Scheduler } from '@core/base';

interface Task {
  readonly run: () => void;
  readonly order: number;
}

/** An event loop that moves only when the test says so. Turns come in order; what is awaited comes in any order. */
export class TestLoop implements Scheduler {
  private readonly rng: Rng | null;
  private readonly turns: Task[] = [];
  private readonly waiting: Task[] = [];
  private order = 0;

  /** @param rng chooses what comes next; without it the oldest does */
  constructor(rng: Rng | null = null) {
    this.rng = rng;
  }

  /** Calls that wait. */
  get calls(): number {
    return this.waiting.length;
  }

  nextTurn(run: () => void): void {
    this.turns.push({ run, order: this.order++ });
  }

  after(_: number, run: () => void): Scheduled {
    this.waiting.push({ run, order: this.order++ });
    return { cancel() {} };
  }

  /** Runs one turn, with its microtasks. @returns false when there is none */
  async step(): Promise<boolean> {
    await microtasks();
    const { turns, waiting, rng } = this;
    const at = rng === null ? 0 : Math.floor(rng.next() * waiting.length);
    const call = waiting[at];
    const turn = turns[0];
    if (call === undefined && turn === undefined) {
      return false;
    }
    const takesTurn =
      turn !== undefined && (call === undefined || (rng === null ? turn.order < call.order : rng.next() < 0.5));
    (takesTurn ? turns.shift() : waiting.splice(at, 1)[0])?.run();
    await microtasks();
    return true;
  }

  async runAll(max = 100_000): Promise<void> {
    for (let steps = 0; await this.step(); steps++) {
      if (steps > max) {
        throw new Error(`The loop has not come to rest after ${max} turns`);
      }
    }
  }
}

/** Lets every microtask run that is due, and those which they queue: a turn of the real loop. */
export function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
