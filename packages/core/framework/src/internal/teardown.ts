import { type Scheduler, isThenable } from '@core/base';

/**
 * Runs the steps of a teardown one after the other, every one of them, whatever the earlier ones did.
 *
 * Errors are kept, and a step that cannot end is left behind after a while: a host that does not close is worse than
 * one that says what it left.
 */
export class Teardown {
  /** What the steps threw. */
  readonly failures: { readonly what: string; readonly error: unknown }[] = [];
  /** What is left, one line each. */
  readonly leaks: string[] = [];
  readonly #scheduler: Scheduler;
  readonly #timeoutMs: number;

  constructor(scheduler: Scheduler, timeoutMs: number) {
    this.#scheduler = scheduler;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Runs `work` to its end; asks `isStuck` every `timeoutMs` whether to leave it behind.
   *
   * @param what names the work, in what is said of its failure
   * @returns whether it ended, well or not
   */
  async step(what: string, work: () => unknown, isStuck: () => boolean): Promise<boolean> {
    try {
      const result = work();
      return !isThenable(result) || (await this.#ends(result, isStuck));
    } catch (error) {
      this.failures.push({ what, error });
      return true;
    }
  }

  /** As `step`; if it does not end, that is a leak. */
  async mustEnd(what: string, work: () => unknown, isStuck: () => boolean): Promise<void> {
    if (!(await this.step(what, work, isStuck))) {
      this.leaks.push(`${what} was still going on after ${this.#timeoutMs} ms`);
    }
  }

  async #ends(result: PromiseLike<unknown>, isStuck: () => boolean): Promise<boolean> {
    const ended = Promise.resolve(result).then(() => true);
    for (;;) {
      const { promise: late, cancel } = this.#timeout();
      const hasEnded = await Promise.race([ended, late]).finally(cancel);
      if (hasEnded) {
        return true;
      }
      if (isStuck()) {
        // Nobody waits for it any more, so its later error has nowhere else to go.
        ended.catch(() => {});
        return false;
      }
    }
  }

  #timeout(): { promise: Promise<false>; cancel: () => void } {
    let cancel = (): void => {};
    const promise = new Promise<false>((resolve) => {
      const timer = this.#scheduler.after(this.#timeoutMs, () => resolve(false));
      cancel = () => timer.cancel();
    });
    return { promise, cancel };
  }
}
