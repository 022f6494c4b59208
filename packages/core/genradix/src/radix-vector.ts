import { assert } from '@core/base';
import { GenRadix } from './gen-radix.js';
import type { NodePool, RadixNode } from './node-pool.js';

/**
 * A vector over a radix tree: pushed and popped at the end, drained from the front, never copied.
 *
 * `undefined` cannot be stored. Leaves go back to the pool as they empty, except that the end keeps one more than it
 * needs, so that pushing and popping around the border of a leaf takes and gives none. All operations are O(1) but
 * {@link removeAt}.
 */
export class RadixVector<T> {
  private readonly radix: GenRadix<T>;
  private readonly entries: number;
  /** `index & mask` is the offset in the leaf; right for any integer, since only the low bits count. */
  private readonly mask: number;
  /** Index of the first element. */
  private start = 0;
  /** Index behind the last element. */
  private end = 0;
  /** The leaf that the next push goes to; null when not looked up. */
  private last: RadixNode | null = null;
  /** The leaf of `start`; null when not looked up. */
  private first: RadixNode | null = null;

  /** @throws {TypeError} `nodes` is no pool */
  constructor(nodes: NodePool) {
    if (typeof nodes?.take !== 'function') {
      throw new TypeError(`Cannot create a RadixVector with ${String(nodes)}: pass a NodePool`);
    }
    this.radix = new GenRadix<T>({ nodes });
    this.entries = nodes.nodeEntries;
    this.mask = nodes.nodeEntries - 1;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Nodes in use, interior ones included. */
  get nodes(): number {
    return this.radix.nodes;
  }

  /**
   * @returns whether it was stored; if not, the pool is exhausted and nothing has changed
   * @throws {TypeError} `value` is `undefined`
   */
  push(value: T): boolean {
    if (value === undefined) {
      throw new TypeError('Cannot push undefined: that is what an empty slot holds');
    }
    const leaf = this.leafForPush();
    if (leaf === null) {
      return false;
    }
    leaf[this.end & this.mask] = value;
    this.pushed(1);
    return true;
  }

  pop(): T | undefined {
    if (this.end === this.start) {
      return undefined;
    }
    const offset = (this.end - 1) & this.mask;
    // The next push goes to the leaf of the last element, unless that leaf is full.
    const leaf = (offset < this.mask ? this.last : null) ?? this.findLeaf(this.end - 1);
    const value = leaf[offset] as T;
    leaf[offset] = undefined;
    this.end--;
    this.last = leaf;
    if (offset === 0) {
      this.releaseSpareLeaf();
    }
    return value;
  }

  /** Takes the first element. */
  shift(): T | undefined {
    if (this.end === this.start) {
      return undefined;
    }
    const leaf = this.leafForShift();
    const offset = this.start & this.mask;
    const value = leaf[offset] as T;
    leaf[offset] = undefined;
    this.shifted(1);
    return value;
  }

  /** `index` counts from the first element. */
  at(index: number): T | undefined {
    return index >= 0 && index < this.length ? this.radix.get(this.start + index) : undefined;
  }

  /** Takes out one element and closes the gap: O(length - index). */
  removeAt(index: number): T {
    assert(
      Number.isInteger(index) && index >= 0 && index < this.length,
      () => `Cannot remove element ${index} of ${this.length}`,
    );
    let gap = this.start + index;
    let leaf = this.findLeaf(gap);
    const value = leaf[gap & this.mask] as T;
    for (; gap < this.end - 1; gap++) {
      const source = ((gap + 1) & this.mask) === 0 ? this.findLeaf(gap + 1) : leaf;
      leaf[gap & this.mask] = source[(gap + 1) & this.mask];
      leaf = source;
    }
    this.pop();
    return value;
  }

  /**
   * The leaf whose elements the next pushes go to, for a caller that stores them itself from {@link pushOffset} on and
   * reports with {@link pushed}; null when the pool is exhausted.
   */
  leafForPush(): RadixNode | null {
    if (this.last !== null) {
      return this.last;
    }
    this.last = this.radix.leaf(Math.floor(this.end / this.entries), true);
    return this.last;
  }

  /** Where in its leaf the next element goes. */
  get pushOffset(): number {
    return this.end & this.mask;
  }

  /** Tells that `count` elements were stored in the leaf, or with a negative number, that they were taken out of it. */
  pushed(count: number): void {
    this.end += count;
    const atBorder = (this.end & this.mask) === 0;
    if (atBorder || count < 0) {
      this.last = null;
    }
    if (atBorder && count < 0) {
      this.releaseSpareLeaf();
    }
  }

  /**
   * The leaf of the last element, for a caller that pops elements itself, from {@link poppable} down, and reports with
   * {@link pushed} and a negative number. The vector must not be empty.
   */
  leafForPop(): RadixNode {
    return this.findLeaf(this.end - 1);
  }

  /** How many elements {@link leafForPop} has from its first slot on; 0 when some of its first were shifted out. */
  get poppable(): number {
    const used = ((this.end - 1) & this.mask) + 1;
    return this.length >= used ? used : 0;
  }

  /**
   * The leaf of the first element, for a caller that takes elements out itself, from {@link shiftOffset} on: it empties
   * each slot and reports with {@link shifted}. The vector must not be empty.
   */
  leafForShift(): RadixNode {
    this.first ??= this.findLeaf(this.start);
    return this.first;
  }

  /** Tells that `count` elements of the first leaf were taken out of their slots. */
  shifted(count: number): void {
    this.start += count;
    if (count > 0 && (this.start & this.mask) === 0) {
      this.releaseFirstLeaf();
    }
  }

  /** How many elements of the first leaf {@link shiftLeaf} would hand over; 0 when empty. */
  firstLeafLength(): number {
    return Math.min(this.entries - (this.start & this.mask), this.length);
  }

  /**
   * Hands over the leaf of the first element, with {@link firstLeafLength} elements from offset {@link shiftOffset} on.
   * The caller gives it to the pool afterwards. The vector must not be empty.
   */
  shiftLeaf(): RadixNode {
    const count = this.firstLeafLength();
    const leaf = this.radix.detachLeaf(Math.floor(this.start / this.entries)) as RadixNode;
    this.start += count;
    this.last = null;
    this.first = null;
    if (this.start === this.end) {
      this.reset();
    }
    return leaf;
  }

  get shiftOffset(): number {
    return this.start & this.mask;
  }

  /** Gives every node back. */
  free(): void {
    // Elements empty their slot as they go.
    this.radix.free(this.start === this.end);
    this.start = 0;
    this.end = 0;
    this.last = null;
    this.first = null;
  }

  /** For tests: throws when it does not hold what it says. */
  checkInvariants(): void {
    this.radix.checkInvariants();
    let found = 0;
    for (const [index] of this.radix) {
      assert(index >= this.start && index < this.end, () => `Found element ${index} outside of the vector`);
      found++;
    }
    // A full pool must not starve on nodes that hold nothing: one leaf to spare, besides interior nodes.
    const leaves = Math.ceil(this.end / this.entries) - Math.floor(this.start / this.entries);
    assert(this.radix.leaves <= leaves + 1, () => `${this.radix.leaves} leaves for elements of ${leaves}`);
    assert(
      this.last === null || this.last === this.radix.leaf(Math.floor(this.end / this.entries), false),
      'The next push goes to another leaf than that of the end',
    );
    assert(found === this.length, () => `Vector of length ${this.length} has ${found} elements`);
  }

  private findLeaf(index: number): RadixNode {
    return this.radix.leaf(Math.floor(index / this.entries), false) as RadixNode;
  }

  /** The end has gone back to the border of a leaf: that leaf is the spare now, and the one above, if any, goes. */
  private releaseSpareLeaf(): void {
    this.radix.releaseLeaf(this.end / this.entries + 1, true);
  }

  private releaseFirstLeaf(): void {
    this.radix.releaseLeaf(this.start / this.entries - 1, true);
    this.last = null;
    this.first = null;
    if (this.start === this.end) {
      this.reset();
    }
  }

  /** Empty: start over, so that indices do not grow for ever and interior nodes go back. */
  private reset(): void {
    this.free();
  }
}
