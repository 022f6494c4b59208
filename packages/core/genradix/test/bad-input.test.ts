import { expect, test } from 'vitest';
import { DArray, GenRadix, NodePool, RadixVector } from '../src/index.js';

test.each([null, '2096', {}])('a budget that is no number is refused: %j', (budgetBytes) => {
  expect(() => new NodePool({ budgetBytes: budgetBytes as never })).toThrow(RangeError);
});

test('giving back nothing is the same fault as giving back a foreign node', () => {
  const pool = new NodePool();
  pool.take();
  expect(() => pool.give(null as never)).toThrow('Cannot take back a node of undefined entries');
  expect(pool.taken).toBe(1);
});

test('a pool where options are wanted is refused: it would not be used', () => {
  expect(() => new GenRadix(new NodePool() as never)).toThrow(
    new TypeError('Cannot create a GenRadix with a NodePool: pass an object with "nodes"'),
  );
  expect(() => new RadixVector({ nodes: new NodePool() } as never)).toThrow(
    new TypeError('Cannot create a RadixVector with [object Object]: pass a NodePool'),
  );
});

test('an option that is none is refused, and the right one is named', () => {
  expect(() => new GenRadix({ pool: new NodePool() } as never)).toThrow(
    new TypeError('Cannot create a GenRadix: it has no option "pool"; use "nodes"'),
  );
  expect(() => new NodePool({ budget: 5 } as never)).toThrow(
    new TypeError('Cannot create a NodePool: it has no option "budget"; did you mean "budgetBytes"?'),
  );
});

test.each([null, 5, { take: 5 }])('nodes that are no pool are refused: %j', (nodes) => {
  expect(() => new GenRadix({ nodes: nodes as never })).toThrow(/^Cannot create a GenRadix with nodes /);
  expect(() => new RadixVector(nodes as never)).toThrow(TypeError);
});

test('options may be left out, and null is refused', () => {
  for (const create of [
    (options: undefined) => new GenRadix(options),
    (options: undefined) => new NodePool(options),
    (options: undefined) => new DArray(options),
  ]) {
    expect(() => create(undefined)).not.toThrow();
    expect(() => create(null as never)).toThrow(TypeError);
  }
  expect(() => new DArray({ inline: 4 } as never)).toThrow(TypeError);
});
