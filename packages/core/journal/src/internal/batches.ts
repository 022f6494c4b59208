import { assert } from '@core/base';

import { Batch } from './batch.js';
import { RECORD_HEADER } from './format.js';

/** A batch that would get larger is closed, and another one begun. One record alone may be larger. */
const BATCH_BYTES = 16 * 2 ** 20;

/** A batch that has grown larger is not used again: what a burst needed is given back after it. */
const RECYCLED_BYTES = 4 * 2 ** 20;

/** What was appended and is not committed: one batch that is being written, and those that wait, oldest first. */
export class Batches {
  private open: Batch = new Batch();
  /** Full ones, of a writer that does not wait for commits. */
  private full: Batch[] = [];
  private written: Batch | null = null;
  private spare: Batch | null = null;

  /** Whether there is something to take. */
  get waiting(): boolean {
    return this.open.count > 0;
  }

  add(payload: Uint8Array, sequence: number, life: number): void {
    if (this.open.count > 0 && this.open.used + RECORD_HEADER + payload.length > BATCH_BYTES) {
      const next = this.spareOrNew();
      this.full.push(this.open);
      this.open = next;
    }
    this.open.add(payload, sequence, life);
  }

  /** The oldest batch, to be written and then given back; null when nothing waits. */
  take(): Batch | null {
    assert(this.written === null, 'Cannot take a batch: one is being written');
    if (!this.waiting) {
      return null;
    }
    const oldest = this.full.shift();
    if (oldest !== undefined) {
      this.written = oldest;
    } else {
      const next = this.spareOrNew();
      this.written = this.open;
      this.open = next;
    }
    return this.written;
  }

  /** The batch that was taken is committed. */
  done(): void {
    const batch = this.written;
    assert(batch !== null, 'Cannot give a batch back: none was taken');
    this.written = null;
    batch.resolve();
    if (this.spare === null && batch.buffer.length <= RECYCLED_BYTES) {
      batch.clear();
      this.spare = batch;
    }
  }

  /** The batch that holds a sequence, which must be appended and not committed. */
  find(sequence: number): Batch {
    if (this.written !== null && sequence <= this.written.lastSequence) {
      return this.written;
    }
    for (const batch of this.full) {
      if (sequence <= batch.lastSequence) {
        return batch;
      }
    }
    return this.open;
  }

  reject(error: Error): void {
    for (const batch of this.all()) {
      batch.reject(error);
    }
  }

  /** @param committed the sequence before the oldest batch @param last the newest that was appended */
  checkInvariants(committed: number, last: number): void {
    let before = committed;
    for (const batch of this.all()) {
      if (batch.count > 0) {
        assert(batch.firstSequence === before + 1, () => `a batch begins at ${batch.firstSequence} after ${before}`);
        before = batch.lastSequence;
      }
    }
    assert(before === last, () => `the batches end at ${before}, not at ${last}`);
    assert(
      this.full.every(({ count }) => count > 0) && (this.full.length === 0 || this.waiting),
      'an empty batch waits',
    );
  }

  /** Called before anything is changed: there may be no memory for another one. */
  private spareOrNew(): Batch {
    const batch = this.spare ?? new Batch();
    this.spare = null;
    return batch;
  }

  private all(): Batch[] {
    return [...(this.written === null ? [] : [this.written]), ...this.full, this.open];
  }
}
