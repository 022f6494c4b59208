import type { HeapLimit, HeapSource, MajorCollection } from '@core/pressure';

export const MIB: number = 2 ** 20;

export interface SimHeapOptions {
  readonly limitBytes?: number;
  /** Alive, and no cache's. */
  readonly baseBytes?: number;
  /** How far it may grow over what the last collection left. */
  readonly growth?: number;
}

/** What the process would print before it aborts. */
export class HeapDied extends Error {}

/**
 * An old generation: it grows with all that is allocated, collects when it has grown by a factor over what was alive, as
 * V8 does, and dies when that does not bring it under its limit.
 */
export class SimHeap implements HeapSource {
  live: number;
  garbage = 0;
  collected = 0;
  closed = false;
  readonly limitBytes: number;
  readonly #growth: number;
  #growUntil: number;
  #ended: MajorCollection[] = [];

  constructor({ limitBytes = 256 * MIB, baseBytes = 20 * MIB, growth = 2 }: SimHeapOptions = {}) {
    this.limitBytes = limitBytes;
    this.live = baseBytes;
    this.#growth = growth;
    this.#growUntil = 0;
    this.#setGoal();
  }

  limit(): HeapLimit {
    return { bytes: this.limitBytes, youngBytes: 0, from: 'the simulation' };
  }

  usedBytes(): number {
    return this.live + this.garbage;
  }

  collections(): readonly MajorCollection[] {
    const ended = this.#ended;
    this.#ended = [];
    return this.closed ? [] : ended;
  }

  close(): void {
    this.closed = true;
  }

  alloc(bytes: number): void {
    this.live += bytes;
    if (this.usedBytes() > this.#growUntil) {
      this.collect();
    }
  }

  /** Nothing is freed before the next collection. */
  drop(bytes: number): void {
    this.live -= bytes;
    this.garbage += bytes;
  }

  /** Allocates what nobody keeps. */
  churn(bytes: number): void {
    this.alloc(bytes);
    this.drop(bytes);
  }

  collect(wastedBytes = 0): void {
    this.garbage = 0;
    this.collected++;
    this.#ended.push({ liveBytes: this.live, wastedBytes });
    if (this.live > this.limitBytes) {
      throw new HeapDied(`Reached heap limit: ${Math.round(this.live / MIB)} MiB are alive`);
    }
    this.#setGoal();
  }

  #setGoal(): void {
    this.#growUntil = Math.min(this.limitBytes, Math.max(this.live * this.#growth, this.live + 4 * MIB));
  }
}
