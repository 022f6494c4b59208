/**
 * Lets work through in waves: what comes while some is under way begins, all at once and in the order of the calls,
 * when that has ended, well or not.
 */
export class Waves {
  #running = 0;
  #waiting = 0;
  #next: Promise<void> | null = null;
  #begin: (() => void) | null = null;

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running > 0) {
      this.#waiting++;
      this.#next ??= new Promise((resolve) => {
        this.#begin = resolve;
      });
      await this.#next;
    } else {
      this.#running = 1;
    }
    try {
      return await work();
    } finally {
      if (--this.#running === 0) {
        this.#beginNext();
      }
    }
  }

  #beginNext(): void {
    // Counted before they are awake: whoever comes until then is of the wave after theirs.
    this.#running = this.#waiting;
    this.#waiting = 0;
    this.#next = null;
    this.#begin?.();
    this.#begin = null;
  }
}
