import { reportUncaught } from '@core/base';
import type { Cookie, RcuFlavor, RcuStats } from '@core/rcu';

/** The low two bits of a sequence say whether a grace period is running. */
const STEP = 4;

interface Waiting {
  readonly cookie: Cookie;
  readonly callback: () => void;
}

/**
 * The plainest flavour that is right: the base of the reference flavours, of the busted ones, and of your own in tests.
 *
 * A subclass says in {@link startGracePeriod} how to wait for the readers that there are, and calls
 * {@link endGracePeriod} in a later turn, when they have gone.
 */
export abstract class ReferenceFlavor implements RcuFlavor {
  abstract readonly name: string;
  readonly maxLiveCookies: number = 2;
  protected stalls = 0;
  /** A multiple of 4 between grace periods, one more during one. */
  protected sequence = 0;
  #wanted = 0;
  #gracePeriods = 0;
  #callbacksRun = 0;
  #callbackErrors = 0;
  #waiting: Waiting[] = [];

  getState(): Cookie {
    return this.cookieOf(Math.floor((this.sequence + 2 * STEP - 1) / STEP) * STEP);
  }

  startPoll(): Cookie {
    const cookie = this.getState();
    this.#want(this.sequenceOf(cookie));
    return cookie;
  }

  poll(cookie: Cookie): boolean {
    return this.sequence >= this.sequenceOf(cookie);
  }

  pollFirst(cookies: ArrayLike<Cookie>): number {
    return Array.prototype.findIndex.call(cookies, (cookie: Cookie) => this.poll(cookie));
  }

  equal(a: Cookie, b: Cookie): boolean {
    return this.sequenceOf(a) === this.sequenceOf(b);
  }

  call(callback: () => void): void {
    this.queue(callback);
  }

  synchronize(): Promise<void> {
    return new Promise((resolve) => {
      this.queue(resolve);
    });
  }

  synchronizeExpedited(): Promise<void> {
    return this.synchronize();
  }

  barrier(): Promise<void> {
    // Callbacks run in the order in which they were queued, so the last of them is the end of all.
    return this.#waiting.length === 0 ? Promise.resolve() : this.synchronize();
  }

  stats(): RcuStats {
    return {
      name: this.name,
      gracePeriods: this.#gracePeriods,
      expedited: 0,
      callbacksWaiting: this.#waiting.length,
      callbacksRun: this.#callbacksRun,
      callbackErrors: this.#callbackErrors,
      oldestAgeMs: 0,
      readers: 0,
      stalls: this.stalls,
      leaks: 0,
    };
  }

  protected abstract startGracePeriod(): void;

  protected queue(callback: () => void): void {
    this.#waiting.push({ cookie: this.startPoll(), callback });
  }

  protected get running(): boolean {
    return this.sequence % STEP !== 0;
  }

  protected endGracePeriod(): void {
    this.sequence += STEP - (this.sequence % STEP);
    this.#gracePeriods++;
    if (this.#wanted > this.sequence) {
      this.#start();
    }
    const over = this.#waiting.filter((waiting) => this.poll(waiting.cookie));
    this.#waiting = this.#waiting.filter((waiting) => !over.includes(waiting));
    for (const { callback } of over) {
      this.#callbacksRun++;
      try {
        callback();
      } catch (error) {
        this.#callbackErrors++;
        reportUncaught(error);
      }
    }
  }

  protected cookieOf(sequence: number): Cookie {
    return sequence as unknown as Cookie;
  }

  protected sequenceOf(cookie: Cookie): number {
    return cookie as unknown as number;
  }

  #want(sequence: number): void {
    this.#wanted = Math.max(this.#wanted, sequence);
    if (!this.running) {
      this.#start();
    }
  }

  #start(): void {
    this.sequence++;
    this.startGracePeriod();
  }
}
