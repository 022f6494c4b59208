import { expect, test } from 'vitest';
import { NodePool } from '../src/index.js';

test.each([null, '2096', {}])('a budget that is no number is refused: %j', (budgetBytes) => {
  expect(() => new NodePool({ budgetBytes: budgetBytes as never })).toThrow(RangeError);
});

test('giving back nothing is the same fault as giving back a foreign node', () => {
  const pool = new NodePool();
  pool.take();
  expect(() => pool.give(null as never)).toThrow('Cannot take back a node of undefined entries');
  expect(pool.taken).toBe(1);
});
