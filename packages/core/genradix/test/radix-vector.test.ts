import { describe, expect, it } from 'vitest';
import { NodePool, RadixVector } from '../src/index.js';
import { FailingPool } from './support/pools.js';

const ENTRIES = 4;

function filled(count: number, pool = new NodePool({ nodeEntries: ENTRIES })): RadixVector<number> {
  const vector = new RadixVector<number>(pool);
  for (let value = 0; value < count; value++) {
    expect(vector.push(value)).toBe(true);
  }
  return vector;
}

function contents(vector: RadixVector<number>): (number | undefined)[] {
  return Array.from({ length: vector.length }, (_, index) => vector.at(index));
}

describe('RadixVector', () => {
  it('is a vector that is pushed and popped at the end and drained from the front', () => {
    const vector = filled(10);
    expect(vector.length).toBe(10);
    expect([vector.pop(), vector.shift(), vector.shift(), vector.pop()]).toEqual([9, 0, 1, 8]);
    expect(contents(vector)).toEqual([2, 3, 4, 5, 6, 7]);
    expect([vector.at(-1), vector.at(6), filled(3).at(-1)]).toEqual([undefined, undefined, undefined]);
    vector.checkInvariants();
  });

  it('empty answers undefined', () => {
    const vector = filled(0);
    expect([vector.pop(), vector.shift(), vector.at(0), vector.length, vector.nodes]).toEqual([
      undefined,
      undefined,
      undefined,
      0,
      0,
    ]);
  });

  it('takes elements out of the middle', () => {
    for (let count = 1; count <= 10; count++) {
      for (let index = 0; index < count; index++) {
        const vector = filled(count);
        expect(vector.removeAt(index)).toBe(index);
        expect(contents(vector)).toEqual(Array.from({ length: count }, (_, at) => at).toSpliced(index, 1));
        vector.checkInvariants();
      }
    }
    expect(() => filled(3).removeAt(3)).toThrow(/Cannot remove element 3 of 3/);
    for (const index of [-1, 0.5, Number.NaN]) {
      expect(() => filled(3).removeAt(index)).toThrow(/Cannot remove/);
    }
  });

  it('refuses undefined, which is what an empty slot holds', () => {
    const vector = new RadixVector<number | undefined>(new NodePool());
    expect(() => vector.push(undefined)).toThrow(TypeError);
    expect(vector.length).toBe(0);
    vector.checkInvariants();
  });

  it('tells when the pool is exhausted, and nothing has changed', () => {
    const { nodeBytes } = new NodePool({ nodeEntries: ENTRIES });
    const pool = new NodePool({ nodeEntries: ENTRIES, budgetBytes: nodeBytes });
    const vector = filled(4, pool);
    for (let times = 0; times < 3; times++) {
      expect(vector.push(4)).toBe(false);
      expect(contents(vector)).toEqual([0, 1, 2, 3]);
      vector.checkInvariants();
    }
    expect(vector.pop()).toBe(3);
    expect(vector.push(5)).toBe(true);
    expect(contents(vector)).toEqual([0, 1, 2, 5]);
  });

  it('at the border of a leaf takes and gives no nodes', () => {
    const pool = new FailingPool({ nodeEntries: ENTRIES }, () => false);
    const vector = filled(ENTRIES + 1, pool);
    const { takes } = pool;
    for (let round = 0; round < 10; round++) {
      expect(vector.pop()).toBe(ENTRIES);
      vector.push(ENTRIES);
    }
    vector.pop();
    vector.pop();
    vector.push(1);
    vector.push(2);
    expect(pool.takes).toBe(takes);
  });

  it('gives leaves back from both ends as they empty', () => {
    const pool = new NodePool({ nodeEntries: ENTRIES });
    const vector = filled(40, pool);
    const most = pool.taken;
    for (let times = 0; times < 16; times++) {
      vector.pop();
    }
    // Four leaves were emptied, and one of them is kept to spare.
    expect(pool.taken).toBe(most - 3);
    for (let times = 0; times < 16; times++) {
      vector.shift();
    }
    expect(pool.taken).toBe(most - 7);
    vector.checkInvariants();
    while (vector.shift() !== undefined);
    expect(pool.taken).toBe(0);
    pool.checkInvariants();
  });

  it('that goes on for ever starts over whenever it is empty', () => {
    const pool = new NodePool({ nodeEntries: 2, budgetBytes: 4 * new NodePool({ nodeEntries: 2 }).nodeBytes });
    const vector = new RadixVector<number>(pool);
    for (let round = 0; round < 1000; round++) {
      for (let value = 0; value < 4; value++) {
        expect(vector.push(value)).toBe(true);
      }
      while (vector.shift() !== undefined);
      expect(vector.nodes).toBe(0);
    }
  });

  it('frees what it holds', () => {
    const pool = new NodePool({ nodeEntries: 2 });
    const vector = filled(9, pool);
    vector.free();
    expect([vector.length, vector.nodes, pool.taken]).toEqual([0, 0, 0]);
    pool.checkInvariants();
    vector.push(1);
    expect(contents(vector)).toEqual([1]);
  });
});

describe('open leaves', () => {
  it('of the end take elements without the vector', () => {
    const vector = filled(2);
    const leaf = vector.leafForPush();
    expect(vector.pushOffset).toBe(2);
    if (leaf !== null) {
      leaf[2] = 20;
      leaf[3] = 30;
    }
    vector.pushed(2);
    expect(contents(vector)).toEqual([0, 1, 20, 30]);
    expect(vector.pushOffset).toBe(0);
    vector.checkInvariants();
  });

  it('of the end may be opened in vain', () => {
    const vector = filled(ENTRIES);
    expect(vector.leafForPush()).not.toBeNull();
    expect(vector.pop()).toBe(3);
    expect(contents(vector)).toEqual([0, 1, 2]);
    vector.push(3);
    vector.leafForPush();
    vector.pushed(0);
    expect(vector.removeAt(0)).toBe(0);
    vector.checkInvariants();
  });

  it('of the end give elements back', () => {
    const vector = filled(11);
    expect(vector.poppable).toBe(3);
    const leaf = vector.leafForPop();
    leaf[2] = undefined;
    leaf[1] = undefined;
    vector.pushed(-2);
    expect(contents(vector)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    vector.checkInvariants();
    for (const value of [8, 7, 6, 5, 4]) {
      expect(vector.pop()).toBe(value);
    }
    expect(vector.poppable).toBe(4);
    vector.checkInvariants();
  });

  it('that are emptied keep one leaf to spare, and no more', () => {
    const pool = new NodePool({ nodeEntries: ENTRIES });
    const vector = filled(10 * ENTRIES, pool);
    const most = pool.taken;
    for (let leaves = 0; leaves < 9; leaves++) {
      vector.leafForPop().fill(undefined);
      vector.pushed(-ENTRIES);
      vector.checkInvariants();
    }
    expect(pool.taken).toBe(most - 8);
  });

  it('say 0 when some of the first were shifted out', () => {
    const vector = filled(3);
    vector.shift();
    expect(vector.poppable).toBe(0);
    const long = filled(6);
    long.shift();
    expect(long.poppable).toBe(2);
  });

  it('of the front are taken out one by one', () => {
    const vector = filled(6);
    vector.shift();
    const leaf = vector.leafForShift();
    expect(vector.leafForShift()).toBe(leaf);
    expect([vector.shiftOffset, vector.firstLeafLength()]).toEqual([1, 3]);
    leaf[1] = undefined;
    vector.shifted(1);
    leaf.fill(undefined);
    vector.shifted(2);
    expect(contents(vector)).toEqual([4, 5]);
    expect([vector.shiftOffset, vector.firstLeafLength()]).toEqual([0, 2]);
    vector.shifted(0);
    vector.checkInvariants();
  });

  it('of the front are handed over whole', () => {
    const pool = new NodePool({ nodeEntries: ENTRIES });
    const vector = filled(10, pool);
    vector.shift();
    expect(vector.shiftLeaf()).toEqual([undefined, 1, 2, 3]);
    expect(vector.shiftLeaf()).toEqual([4, 5, 6, 7]);
    expect(vector.firstLeafLength()).toBe(2);
    expect(vector.shiftLeaf()).toEqual([8, 9, undefined, undefined]);
    expect([vector.length, vector.nodes, vector.firstLeafLength(), pool.taken]).toEqual([0, 0, 0, 3]);
    vector.checkInvariants();
  });
});
