import { SeededRng, assert } from '@core/base';
import { describe, expect, it } from 'vitest';
import { NodePool, type RadixNode, RadixVector } from '../src/index.js';
import { FailingPool, LeakyPool } from './support/pools.js';

const SEED = Math.floor(Math.random() * 2 ** 32);

const OPERATIONS = [
  'push',
  'pop',
  'shift',
  'shiftLeaf',
  'removeFirst',
  'removeMiddle',
  'fillLeaf',
  'popFromLeaf',
  'emptyLeaf',
  'openInVain',
] as const;
type Operation = (typeof OPERATIONS)[number];

/** A vector and an array, to which the same is done. */
class Twins {
  readonly pool: NodePool;
  readonly vector: RadixVector<number>;
  private readonly array: number[] = [];
  private next = 0;

  constructor(pool: NodePool) {
    this.pool = pool;
    this.vector = new RadixVector<number>(pool);
  }

  do(operation: Operation): void {
    this[operation]();
    const { vector, array, pool } = this;
    assert(vector.length === array.length, () => `Length ${vector.length} of ${array.length} after ${operation}`);
    array.forEach((value, index) => {
      assert(vector.at(index) === value, () => `${String(vector.at(index))} at ${index} of [${array.join()}]`);
    });
    vector.checkInvariants();
    pool.checkInvariants();
    assert(pool.taken === vector.nodes, () => `${pool.taken} nodes are out, ${vector.nodes} in use`);
  }

  end(): void {
    this.vector.free();
    assert(this.pool.taken === 0, 'Nodes are left behind');
    this.pool.checkInvariants();
  }

  private push(): void {
    if (this.vector.push(this.next)) {
      this.array.push(this.next++);
    }
  }

  private pop(): void {
    same(this.vector.pop(), this.array.pop());
  }

  private shift(): void {
    same(this.vector.shift(), this.array.shift());
  }

  private shiftLeaf(): void {
    const { vector, array } = this;
    if (array.length > 0) {
      const count = vector.firstLeafLength();
      const offset = vector.shiftOffset;
      const leaf = vector.shiftLeaf();
      same(leaf.slice(offset, offset + count).join(), array.splice(0, count).join());
      this.pool.give(leaf);
    }
  }

  private removeFirst(): void {
    if (this.array.length > 0) {
      same(this.vector.removeAt(0), this.array.shift());
    }
  }

  private removeMiddle(): void {
    const index = this.array.length >> 1;
    if (this.array.length > 0) {
      same(this.vector.removeAt(index), this.array.splice(index, 1)[0]);
    }
  }

  /** Stores through the open leaf up to its end. */
  private fillLeaf(): void {
    const leaf = this.vector.leafForPush();
    if (leaf !== null) {
      const offset = this.vector.pushOffset;
      for (let at = offset; at < leaf.length; at++) {
        leaf[at] = this.next;
        this.array.push(this.next++);
      }
      this.vector.pushed(leaf.length - offset);
    }
  }

  private popFromLeaf(): void {
    this.popThrough(1);
  }

  private emptyLeaf(): void {
    this.popThrough(Infinity);
  }

  private popThrough(most: number): void {
    const { vector, array } = this;
    if (array.length > 0 && vector.poppable > 0) {
      const count = Math.min(most, vector.poppable);
      const leaf = vector.leafForPop();
      for (let at = vector.poppable - 1; at >= vector.poppable - count; at--) {
        same(leaf[at], array.pop());
        leaf[at] = undefined;
      }
      vector.pushed(-count);
    }
  }

  private openInVain(): void {
    this.vector.leafForPush();
  }
}

function same(found: unknown, wanted: unknown): void {
  assert(found === wanted, () => `Found ${String(found)} where ${String(wanted)} is due`);
}

function fuzz(seed: number, makePool: (nodeEntries: number, rng: SeededRng) => NodePool = fairPool): void {
  const rng = new SeededRng(seed);
  const twins = new Twins(makePool(rng.pick([2, 2, 4, 8, 64]), rng));
  const list: Operation[] = [];
  try {
    for (let step = 0; step < 150; step++) {
      // Long runs of the same, so that several leaves fill and empty.
      const operation = step % 5 === 0 ? rng.pick(OPERATIONS) : (list.at(-1) as Operation);
      list.push(operation);
      twins.do(operation);
    }
    twins.end();
  } catch (error) {
    throw new Error(`Seed ${seed}, nodes of ${twins.pool.nodeEntries}, ${list.join(' ')}: ${String(error)}`, {
      cause: error,
    });
  }
}

function fairPool(nodeEntries: number, rng: SeededRng): NodePool {
  const { nodeBytes } = new NodePool({ nodeEntries });
  const budgetBytes = rng.pick([0, nodeBytes, 5 * nodeBytes, Infinity, Infinity]);
  const rate = rng.pick([0, 0, 0.2]);
  return new FailingPool({ nodeEntries, budgetBytes, spareNodes: rng.pick([0, 1, 64]) }, () => rng.next() < rate);
}

describe('RadixVector against an array', () => {
  it('holds for every list of four operations behind up to three pushes, on nodes of two', () => {
    for (let before = 0; before < 4; before++) {
      for (let number = 0; number < OPERATIONS.length ** 4; number++) {
        const twins = new Twins(new NodePool({ nodeEntries: 2 }));
        for (let pushes = 0; pushes < before; pushes++) {
          twins.do('push');
        }
        for (let rest = number, step = 0; step < 4; step++, rest = Math.floor(rest / OPERATIONS.length)) {
          twins.do(OPERATIONS[rest % OPERATIONS.length] as Operation);
        }
        twins.end();
      }
    }
  });

  it.each([SEED, 0])('holds for random operations, seed %i', (seed) => {
    for (let run = 0; run < 400; run++) {
      fuzz(seed + run);
    }
  });

  it.each<[string, (nodeEntries: number) => NodePool]>([
    ['wipes nothing', (nodeEntries) => new LeakyPool({ nodeEntries })],
    [
      'hands a node out twice',
      (nodeEntries) => {
        const pool = new NodePool({ nodeEntries });
        const real = pool.take.bind(pool);
        let last: RadixNode | null = null;
        pool.take = () => {
          const node = real();
          last = pool.taken % 3 === 0 ? (last ?? node) : node;
          return last;
        };
        return pool;
      },
    ],
  ])('catches a pool that %s', (_what, makePool) => {
    expect(() => {
      for (let seed = 0; seed < 100; seed++) {
        fuzz(seed, makePool);
      }
    }).toThrow(/^Seed/);
  });

  it('catches a vector that keeps every leaf it empties', () => {
    const bust = (nodeEntries: number): NodePool => new NodePool({ nodeEntries });
    const { prototype } = RadixVector;
    const real = prototype.pushed;
    // As it was: no look at the border.
    prototype.pushed = function pushed(this: RadixVector<unknown>, count: number): void {
      const insides = this as unknown as { end: number; last: RadixNode | null };
      insides.end += count;
      insides.last = null;
    };
    try {
      expect(() => {
        for (let seed = 0; seed < 100; seed++) {
          fuzz(seed, bust);
        }
      }).toThrow(/leaves for elements of/);
    } finally {
      prototype.pushed = real;
    }
  });
});
