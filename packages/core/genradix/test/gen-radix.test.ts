import { assert } from '@core/base';
import { describe, expect, it } from 'vitest';
import { GenRadix, NodePool, type RadixNode } from '../src/index.js';
import { FailingPool, LeakyPool } from './support/pools.js';

const MAX = Number.MAX_SAFE_INTEGER;

function radix(nodeEntries: number, pool = new NodePool({ nodeEntries })): GenRadix<unknown> {
  return new GenRadix<unknown>({ nodes: pool });
}

function set(tree: GenRadix<unknown>, index: number, value: unknown): boolean {
  const slot = tree.slot(index);
  if (slot === null) {
    return false;
  }
  slot.value = value;
  return true;
}

function taken(pool: NodePool): RadixNode {
  const node = pool.take();
  if (node === null) {
    throw new Error('The pool is exhausted');
  }
  return node;
}

describe('GenRadix', () => {
  it('holds what is put into its slots', () => {
    const tree = new GenRadix<string>();
    expect(tree.get(0)).toBeUndefined();
    const slot = tree.slot(5);
    expect(slot?.value).toBeUndefined();
    if (slot !== null) {
      slot.value = 'five';
    }
    expect(tree.get(5)).toBe('five');
    expect(tree.get(4)).toBeUndefined();
    expect(tree.slot(5)?.value).toBe('five');
    expect([...tree]).toEqual([[5, 'five']]);
  });

  it('holds null, 0 and false, which are not absent', () => {
    const tree = radix(2);
    for (const [index, value] of [null, 0, false, ''].entries()) {
      set(tree, index, value);
    }
    expect([...tree]).toEqual([
      [0, null],
      [1, 0],
      [2, false],
      [3, ''],
    ]);
  });

  it('never moves what it holds', () => {
    const tree = radix(2);
    const slots = Array.from({ length: 9 }, (_, power) => tree.slot(2 ** power));
    for (const [power, slot] of slots.entries()) {
      if (slot !== null) {
        slot.value = power;
      }
    }
    for (const [power, slot] of slots.entries()) {
      expect(slot?.value).toBe(power);
      expect(tree.get(2 ** power)).toBe(power);
    }
    tree.checkInvariants();
  });

  it('is one leaf as long as that is enough', () => {
    const tree = radix(4);
    expect(tree.nodes).toBe(0);
    for (const index of [3, 0, 1, 2]) {
      set(tree, index, index);
      expect(tree.nodes).toBe(1);
    }
    set(tree, 4, 4);
    expect([tree.nodes, tree.leaves]).toEqual([3, 2]);
    tree.checkInvariants();
  });

  it('grows at the root: every depth, nodes of two', () => {
    const tree = radix(2);
    for (let power = 0; power < 20; power++) {
      expect(set(tree, 2 ** power, power)).toBe(true);
      tree.checkInvariants();
    }
    expect([...tree]).toEqual(Array.from({ length: 20 }, (_, power) => [2 ** power, power]));
    tree.free();
    expect([tree.nodes, tree.pool.taken]).toEqual([0, 0]);
    tree.pool.checkInvariants();
  });

  it.each([2, 4, 256, 65_536])('takes indices up to 2^53 - 1, nodes of %i', (nodeEntries) => {
    const tree = radix(nodeEntries);
    const indices = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 3, 2 ** 52, MAX - 1, MAX];
    for (const index of indices) {
      expect(set(tree, index, `at ${index}`)).toBe(true);
    }
    for (const index of indices) {
      expect(tree.get(index)).toBe(`at ${index}`);
    }
    expect([...tree].map(([index]) => index)).toEqual(indices);
    expect(tree.get(2 ** 33)).toBeUndefined();
    expect(tree.get(MAX - 2)).toBeUndefined();
    tree.checkInvariants();
    tree.free();
    expect(tree.pool.taken).toBe(0);
  });

  it('is right for every set of indices below nine', () => {
    for (let bits = 0; bits < 2 ** 9; bits++) {
      const indices = Array.from({ length: 9 }, (_, index) => index).filter((index) => bits & (1 << index));
      for (const nodeEntries of [2, 4]) {
        for (const order of [indices, indices.toReversed()]) {
          const tree = radix(nodeEntries);
          for (const index of order) {
            set(tree, index, index);
          }
          assert([...tree].map(([index]) => index).join() === indices.join(), () => `Lost some of ${indices.join()}`);
          tree.checkInvariants();
          tree.free();
          assert(tree.pool.taken === 0, () => `Left nodes of ${indices.join()} behind`);
        }
      }
    }
  });

  it('looks without making anything', () => {
    const tree = radix(2);
    expect(tree.slot(7, { mayAllocate: false })).toBeNull();
    expect(tree.nodes).toBe(0);
    set(tree, 7, 'there');
    const { nodes } = tree;
    expect(tree.slot(7, { mayAllocate: false })?.value).toBe('there');
    expect(tree.slot(6, { mayAllocate: false })?.value).toBeUndefined();
    expect(tree.slot(5, { mayAllocate: false })).toBeNull();
    expect(tree.slot(800, { mayAllocate: false })).toBeNull();
    expect(tree.get(800)).toBeUndefined();
    expect(tree.nodes).toBe(nodes);
  });

  it('can be used again after free', () => {
    const tree = radix(2);
    for (let round = 0; round < 3; round++) {
      tree.free();
      set(tree, 40 >> round, round);
      expect([...tree]).toEqual([[40 >> round, round]]);
      tree.checkInvariants();
    }
    tree.free();
    expect([...tree]).toEqual([]);
    expect(tree.get(40)).toBeUndefined();
  });

  it('gives leaves back on their own', () => {
    const tree = radix(2);
    for (let index = 0; index < 8; index++) {
      set(tree, index, index);
    }
    const { nodes } = tree;
    tree.releaseLeaf(1);
    expect([...tree].map(([index]) => index)).toEqual([0, 1, 4, 5, 6, 7]);
    expect(tree.nodes).toBe(nodes - 1);
    tree.releaseLeaf(1);
    tree.releaseLeaf(500);
    expect(tree.detachLeaf(1)).toBeNull();
    const leaf = tree.detachLeaf(3);
    expect(leaf).toEqual([6, 7]);
    expect(tree.nodes).toBe(nodes - 2);
    tree.pool.give(leaf ?? []);
    tree.checkInvariants();
    tree.pool.checkInvariants();
    set(tree, 7, 'again');
    expect([...tree].at(-1)).toEqual([7, 'again']);
    const small = radix(2);
    set(small, 0, 'root');
    small.releaseLeaf(0);
    expect([small.nodes, small.pool.taken, [...small]]).toEqual([0, 0, []]);
    small.checkInvariants();
  });

  it.each([-1, 0.5, MAX + 1, Number.NaN, Infinity, '1', undefined])('refuses index %s', (index) => {
    const tree = radix(2);
    expect(() => tree.get(index as number)).toThrow(RangeError);
    expect(() => tree.slot(index as number)).toThrow(/integer from 0 to 2\^53 - 1/);
    expect(() => tree.prealloc(index as number)).toThrow(RangeError);
    expect(tree.nodes).toBe(0);
    tree.checkInvariants();
  });
});

describe('prealloc', () => {
  it.each([0, 1, 2, 3, 4, 5, 8, 9])('makes all places below %i', (count) => {
    const nodes = new FailingPool({ nodeEntries: 2 }, () => false);
    const tree = new GenRadix<number>({ nodes });
    expect(tree.prealloc(count)).toBe(true);
    const { takes } = nodes;
    for (let index = 0; index < count; index++) {
      expect(tree.slot(index, { mayAllocate: false })).not.toBeNull();
    }
    expect(tree.slot(count + (count % 2), { mayAllocate: false })).toBeNull();
    expect(nodes.takes).toBe(takes);
    expect(tree.leaves).toBe(Math.ceil(count / 2));
  });

  it('says when there are not nodes enough, and keeps what there are', () => {
    const { nodeBytes } = new NodePool({ nodeEntries: 2 });
    const tree = radix(2, new NodePool({ nodeEntries: 2, budgetBytes: 4 * nodeBytes }));
    expect(tree.prealloc(100)).toBe(false);
    expect(tree.nodes).toBe(4);
    expect(set(tree, 0, 'there')).toBe(true);
    expect(set(tree, 99, 'not')).toBe(false);
    tree.checkInvariants();
    tree.free();
    expect(tree.pool.taken).toBe(0);
  });
});

describe('a pool that fails', () => {
  it('at any take leaves a tree that is as good as before', () => {
    const indices = [0, 9, 3, 40, 41, 200, 7, 1000];
    const nodes = new FailingPool({ nodeEntries: 2 }, () => false);
    const all = new GenRadix<unknown>({ nodes });
    for (const index of indices) {
      set(all, index, index);
    }
    expect(nodes.takes).toBeGreaterThan(20);
    for (let failing = 1; failing <= nodes.takes; failing++) {
      const pool = new FailingPool({ nodeEntries: 2 }, (take) => take === failing);
      const tree = new GenRadix<unknown>({ nodes: pool });
      const stored = indices.filter((index) => set(tree, index, index));
      expect(stored.length).toBe(indices.length - 1);
      tree.checkInvariants();
      expect([...tree].map(([index]) => index)).toEqual(stored.toSorted((a, b) => a - b));
      // And what could not be stored can be stored now.
      for (const index of indices) {
        expect(set(tree, index, index)).toBe(true);
      }
      tree.checkInvariants();
      tree.free();
      expect(pool.taken).toBe(0);
      pool.checkInvariants();
    }
  });

  it('always: nothing is stored, and nothing breaks', () => {
    const tree = radix(2, new NodePool({ nodeEntries: 2, budgetBytes: 0 }));
    for (const index of [0, 1, 100, MAX]) {
      expect(tree.slot(index)).toBeNull();
      expect(tree.get(index)).toBeUndefined();
    }
    expect(tree.prealloc(1)).toBe(false);
    tree.free();
    tree.checkInvariants();
  });
});

describe('P25: a node that was brought along', () => {
  it('is used where one is needed, without asking the pool', () => {
    const pool = new FailingPool({ nodeEntries: 2 }, (take) => take > 1);
    const tree = radix(2, pool);
    const node = taken(pool);
    const slot = tree.slot(1, { preallocated: node, mayAllocate: false });
    expect(slot?.node).toBe(node);
    expect([tree.nodes, pool.taken]).toEqual([1, 1]);
    tree.checkInvariants();
  });

  it('goes back to the pool when none is needed, wiped', () => {
    const brings = (pool: NodePool): void => {
      const tree = radix(2, pool);
      set(tree, 0, 'first');
      const node = taken(pool);
      // As after a race for the root: it has had a child.
      node[0] = ['a child'];
      expect(tree.slot(1, { preallocated: node })?.node).not.toBe(node);
      expect([tree.nodes, pool.taken]).toEqual([1, 1]);
      expect(taken(pool)).toBe(node);
      expect(node).toEqual([undefined, undefined]);
    };
    brings(new NodePool({ nodeEntries: 2 }));
    expect(() => brings(new LeakyPool({ nodeEntries: 2 }))).toThrow();
  });

  it('is wiped when it is used', () => {
    const pool = new NodePool({ nodeEntries: 2 });
    for (const index of [0, 2, 5]) {
      const tree = radix(2, pool);
      const node = taken(pool);
      node[0] = ['a child'];
      node[1] = 'a value';
      tree.slot(index, { preallocated: node });
      expect([...tree]).toEqual([]);
      tree.checkInvariants();
      tree.free();
    }
    expect(pool.taken).toBe(0);
  });

  it('is kept when it is not enough, as part of a larger tree', () => {
    const pool = new FailingPool({ nodeEntries: 2 }, (take) => take > 2);
    const tree = radix(2, pool);
    set(tree, 0, 'first');
    expect(tree.slot(2, { preallocated: taken(pool) })).toBeNull();
    expect([tree.nodes, pool.taken]).toEqual([2, 2]);
    tree.checkInvariants();
    expect([...tree]).toEqual([[0, 'first']]);
    tree.free();
    expect(pool.taken).toBe(0);
  });

  it('of another size is refused, and stays with its owner', () => {
    const pool = new NodePool({ nodeEntries: 2 });
    const tree = radix(2, pool);
    expect(() => tree.slot(0, { preallocated: [1, 2, 3] })).toThrow(RangeError);
    const node = taken(pool);
    expect(() => tree.slot(-1, { preallocated: node })).toThrow(RangeError);
    expect([tree.nodes, pool.taken]).toEqual([0, 1]);
    tree.checkInvariants();
  });
});
