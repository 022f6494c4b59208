import { describe, expect, it } from 'vitest';
import { NodePool, type RadixNode } from '../src/index.js';
import { ForgetfulPool, LeakyPool } from './support/pools.js';

function taken(pool: NodePool): RadixNode {
  const node = pool.take();
  if (node === null) {
    throw new Error('The pool is exhausted');
  }
  return node;
}

describe('NodePool', () => {
  it('hands out empty nodes of one size', () => {
    const pool = new NodePool({ nodeEntries: 4 });
    const node = taken(pool);
    expect(node).toEqual([undefined, undefined, undefined, undefined]);
    // No holes: V8 would make the array another kind.
    expect(Object.keys(node).length).toBe(4);
    expect(taken(pool)).not.toBe(node);
    expect(pool.taken).toBe(2);
    expect(pool.bytes).toBe(2 * pool.nodeBytes);
  });

  it('has defaults for everything', () => {
    const pool = new NodePool();
    expect(pool.nodeEntries).toBe(256);
    expect(pool.budgetBytes).toBe(Infinity);
    expect(pool.nodeBytes).toBeGreaterThanOrEqual(256 * 8);
    expect(taken(pool).length).toBe(256);
  });

  it.each([0, 1, 2, 7])('fails when the budget of %i nodes is spent, and only then', (nodes) => {
    const { nodeBytes } = new NodePool({ nodeEntries: 2 });
    for (const odd of [0, 1, nodeBytes - 1]) {
      const pool = new NodePool({ nodeEntries: 2, budgetBytes: nodes * nodeBytes + odd });
      const out = Array.from({ length: nodes }, () => taken(pool));
      expect(pool.take()).toBeNull();
      expect(pool.take()).toBeNull();
      expect(pool.taken).toBe(nodes);
      pool.checkInvariants();
      for (const node of out) {
        pool.give(node);
        expect(taken(pool)).toBe(node);
        expect(pool.take()).toBeNull();
      }
    }
  });

  it('counts spares against the budget, and can let go of them', () => {
    const { nodeBytes } = new NodePool({ nodeEntries: 2 });
    const pool = new NodePool({ nodeEntries: 2, budgetBytes: 2 * nodeBytes });
    const nodes = [taken(pool), taken(pool)];
    for (const node of nodes) {
      pool.give(node);
    }
    expect([pool.taken, pool.bytes]).toEqual([0, 2 * nodeBytes]);
    expect(pool.trim()).toBe(2 * nodeBytes);
    expect(pool.bytes).toBe(0);
    expect(pool.trim()).toBe(0);
    expect(nodes).not.toContain(taken(pool));
  });

  it('keeps so many spares and no more', () => {
    for (const spareNodes of [0, 1, 3]) {
      const pool = new NodePool({ nodeEntries: 2, spareNodes });
      for (const node of Array.from({ length: 5 }, () => taken(pool))) {
        pool.give(node);
      }
      expect(pool.bytes).toBe(spareNodes * pool.nodeBytes);
      pool.checkInvariants();
    }
  });

  it('P25: wipes what it takes back', () => {
    const wipes = (pool: NodePool): void => {
      const node = taken(pool);
      node.fill('left over');
      pool.give(node);
      pool.checkInvariants();
      expect(taken(pool)).toEqual([undefined, undefined]);
    };
    wipes(new NodePool({ nodeEntries: 2 }));
    expect(() => wipes(new LeakyPool({ nodeEntries: 2 }))).toThrow(/not empty/);
  });

  it('believes a caller who says that a node is clean', () => {
    const pool = new NodePool({ nodeEntries: 2 });
    const node = taken(pool);
    pool.give(node, true);
    pool.checkInvariants();
    expect(taken(pool)).toBe(node);
    node[0] = 'not true';
    pool.give(node, true);
    expect(() => pool.checkInvariants()).toThrow(/not empty/);
  });

  it('refuses nodes that are not its own', () => {
    const pool = new NodePool({ nodeEntries: 4 });
    expect(() => pool.give([1, 2, 3, 4])).toThrow(RangeError);
    const node = taken(pool);
    expect(() => pool.give([1, 2])).toThrow(/Cannot take back a node of 2 entries: 1 nodes of 4 are out/);
    expect(pool.taken).toBe(1);
    pool.give(node);
    expect(() => pool.give(node)).toThrow(RangeError);
    expect([pool.taken, pool.bytes]).toEqual([0, pool.nodeBytes]);
  });

  it.each([
    ['is kept', { spareNodes: 2 }],
    ['was let go of', { spareNodes: 0 }],
  ])('refuses a node that was given back already and %s', (_, options) => {
    const givesTwice = (pool: NodePool): void => {
      const [node] = [taken(pool), taken(pool)];
      pool.give(node);
      for (const clean of [false, true]) {
        expect(() => pool.give(node, clean)).toThrow(
          new RangeError('Cannot take back a node: it was given back already; whoever gives it must let go of it'),
        );
      }
      expect([pool.taken, pool.spares]).toEqual([1, options.spareNodes / 2]);
      pool.checkInvariants();
      // Once it is handed out again it may come back again.
      const next = taken(pool);
      expect(next).toEqual([undefined, undefined, undefined, undefined]);
      pool.give(next);
      pool.checkInvariants();
    };
    givesTwice(new NodePool({ nodeEntries: 4, ...options }));
    expect(() => givesTwice(new ForgetfulPool({ nodeEntries: 4, ...options }))).toThrow();
  });

  it('refuses the spare of another pool, and a spare that was let go of', () => {
    const [one, other] = [new NodePool({ nodeEntries: 4 }), new NodePool({ nodeEntries: 4 })];
    const node = taken(one);
    taken(one);
    taken(other);
    one.give(node);
    expect(() => other.give(node)).toThrow(/given back already/);
    one.trim();
    expect(() => one.give(node)).toThrow(/given back already/);
    expect([one.taken, other.taken]).toEqual([1, 1]);
  });

  it('keeps its nodes packed', () => {
    const pool = new NodePool({ nodeEntries: 4 });
    const node = taken(pool);
    pool.give(node);
    expect(Object.keys(taken(pool))).toHaveLength(4);
  });

  it('lets go of so many spares and no more', () => {
    const pool = new NodePool({ nodeEntries: 4 });
    for (const node of Array.from({ length: 5 }, () => taken(pool))) {
      pool.give(node);
    }
    expect([pool.trim(0), pool.spares]).toEqual([0, 5]);
    expect([pool.trim(2), pool.spares]).toEqual([2 * pool.nodeBytes, 3]);
    expect([pool.trim(1.9), pool.spares]).toEqual([pool.nodeBytes, 2]);
    expect([pool.trim(9), pool.spares, pool.bytes]).toEqual([2 * pool.nodeBytes, 0, 0]);
    for (const wrong of [-1, Number.NaN, 'all']) {
      expect(() => pool.trim(wrong as number)).toThrow(RangeError);
    }
  });

  it.each([
    { budgetBytes: -1 },
    { budgetBytes: Number.NaN },
    { nodeEntries: 0 },
    { nodeEntries: 1 },
    { nodeEntries: 3 },
    { nodeEntries: 2.5 },
    { nodeEntries: -4 },
    { nodeEntries: 2 ** 17 },
    { nodeEntries: Infinity },
    { nodeEntries: Number.NaN },
    { spareNodes: -1 },
    { spareNodes: Number.NaN },
  ])('refuses %o', (options) => {
    expect(() => new NodePool(options)).toThrow(RangeError);
  });

  it.each([2, 4, 64, 512, 2 ** 16])('makes nodes of %i', (nodeEntries) => {
    expect(taken(new NodePool({ nodeEntries })).length).toBe(nodeEntries);
  });
});
