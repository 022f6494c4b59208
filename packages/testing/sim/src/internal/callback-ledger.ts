import type { RcuFlavor } from '@core/rcu';

import type { TortureCheck } from '../torture-report.js';
import type { FailureLog } from './failure-log.js';

/** Knows of each callback that was queued whether it ran, how often, and on whose stack. */
export class CallbackLedger {
  readonly #flavor: RcuFlavor;
  readonly #log: FailureLog<TortureCheck>;
  readonly #waiting = new Set<number>();
  #nextId = 0;

  constructor(flavor: RcuFlavor, log: FailureLog<TortureCheck>) {
    this.#flavor = flavor;
    this.#log = log;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  call(callback: () => void): void {
    const id = this.#nextId++;
    let onStack = true;
    let runs = 0;
    this.#waiting.add(id);
    this.#flavor.call(() => {
      runs++;
      this.#log.addUnless(!onStack, 'call-stack', () => `callback ${id} ran inside call()`);
      this.#log.addUnless(runs === 1, 'call-once', () => `callback ${id} ran ${runs} times`);
      if (runs === 1) {
        this.#waiting.delete(id);
        this.#run(callback);
      }
    });
    onStack = false;
  }

  async barrier(): Promise<void> {
    const end = this.#nextId;
    await this.#flavor.barrier();
    for (const id of this.#waiting) {
      // Ids grow, and a set keeps the order of insertion.
      if (id >= end) {
        break;
      }
      this.#log.add('barrier', `barrier() resolved, and callback ${id}, queued before it, has not run`);
    }
  }

  /** Callbacks of the torture use the flavour again; what it throws then is its fault, and not that of a callback. */
  #run(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#log.add('threw', `a callback: ${String(error)}`);
    }
  }
}
