import { assert, checkOptionNames } from '@core/base';

/** In the last slot of every node that was given back: nobody else has it, so such a node is not one that is out. */
const GIVEN_BACK: unique symbol = Symbol('given back');

/** A fixed number of slots; an empty one holds `undefined`. Interior nodes hold nodes, leaves hold what users store. */
export type RadixNode = unknown[];

const DEFAULT_ENTRIES = 256;
/** An array of more is no small piece of memory any more. */
const MAX_ENTRIES = 2 ** 16;
const DEFAULT_SPARES = 64;
const BYTES_PER_ENTRY = 8;
/** What V8 adds to the elements of an array: the array object and the header of its elements. */
const BYTES_PER_NODE = 48;

export interface NodePoolOptions {
  /** Bytes that all nodes of this pool may take, spares included. Default unlimited; 0 means never a node. */
  readonly budgetBytes?: number;
  /** Slots in a node, a power of two from 2 to 65,536. Default 256. */
  readonly nodeEntries?: number;
  /** Nodes given back that are kept for the next taker. Default 64. */
  readonly spareNodes?: number;
}

const OPTION_NAMES = Object.keys({
  budgetBytes: true,
  nodeEntries: true,
  spareNodes: true,
} satisfies Record<keyof NodePoolOptions, true>);

/**
 * Hands out nodes of one size within a budget, and takes them back.
 *
 * `take` may fail: that is the point. Whoever uses a pool must live with null, as kernel code lives with a failing
 * kmalloc. Both operations are O(nodeEntries) at most; taking a spare is O(1).
 */
export class NodePool {
  readonly budgetBytes: number;
  readonly nodeEntries: number;
  readonly nodeBytes: number;
  private readonly spareNodes: number;
  private readonly kept: RadixNode[] = [];
  private readonly lastEntry: number;
  private readonly blank: RadixNode;
  private takenCount = 0;

  /**
   * @throws {RangeError} an option is out of range
   * @throws {TypeError} `options` is no object, or has a name that is no option
   */
  constructor(options: NodePoolOptions = {}) {
    checkOptionNames(options, OPTION_NAMES, 'a NodePool');
    const { budgetBytes = Infinity, nodeEntries = DEFAULT_ENTRIES, spareNodes = DEFAULT_SPARES } = options;
    if (typeof budgetBytes !== 'number' || !(budgetBytes >= 0)) {
      throw new RangeError(`Cannot use a node budget of ${budgetBytes} bytes: it must be 0 or more`);
    }
    if (!(nodeEntries >= 2 && nodeEntries <= MAX_ENTRIES && 2 ** Math.round(Math.log2(nodeEntries)) === nodeEntries)) {
      throw new RangeError(`Cannot use nodes of ${nodeEntries} entries: it must be a power of two from 2 to 65,536`);
    }
    if (!(spareNodes >= 0)) {
      throw new RangeError(`Cannot keep ${spareNodes} spare nodes: it must be 0 or more`);
    }
    this.budgetBytes = budgetBytes;
    this.nodeEntries = nodeEntries;
    this.nodeBytes = nodeEntries * BYTES_PER_ENTRY + BYTES_PER_NODE;
    this.spareNodes = spareNodes;
    this.lastEntry = nodeEntries - 1;
    // Copies of a packed array of the right length are packed and no larger; `new Array(n)` would be holey.
    this.blank = Array.from<unknown>({ length: nodeEntries }).fill(undefined);
  }

  /** Nodes handed out and not given back. */
  get taken(): number {
    return this.takenCount;
  }

  /** Nodes given back that are kept for the next taker. */
  get spares(): number {
    return this.kept.length;
  }

  /** Bytes of all nodes, spares included. */
  get bytes(): number {
    return (this.takenCount + this.kept.length) * this.nodeBytes;
  }

  /** A node of empty slots, or null when the budget is spent. */
  take(): RadixNode | null {
    const spare = this.kept.pop();
    if (spare !== undefined) {
      spare[this.lastEntry] = undefined;
      this.takenCount++;
      return spare;
    }
    const node = this.create();
    if (node !== null) {
      this.takenCount++;
    }
    return node;
  }

  /**
   * Takes a node back and empties it, so that nothing of its last user is left for the next.
   *
   * @param clean the caller has emptied every slot already
   * @throws {RangeError} the node is not one of this pool's, more nodes come back than were taken, or this node was
   *   given back already; the pool is as it was
   */
  give(node: RadixNode, clean = false): void {
    if (node?.length !== this.nodeEntries || this.takenCount === 0) {
      throw new RangeError(
        `Cannot take back a node of ${node?.length} entries: ${this.takenCount} nodes of ${this.nodeEntries} are out`,
      );
    }
    if (node[this.lastEntry] === GIVEN_BACK) {
      throw new RangeError('Cannot take back a node: it was given back already; whoever gives it must let go of it');
    }
    this.takenCount--;
    if (this.kept.length < this.spareNodes) {
      if (!clean) {
        // A loop: Array.prototype.fill takes ten times as long here.
        for (let entry = 0; entry < node.length; entry++) {
          node[entry] = undefined;
        }
      }
      this.kept.push(node);
    }
    node[this.lastEntry] = GIVEN_BACK;
  }

  /**
   * Lets go of spares.
   *
   * @param count how many at most; all of them unless told otherwise
   * @returns the bytes that this frees
   * @throws {RangeError} `count` is no number of 0 or more
   */
  trim(count: number = Infinity): number {
    if (!(count >= 0)) {
      throw new RangeError(`Cannot let go of ${count} spare nodes: it must be a number of 0 or more`);
    }
    const dropped = Math.min(Math.floor(count), this.kept.length);
    this.kept.length -= dropped;
    return dropped * this.nodeBytes;
  }

  /** For tests: throws when what it keeps is not what it may hand out. */
  checkInvariants(): void {
    assert(new Set(this.kept).size === this.kept.length, 'A node was given back twice');
    assert(this.bytes <= this.budgetBytes, () => `Nodes take ${this.bytes} bytes of ${this.budgetBytes}`);
    for (const spare of this.kept) {
      assert(spare.length === this.nodeEntries, () => `A spare node has ${spare.length} entries`);
      assert(
        spare.every((entry, index) => entry === (index === this.lastEntry ? GIVEN_BACK : undefined)),
        'A spare node is not empty',
      );
    }
  }

  private create(): RadixNode | null {
    return this.bytes + this.nodeBytes <= this.budgetBytes ? this.blank.slice() : null;
  }
}
