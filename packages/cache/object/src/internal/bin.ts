import type { RcuHead } from '@core/rcu-pending';
import type { DisposeReason } from '../options.js';

/** Cells of one value: itself, its key, and why it left. Without the last there is a hole. */
const CELLS = 3;

/**
 * Values that have left, flat: a value costs no object of its own, and many of them wait for their grace period as one.
 *
 * The loop that empties a bin looks into `cells` and `sizes` itself.
 */
export class Bin<K, V> implements RcuHead {
  rcuNext: RcuHead | null = null;
  /** Neighbours among the bins that wait. */
  next: Bin<K, V> | null = null;
  prev: Bin<K, V> | null = null;
  /** Values in it, and holes where some were taken out. */
  length = 0;
  /** Whether they may be kept for reuse; else they are disposed of for sure. */
  reusable = true;
  readonly cells: unknown[];
  /** Bytes of each; null as long as all have been 0. */
  sizes: number[] | null = null;

  constructor(room: number) {
    this.cells = Array.from({ length: room * CELLS }, () => undefined);
  }

  put(key: K, value: V, bytes: number, reason: DisposeReason): void {
    const { cells, length } = this;
    const at = length * CELLS;
    cells[at] = value;
    cells[at + 1] = key;
    cells[at + 2] = reason;
    if (bytes !== 0 || this.sizes !== null) {
      this.sizes ??= Array.from({ length }, () => 0);
      this.sizes[length] = bytes;
    }
    this.length = length + 1;
  }

  /** Takes the last one out; read it before with {@link valueAt} and the like. */
  drop(): void {
    this.length--;
    this.punch(this.length);
  }

  /** Takes a value out of its place, and leaves a hole. */
  punch(index: number): void {
    this.cells.fill(undefined, index * CELLS, (index + 1) * CELLS);
  }

  isHole(index: number): boolean {
    return this.cells[index * CELLS + 2] === undefined;
  }

  /** Where the value of the key is, or -1. */
  indexOf(key: K, value: V): number {
    for (let index = 0; index < this.length; index++) {
      if (this.valueAt(index) === value && Object.is(this.keyAt(index), key) && !this.isHole(index)) {
        return index;
      }
    }
    return -1;
  }

  valueAt(index: number): V {
    return this.cells[index * CELLS] as V;
  }

  keyAt(index: number): K {
    return this.cells[index * CELLS + 1] as K;
  }

  reasonAt(index: number): DisposeReason {
    return this.cells[index * CELLS + 2] as DisposeReason;
  }

  bytesAt(index: number): number {
    return this.sizes === null ? 0 : (this.sizes[index] as number);
  }
}
