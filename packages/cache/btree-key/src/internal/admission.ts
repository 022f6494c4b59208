import type { Scheduler } from '@core/base';
import { BtreeKeyError, reasonOf } from '../btree-key-error.js';
import type { Activity } from './activity.js';
import type { Core } from './core.js';
import type { Flusher } from './flusher.js';
import { tooLarge } from './size-limits.js';

/** After so many attempts in vain, with nothing left to wait for, a write is too large for the cache's group. */
const MIN_ATTEMPTS = 3;

export interface AdmissionOptions {
  readonly core: Core;
  readonly flusher: Flusher;
  readonly activity: Activity;
  readonly scheduler: Scheduler;
  /** Throws when the cache is closed. */
  readonly assertOpen: () => void;
}

/** Whether, and when, a write may begin. Whoever waits here holds no lock: what it waits for may need that. */
export class Admission {
  /** What the journal died of: nothing can be promised any more. */
  failure: BtreeKeyError | null = null;
  private readonly options: AdmissionOptions;
  private readonly core: Core;
  /** Operations that wait for room. */
  private roomless = 0;

  constructor(options: AdmissionOptions) {
    this.options = options;
    this.core = options.core;
  }

  /** The journal has failed. @returns what every write is told from now on */
  fail(cause: unknown): BtreeKeyError {
    this.failure ??= new BtreeKeyError(
      'ERR_BTREE_KEY_JOURNAL',
      `Cannot update: the journal has failed: ${reasonOf(cause)}; close the cache and open it again`,
      { cause },
    );
    return this.failure;
  }

  /** Waits while too much is dirty. @throws {BtreeKeyError} the cache is closed, or the journal has failed */
  async enter(): Promise<void> {
    this.check();
    if (this.core.mustWait) {
      await this.options.flusher.throttle(() => this.check());
    }
  }

  /** Waits until there may be room. @param attempts that were made in vain */
  async room(attempts: number): Promise<void> {
    const { flusher, scheduler, activity } = this.options;
    this.check();
    this.roomless++;
    try {
      if (this.core.dirty > 0) {
        await flusher.progress();
      } else if (attempts >= MIN_ATTEMPTS && this.roomless === activity.count) {
        throw tooLarge('this: the memory group of the cache is full, and no key is left to evict');
      } else {
        // What there is, is locked by others, who fill or update it.
        await new Promise<void>((resolve) => {
          scheduler.nextTurn(resolve, true);
        });
      }
    } finally {
      this.roomless--;
    }
    this.check();
  }

  private check(): void {
    this.options.assertOpen();
    if (this.failure !== null) {
      throw this.failure;
    }
  }
}
