import type { Callback } from './backing.js';

/** Answers that one turn of the event loop may give before timers and I/O have to have their turn. */
const MAX_ANSWERS = 256;
/** Failures in one turn that are told with a stack. */
const MAX_STACKS = 64;

/**
 * Hands cached answers to callers who were promised to be called later.
 *
 * A caller that asks again as soon as it is answered (until a file appears, say) would keep the event loop from ever
 * going on, since nothing here waits for I/O: so after some answers in a turn, the next one comes in another turn.
 */
export class TurnAnswers {
  private given = 0;
  private failed = 0;
  private resetting = false;
  private readonly ends: (() => void)[] = [];
  /** Of all who wait in this turn. */
  private nextTurn: Promise<void> | null = null;
  private readonly reset = (): void => {
    this.given = 0;
    this.failed = 0;
    this.resetting = false;
    this.nextTurn = null;
    for (const end of this.ends) {
      end();
    }
  };

  /** Calls `callback` after the current code, never from within. */
  give(callback: Callback, ...values: [unknown, ...unknown[]]): void {
    if (this.mayAnswer()) {
      process.nextTick(callback, ...values);
    } else {
      setImmediate(callback, ...values);
    }
  }

  /** Whether one more answer may be given in this turn. */
  mayAnswer(): boolean {
    this.count();
    return ++this.given <= MAX_ANSWERS;
  }

  /** Undefined when the answer may be given in this turn, else a promise of one in which it may. */
  wait(): Promise<void> | undefined {
    return this.mayAnswer() ? undefined : this.turn();
  }

  /** A promise of the next turn. */
  turn(): Promise<void> {
    this.nextTurn ??= new Promise((resolve) => void setImmediate(resolve));
    return this.nextTurn;
  }

  /** A promise of `value` that is settled, or will be in another turn. */
  async settle<T>(value: T): Promise<T> {
    await this.wait();
    return value;
  }

  /** Calls `end` after each turn in which something was answered. */
  onTurn(end: () => void): void {
    this.ends.push(end);
  }

  /** Counts a failure that is told at once: whether there have been so many in this turn that nobody looks at each. */
  isFlood(): boolean {
    this.count();
    return ++this.failed > MAX_STACKS;
  }

  private count(): void {
    if (!this.resetting) {
      this.resetting = true;
      // Keeps nothing alive: when the loop ends, nobody asks any more.
      setImmediate(this.reset).unref();
    }
  }
}
