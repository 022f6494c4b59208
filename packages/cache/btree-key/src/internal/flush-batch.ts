import type { StoreOperation } from '@core/ordered-store';
import type { CachedKey } from './cached-key.js';
import type { KeySpace } from './key-space.js';

/** A key as it was when the flush looked at it. What happens to it afterwards is for the next flush. */
interface Taken {
  readonly key: CachedKey;
  readonly sequence: number;
  readonly storeKey: string;
  /** Where its value is in the arena; the length is -1 if there is none. */
  readonly at: number;
  readonly length: number;
}

/** Dirty keys with copies of their values, to be written to the store in one batch. The buffer is used again and again. */
export class FlushBatch {
  readonly taken: Taken[] = [];
  private arena = Buffer.allocUnsafeSlow(64 * 1024);
  private end = 0;

  clear(): void {
    this.taken.length = 0;
    this.end = 0;
  }

  add(key: CachedKey): void {
    const { length, sequence } = key;
    const bytes = Math.max(0, length);
    if (this.end + bytes > this.arena.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.arena.length, this.end + bytes));
      larger.set(this.arena.subarray(0, this.end));
      this.arena = larger;
    }
    key.copyTo(this.arena, this.end);
    const storeKey = (key.space as KeySpace).prefix + key.key;
    this.taken.push({ key, sequence, storeKey, at: this.end, length });
    this.end += bytes;
  }

  /** Leaves out what the journal will never have. @returns how many */
  dropAfter(sequence: number): number {
    const kept = this.taken.filter((taken) => taken.sequence <= sequence);
    const dropped = this.taken.length - kept.length;
    this.taken.length = 0;
    this.taken.push(...kept);
    return dropped;
  }

  /** In the order of the store. */
  operations(): StoreOperation[] {
    this.taken.sort((a, b) => (a.storeKey < b.storeKey ? -1 : 1));
    return this.taken.map(({ storeKey, at, length }) => {
      const key = Buffer.from(storeKey, 'latin1');
      return length < 0 ? { type: 'del', key } : { type: 'put', key, value: this.arena.subarray(at, at + length) };
    });
  }
}
