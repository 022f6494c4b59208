import { assert } from '@core/base';

/** Entries in a leaf; one that has twice as many is split. */
const LEAF = 256;
/** An order that is not asked for during so many changes is dropped, and built again when it is. */
const MIN_PATIENCE = 4096;

export interface Ordered {
  readonly key: string;
}

/** Where a range begins or ends, by a canonical key. */
export interface Bound {
  readonly key: string;
  readonly exclusive: boolean;
}

/**
 * Dirty keys of a tree in the order of their bytes. Costs nothing until the first range asks for it, O(log n) for each
 * key that becomes dirty or clean while ranges keep asking, and is dropped when they don't.
 */
export class DirtyOrder<T extends Ordered> {
  /** Null: nobody asks. */
  private leaves: T[][] | null = null;
  private count = 0;
  private changes = 0;

  get isBuilt(): boolean {
    return this.leaves !== null;
  }

  build(entries: T[]): void {
    entries.sort(byKey);
    this.leaves = [];
    for (let at = 0; at < entries.length; at += LEAF) {
      this.leaves.push(entries.slice(at, at + LEAF));
    }
    this.count = entries.length;
    this.changes = 0;
  }

  add(entry: T): void {
    const { leaves } = this;
    if (leaves === null || this.isForgotten()) {
      return;
    }
    this.count++;
    const index = Math.max(0, this.leafOf(leaves, entry.key));
    const leaf = leaves[index];
    if (leaf === undefined) {
      leaves.push([entry]);
      return;
    }
    leaf.splice(firstNotBelow(leaf, entry.key), 0, entry);
    if (leaf.length > 2 * LEAF) {
      leaves.splice(index + 1, 0, leaf.splice(LEAF));
    }
  }

  remove(entry: T): void {
    const { leaves } = this;
    if (leaves === null || this.isForgotten()) {
      return;
    }
    const index = this.leafOf(leaves, entry.key);
    const leaf = leaves[index] as T[];
    const at = firstNotBelow(leaf, entry.key);
    assert(leaf[at] === entry, 'A dirty key is not where its order says');
    leaf.splice(at, 1);
    this.count--;
    if (leaf.length === 0) {
      leaves.splice(index, 1);
    }
  }

  /** Visits what is within the bounds, in order or in reverse, until `visit` says that it is enough. */
  walk(lower: Bound | null, upper: Bound | null, reverse: boolean, visit: (entry: T) => boolean): void {
    const leaves = this.leaves as T[][];
    this.changes = 0;
    const begin = reverse ? upper : lower;
    let index = begin === null ? (reverse ? leaves.length - 1 : 0) : Math.max(0, this.leafOf(leaves, begin.key));
    let leaf = leaves[index];
    let at = begin === null ? 0 : firstNotBelow(leaf ?? [], begin.key);
    if (reverse) {
      // The last one that may be within, or one more, which is not visited.
      at = begin === null ? (leaf?.length ?? 0) - 1 : Math.min(at, (leaf?.length ?? 0) - 1);
    }
    while (leaf !== undefined) {
      for (; reverse ? at >= 0 : at < leaf.length; at += reverse ? -1 : 1) {
        const entry = leaf[at] as T;
        if (isBeyond(entry.key, reverse ? lower : upper, reverse)) {
          return;
        }
        if (!isBeyond(entry.key, begin, !reverse) && !visit(entry)) {
          return;
        }
      }
      index += reverse ? -1 : 1;
      leaf = leaves[index];
      at = reverse ? (leaf?.length ?? 0) - 1 : 0;
    }
  }

  checkInvariants(dirty: number): void {
    if (this.leaves === null) {
      return;
    }
    const all = this.leaves.flat();
    assert(all.length === this.count && this.count === dirty, 'The order has other keys than are dirty');
    assert(
      all.every((entry, at) => at === 0 || (all[at - 1] as T).key < entry.key),
      'Keys are out of order',
    );
    assert(
      this.leaves.every((leaf) => leaf.length > 0),
      'There is an empty leaf',
    );
  }

  private isForgotten(): boolean {
    this.changes++;
    if (this.changes <= Math.max(MIN_PATIENCE, this.count)) {
      return false;
    }
    this.leaves = null;
    return true;
  }

  /** The last leaf that begins at the key or below it, or -1. */
  private leafOf(leaves: readonly T[][], key: string): number {
    let low = 0;
    let high = leaves.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((leaves[middle] as T[])[0] as T).key <= key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }
}

/** Whether a key is outside of a bound: of a lower one when `lower`, else of an upper one. */
function isBeyond(key: string, bound: Bound | null, lower: boolean): boolean {
  if (bound === null) {
    return false;
  }
  return (bound.exclusive && key === bound.key) || (lower ? key < bound.key : key > bound.key);
}

function firstNotBelow(leaf: readonly Ordered[], key: string): number {
  let low = 0;
  let high = leaf.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((leaf[middle] as Ordered).key < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function byKey(a: Ordered, b: Ordered): number {
  return a.key < b.key ? -1 : 1;
}
