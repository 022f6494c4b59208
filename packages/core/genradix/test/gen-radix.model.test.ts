import { SeededRng, assert } from '@core/base';
import { describe, expect, it } from 'vitest';
import { GenRadix, NodePool, type RadixNode } from '../src/index.js';
import { FailingPool, LeakyPool } from './support/pools.js';

const SEED = Math.floor(Math.random() * 2 ** 32);

type MakePool = (rng: SeededRng, nodeEntries: number) => NodePool;

/** Random operations on a tree, and on a plain map. */
function fuzz(seed: number, makePool: MakePool = fairPool): void {
  const rng = new SeededRng(seed);
  const pool = makePool(rng, rng.pick([2, 2, 4, 8, 256]));
  const tree = new GenRadix<number>({ nodes: pool });
  const model = new Map<number, number>();
  const range = rng.pick([10, 100, 5000, 2 ** 34, 2 ** 53]);
  for (let step = 1; step <= 120; step++) {
    const index = rng.below(4) === 0 && model.size > 0 ? rng.pick([...model.keys()]) : rng.below(range);
    const choice = rng.below(20);
    if (choice < 9) {
      const preallocated = rng.below(4) === 0 ? pool.take() : null;
      if (preallocated !== null && rng.below(2) === 0) {
        preallocated[rng.below(preallocated.length)] = ['a child'] satisfies RadixNode;
      }
      const slot = tree.slot(index, { preallocated, mayAllocate: rng.below(5) > 0 });
      same(slot?.value, slot === null ? undefined : model.get(index));
      if (slot === null) {
        same(model.has(index), false);
      } else {
        slot.value = step;
        model.set(index, step);
      }
    } else if (choice < 12) {
      const slot = tree.slot(index, { mayAllocate: false });
      same(slot?.value, model.get(index));
      if (slot !== null) {
        slot.value = undefined;
        model.delete(index);
      }
    } else if (choice < 16) {
      same(tree.get(index), model.get(index));
    } else if (choice < 18) {
      const leaf = Math.floor(index / pool.nodeEntries);
      tree.releaseLeaf(leaf);
      for (const key of model.keys()) {
        if (Math.floor(key / pool.nodeEntries) === leaf) {
          model.delete(key);
        }
      }
    } else if (choice < 19) {
      const count = rng.below(40);
      if (tree.prealloc(count)) {
        for (let below = 0; below < count; below++) {
          same(tree.slot(below, { mayAllocate: false }) === null, false);
        }
      }
    } else if (rng.below(5) === 0) {
      tree.free();
      model.clear();
    }
    same([...tree].join(), [...model].sort(([a], [b]) => a - b).join());
    tree.checkInvariants();
    pool.checkInvariants();
    same(pool.taken, tree.nodes);
  }
  tree.free();
  same(pool.taken, 0);
}

function same(found: unknown, wanted: unknown): void {
  assert(found === wanted, () => `Found ${String(found)} where ${String(wanted)} is due`);
}

function fairPool(rng: SeededRng, nodeEntries: number): NodePool {
  const { nodeBytes } = new NodePool({ nodeEntries });
  const budgetBytes = rng.pick([0, 3 * nodeBytes, 20 * nodeBytes, Infinity, Infinity]);
  const rate = rng.pick([0, 0, 0.1]);
  return new FailingPool({ nodeEntries, budgetBytes, spareNodes: rng.pick([0, 2, 64]) }, () => rng.next() < rate);
}

describe('GenRadix against a map', () => {
  it.each([SEED, 0])('holds for random operations, seed %i', (seed) => {
    for (let run = 0; run < 150; run++) {
      fuzz(seed + run);
    }
  });

  it('catches a pool that wipes nothing', () => {
    expect(() => {
      for (let seed = 0; seed < 50; seed++) {
        fuzz(seed, (_rng, nodeEntries) => new LeakyPool({ nodeEntries }));
      }
    }).toThrow();
  });

  it('catches a pool that hands a node out twice', () => {
    class Double extends NodePool {
      private last: RadixNode | null = null;

      override take(): RadixNode | null {
        const node = super.take();
        const answer = this.taken % 3 === 0 ? this.last : node;
        this.last = node;
        return answer ?? node;
      }
    }
    expect(() => {
      for (let seed = 0; seed < 50; seed++) {
        fuzz(seed, (_rng, nodeEntries) => new Double({ nodeEntries }));
      }
    }).toThrow();
  });
});
