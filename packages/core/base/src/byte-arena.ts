import { assert } from './assert.js';

const MIN_BYTES = 4096;
/** Pieces begin at multiples of this, so that one that is a little longer does not move those behind it. */
const ALIGNMENT = 32;
/** Of more pieces the arrays are made anew each time. */
const MAX_VIEWS = 8192;
const NO_BYTES = new Uint8Array(0);

/**
 * Memory that is handed out piece by piece, and taken back all at once. Pieces as long as the last time are the very same
 * arrays: who has batches of about the same shape again and again leaves nothing to the collector.
 */
export class ByteArena {
  private readonly keptBytes: number;
  private memory: Uint8Array = NO_BYTES;
  private end = 0;
  private count = 0;
  private readonly views: Uint8Array[] = [];

  /** @param keptBytes what was needed once is kept up to so many bytes, from `clear` to `clear`; ≥0 */
  constructor(keptBytes: number) {
    this.keptBytes = keptBytes;
  }

  /** Bytes that are kept for the next pieces or handed out, the arrays before the last growth aside. */
  get bytes(): number {
    return this.memory.length;
  }

  /** An array of so many bytes, whatever is in them. It is the caller's until `clear`. */
  take(length: number): Uint8Array {
    if (this.end + length > this.memory.length) {
      this.grow(length);
    }
    const start = this.end;
    this.end = start + Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    const index = this.count++;
    if (index >= MAX_VIEWS) {
      return this.memory.subarray(start, start + length);
    }
    const last = this.views[index];
    if (last !== undefined && last.byteOffset === start && last.length === length) {
      return last;
    }
    const view = this.memory.subarray(start, start + length);
    this.views[index] = view;
    return view;
  }

  /** Nobody looks at the pieces any more. */
  clear(): void {
    this.end = 0;
    this.count = 0;
    if (this.memory.length > this.keptBytes) {
      this.memory = NO_BYTES;
      this.views.length = 0;
    }
  }

  checkInvariants(): void {
    const { buffer } = this.memory;
    assert(
      this.views.every((view) => view.buffer === buffer),
      'A piece is of memory that was given up',
    );
    assert(this.views.length <= MAX_VIEWS, 'More pieces are kept than may be');
  }

  /** What was handed out stays as it is, in the memory before. */
  private grow(length: number): void {
    this.memory = new Uint8Array(Math.max(MIN_BYTES, 2 * this.memory.length, length));
    this.end = 0;
    this.count = 0;
    this.views.length = 0;
  }
}
