/** Runs asynchronous work one after the other, in the order of the calls, whether or not what came before succeeded. */
export class InOrder {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(ignore);
    return result;
  }
}

/** Whoever called `run` hears of it. */
function ignore(): void {}
