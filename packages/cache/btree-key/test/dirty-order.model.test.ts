import { SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';
import { type Bound, DirtyOrder } from '../src/internal/dirty-order.js';

interface Entry {
  readonly key: string;
}

function keysIn(order: DirtyOrder<Entry>, lower: Bound | null, upper: Bound | null, reverse: boolean, limit = 1e9) {
  const keys: string[] = [];
  order.walk(lower, upper, reverse, ({ key }) => {
    keys.push(key);
    return keys.length < limit;
  });
  return keys;
}

/** Random adds, removes and walks against a sorted array. */
function fuzz(seed: number, keys: number, operations: number, check: boolean): void {
  const rng = new SeededRng(seed);
  const order = new DirtyOrder<Entry>();
  const model = new Map<string, Entry>();
  const bound = (): Bound | null =>
    rng.below(4) === 0 ? null : { key: `k${rng.below(keys)}`, exclusive: rng.below(2) === 0 };
  order.build([]);
  for (let done = 0; done < operations; done++) {
    const key = `k${rng.below(keys)}`;
    const there = model.get(key);
    if (there === undefined) {
      const entry = { key };
      model.set(key, entry);
      order.add(entry);
    } else {
      model.delete(key);
      order.remove(there);
    }
    if (!order.isBuilt) {
      order.build([...model.values()]);
    }
    if (done % 50 === 0 || check) {
      const [lower, upper, reverse, limit] = [bound(), bound(), rng.below(2) === 0, 1 + rng.below(keys)];
      const expected = [...model.keys()]
        .filter((one) => lower === null || (lower.exclusive ? one > lower.key : one >= lower.key))
        .filter((one) => upper === null || (upper.exclusive ? one < upper.key : one <= upper.key))
        .sort();
      const inOrder = reverse ? expected.toReversed() : expected;
      expect(keysIn(order, lower, upper, reverse, limit), `seed ${seed}`).toEqual(inOrder.slice(0, limit));
      order.checkInvariants(model.size);
    }
  }
}

describe('DirtyOrder', () => {
  test('a few keys, looked at after each change', () => {
    for (let seed = 1; seed <= 30; seed++) {
      fuzz(seed, 8, 150, true);
    }
  });

  test('many leaves', () => {
    fuzz(100, 3000, 12_000, false);
  });

  test('is dropped when nobody asks, and costs nothing then', () => {
    const order = new DirtyOrder<Entry>();
    const entry = { key: 'a' };
    order.add(entry);
    order.remove(entry);
    expect(order.isBuilt).toBe(false);
    order.build([entry]);
    const other = { key: 'b' };
    for (let change = 0; change < 5000 && order.isBuilt; change += 2) {
      order.add(other);
      order.remove(other);
    }
    expect(order.isBuilt).toBe(false);
    order.build([entry]);
    for (let change = 0; change < 10_000; change += 2) {
      order.add(other);
      order.remove(other);
      if (change % 1000 === 0) {
        expect(keysIn(order, null, null, false)).toEqual(['a']);
      }
    }
    expect(order.isBuilt).toBe(true);
  });
});
