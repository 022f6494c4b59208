import { assert, checkOptionNames } from '@core/base';
import { NodePool, type RadixNode } from './node-pool.js';

export interface GenRadixOptions {
  /** Where nodes come from. Default: a pool of its own, without a budget. */
  readonly nodes?: NodePool;
}

const OPTION_NAMES = Object.keys({ nodes: true } satisfies Record<keyof GenRadixOptions, true>);

export interface SlotOptions {
  /**
   * A node of the same pool to use if one is needed; if not, it goes back to the pool. Either way it is the tree's from
   * here on, and what it holds is wiped.
   */
  readonly preallocated?: RadixNode | null;
  /** Whether nodes may be taken from the pool. Default true. */
  readonly mayAllocate?: boolean;
}

/** One place in a tree. Stays valid until the tree is freed: what it holds is never moved. */
export class RadixSlot<T> {
  readonly node: RadixNode;
  readonly offset: number;

  /** @internal */
  constructor(node: RadixNode, offset: number) {
    this.node = node;
    this.offset = offset;
  }

  get value(): T | undefined {
    return this.node[this.offset] as T | undefined;
  }

  set value(value: T | undefined) {
    this.node[this.offset] = value;
  }
}

/**
 * A radix tree indexed by integer: an array that never needs one large piece of memory and never moves its elements.
 *
 * It grows a node at a time, and at the root: a tree of one leaf is that leaf. When the pool has no node, nothing is
 * stored, the caller is told, and the tree is as usable as before. Absent and `undefined` are the same.
 *
 * `get` and `slot` are O(log n) to the base of `nodeEntries`.
 *
 * @see include/linux/generic-radix-tree.h
 */
export class GenRadix<T> implements Iterable<[index: number, value: T]> {
  readonly pool: NodePool;
  private root: RadixNode | null = null;
  /** Levels of interior nodes above the leaves. */
  private levels = 0;
  private nodeCount = 0;
  /** A node brought along by the caller of `slot`, used before the pool is asked. */
  private brought: RadixNode | null = null;

  /** @throws {TypeError} `options` is no object or has a name that is no option, or `nodes` is no pool */
  constructor(options: GenRadixOptions = {}) {
    checkOptionNames(options, OPTION_NAMES, 'a GenRadix');
    const { nodes } = options;
    if (nodes !== undefined && typeof nodes?.take !== 'function') {
      throw new TypeError(`Cannot create a GenRadix with nodes ${String(nodes)}: it must be a NodePool`);
    }
    this.pool = nodes ?? new NodePool();
  }

  /** Nodes in use, interior ones included. */
  get nodes(): number {
    return this.nodeCount;
  }

  /**
   * What is at `index`, or `undefined`.
   *
   * @throws {RangeError} `index` is not an integer from 0 to 2^53 - 1
   */
  get(index: number): T | undefined {
    checkIndex(index);
    const entries = this.pool.nodeEntries;
    const leaf = this.findLeaf(Math.floor(index / entries));
    return leaf === null ? undefined : (leaf[index % entries] as T | undefined);
  }

  /**
   * The place for `index`, made if need be; null when it is absent and no node could, or may, be had.
   *
   * @throws {RangeError} `index` is not an integer from 0 to 2^53 - 1, or `preallocated` is no node of this pool's size;
   *   it is still the caller's
   */
  slot(index: number, options: SlotOptions = {}): RadixSlot<T> | null {
    checkIndex(index);
    const entries = this.pool.nodeEntries;
    const brought = options.preallocated ?? null;
    if (brought !== null && brought.length !== entries) {
      throw new RangeError(`Cannot use a node of ${brought.length} entries: nodes of this tree have ${entries}`);
    }
    this.brought = brought;
    try {
      const leaf = this.leaf(Math.floor(index / entries), options.mayAllocate ?? true);
      return leaf === null ? null : new RadixSlot<T>(leaf, index % entries);
    } finally {
      if (this.brought !== null) {
        // Somebody else was quicker and the node is not needed. The pool empties it, as it does every node.
        this.pool.give(this.brought);
        this.brought = null;
      }
    }
  }

  /**
   * Makes all places below `count`, O(count).
   *
   * @returns whether there were nodes enough; those made are kept either way
   * @throws {RangeError} `count` is not an integer from 0 to 2^53 - 1
   */
  prealloc(count: number): boolean {
    checkIndex(count);
    const leaves = Math.ceil(count / this.pool.nodeEntries);
    for (let index = 0; index < leaves; index++) {
      if (this.leaf(index, true) === null) {
        return false;
      }
    }
    return true;
  }

  /**
   * Gives every node back. The tree is empty, and can be used again.
   *
   * @param clean every slot is empty already
   */
  free(clean = false): void {
    if (this.root !== null) {
      this.freeBelow(this.root, this.levels, clean);
    }
    this.root = null;
    this.levels = 0;
    assert(this.nodeCount === 0, () => `Freed a radix tree and ${this.nodeCount} nodes are left`);
  }

  /** Leaves in use, found by looking: O(nodes). */
  get leaves(): number {
    return this.root === null ? 0 : this.countBelow(this.root, this.levels, true);
  }

  *[Symbol.iterator](): IterableIterator<[index: number, value: T]> {
    if (this.root !== null) {
      yield* this.entriesBelow(this.root, this.levels, 0);
    }
  }

  /**
   * The node that holds indices from `leafIndex * nodeEntries` on, made if need be and `mayAllocate`; or null. For
   * structures that keep a cursor into a leaf.
   */
  leaf(leafIndex: number, mayAllocate: boolean): RadixNode | null {
    if (!mayAllocate && this.brought === null) {
      return this.findLeaf(leafIndex);
    }
    if (!this.growTo(leafIndex, mayAllocate)) {
      return null;
    }
    let node = this.root as RadixNode;
    for (let level = this.levels; level > 0; level--) {
      const offset = this.offsetAt(leafIndex, level);
      let child = node[offset] as RadixNode | undefined;
      if (child === undefined) {
        const made = this.takeNode(mayAllocate);
        if (made === null) {
          return null;
        }
        node[offset] = made;
        child = made;
      }
      node = child;
    }
    return node;
  }

  /**
   * Unlinks a leaf and gives it back to the pool; what it held is gone. Interior nodes stay until {@link free}.
   *
   * @param clean the caller has emptied every slot already
   */
  releaseLeaf(leafIndex: number, clean = false): void {
    const leaf = this.detachLeaf(leafIndex);
    if (leaf !== null) {
      this.pool.give(leaf, clean);
    }
  }

  /** Unlinks a leaf and hands it over with what it holds; the caller gives it to the pool later. */
  detachLeaf(leafIndex: number): RadixNode | null {
    const leaf = this.findLeaf(leafIndex);
    if (leaf === null) {
      return null;
    }
    if (this.levels === 0) {
      this.root = null;
    } else {
      let parent = this.root as RadixNode;
      for (let level = this.levels; level > 1; level--) {
        parent = parent[this.offsetAt(leafIndex, level)] as RadixNode;
      }
      parent[this.offsetAt(leafIndex, 1)] = undefined;
    }
    this.nodeCount--;
    return leaf;
  }

  /** For tests: throws when the tree is not one. */
  checkInvariants(): void {
    const found = this.root === null ? 0 : this.countBelow(this.root, this.levels, false);
    assert(found === this.nodeCount, () => `Radix tree counts ${this.nodeCount} nodes and has ${found}`);
    assert(this.root !== null || this.levels === 0, 'Radix tree has levels and no root');
    assert(this.pool.taken >= this.nodeCount, 'Radix tree has more nodes than its pool gave out');
    assert(this.brought === null, 'Radix tree kept a node that was brought along');
  }

  private findLeaf(leafIndex: number): RadixNode | null {
    if (this.root === null || leafIndex >= this.leafCapacity()) {
      return null;
    }
    let node = this.root;
    for (let level = this.levels; level > 0; level--) {
      const child = node[this.offsetAt(leafIndex, level)] as RadixNode | undefined;
      if (child === undefined) {
        return null;
      }
      node = child;
    }
    return node;
  }

  /** Grows at the root until `leafIndex` has a place. On failure the tree is a larger, equally valid one. */
  private growTo(leafIndex: number, mayAllocate: boolean): boolean {
    if (this.root === null) {
      this.root = this.takeNode(mayAllocate);
      if (this.root === null) {
        return false;
      }
    }
    while (leafIndex >= this.leafCapacity()) {
      const root = this.takeNode(mayAllocate);
      if (root === null) {
        return false;
      }
      root[0] = this.root;
      this.root = root;
      this.levels++;
    }
    return true;
  }

  private leafCapacity(): number {
    return this.pool.nodeEntries ** this.levels;
  }

  private offsetAt(leafIndex: number, level: number): number {
    const entries = this.pool.nodeEntries;
    return Math.floor(leafIndex / entries ** (level - 1)) % entries;
  }

  private takeNode(mayAllocate: boolean): RadixNode | null {
    let node = this.brought;
    this.brought = null;
    if (node !== null) {
      // Whoever brought it may have had it in another tree for a moment: it must not keep a child from there.
      node.fill(undefined);
    } else if (mayAllocate) {
      node = this.pool.take();
    }
    if (node !== null) {
      this.nodeCount++;
    }
    return node;
  }

  private freeBelow(node: RadixNode, level: number, clean: boolean): void {
    if (level > 0) {
      for (const child of node) {
        if (child !== undefined) {
          this.freeBelow(child as RadixNode, level - 1, clean);
        }
      }
    }
    this.nodeCount--;
    this.pool.give(node, clean && level === 0);
  }

  private countBelow(node: RadixNode, level: number, onlyLeaves: boolean): number {
    let count = level > 0 && onlyLeaves ? 0 : 1;
    if (level > 0) {
      for (const child of node) {
        count += child === undefined ? 0 : this.countBelow(child as RadixNode, level - 1, onlyLeaves);
      }
    }
    return count;
  }

  private *entriesBelow(node: RadixNode, level: number, first: number): IterableIterator<[number, T]> {
    const entries = this.pool.nodeEntries;
    const span = entries ** level;
    for (let offset = 0; offset < entries; offset++) {
      const child = node[offset];
      if (child === undefined) {
        continue;
      }
      const index = first + offset * span;
      if (level === 0) {
        yield [index, child as T];
      } else {
        yield* this.entriesBelow(child as RadixNode, level - 1, index);
      }
    }
  }
}

function checkIndex(index: number): void {
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new RangeError(`Cannot look up index ${index}: it must be an integer from 0 to 2^53 - 1`);
  }
}
