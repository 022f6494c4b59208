/** One way in which a run failed. */
export interface TortureFailure<Check extends string = string> {
  /** Which check saw it. */
  readonly check: Check;
  /** What the check saw the first time. */
  readonly message: string;
  /** How many times. */
  count: number;
  /** How many operations had been begun when it was first seen. */
  readonly atOperation: number;
}

/** Collects failures, each check once with a count. */
export class FailureLog<Check extends string> {
  readonly failures: TortureFailure<Check>[] = [];
  readonly #operations: () => number;

  constructor(operations: () => number) {
    this.#operations = operations;
  }

  get failed(): boolean {
    return this.failures.length > 0;
  }

  add(check: Check, message: string): void {
    const known = this.failures.find((failure) => failure.check === check);
    if (known !== undefined) {
      known.count++;
    } else {
      this.failures.push({ check, message, count: 1, atOperation: this.#operations() });
    }
  }

  addUnless(holds: boolean, check: Check, message: () => string): void {
    if (!holds) {
      this.add(check, message());
    }
  }
}
