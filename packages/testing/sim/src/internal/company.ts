import type { EventLoop } from '../event-loop.js';

/**
 * Lets readers begin in the very turn in which a writer works.
 *
 * Each actor woken from a source of its own has a turn of its own, and a grace period that ends too early within a turn
 * would meet no reader. So readers wait here, and a writer wakes them as microtasks of its own turn.
 */
export class Company {
  readonly #loop: EventLoop;
  #waiting: (() => void)[] = [];

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Resolves in a turn of a writer; or in one of its own, since writers may wait for long. */
  join(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#loop.run('timer', resolve);
    });
  }

  release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) {
      resolve();
    }
  }
}
