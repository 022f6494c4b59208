import { type Scheduled, type Scheduler, systemScheduler } from '@core/base';

import { ReferenceFlavor } from './reference-flavor.js';
import type { ReferenceOptions } from './reference-rcu.js';

/** One of the two counters of readers. */
export type ReferenceIndex = 0 | 1;

export interface ReferenceSrcuOptions extends ReferenceOptions {
  /** A grace period longer than this counts a stall, once for each such time. Default 21,000. */
  readonly stallMs?: number;
}

/** Readers count in one of two slots: a grace period flips the slot for new ones, and waits until the other is empty. */
export class ReferenceSrcu extends ReferenceFlavor {
  readonly name: string = 'reference-srcu';
  protected readonly scheduler: Scheduler;
  protected readonly stallMs: number;
  protected readonly readers: [number, number] = [0, 0];
  /** The slot in which new readers count. */
  protected slot: ReferenceIndex = 0;
  /** The slot that a grace period waits for. */
  protected draining: ReferenceIndex = 1;
  #stallTimer: Scheduled | null = null;

  constructor(options: ReferenceSrcuOptions = {}) {
    super();
    this.scheduler = options.scheduler ?? systemScheduler;
    this.stallMs = options.stallMs ?? 21_000;
  }

  readLock(): ReferenceIndex {
    this.readers[this.slot]++;
    return this.slot;
  }

  readUnlock(index: ReferenceIndex): void {
    this.readers[index]--;
    if (this.running && index === this.draining && this.readers[index] === 0) {
      this.#endSoon();
    }
  }

  protected override startGracePeriod(): void {
    this.chooseSlots();
    if (this.readers[this.draining] === 0) {
      this.#endSoon();
    } else {
      this.watchForStall();
    }
  }

  /** The flip. */
  protected chooseSlots(): void {
    this.draining = this.slot;
    this.slot = this.slot === 0 ? 1 : 0;
  }

  protected watchForStall(): void {
    this.#stallTimer = this.scheduler.after(this.stallMs, () => {
      this.stalls++;
      this.watchForStall();
    });
  }

  /** Callbacks never run on the stack of a reader that leaves. */
  #endSoon(): void {
    this.#stallTimer?.cancel();
    this.#stallTimer = null;
    this.scheduler.nextTurn(() => {
      this.endGracePeriod();
    }, true);
  }
}
