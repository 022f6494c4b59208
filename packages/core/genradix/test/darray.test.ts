import { SeededRng, assert } from '@core/base';
import { describe, expect, it } from 'vitest';
import { DArray } from '../src/index.js';

const SEED = Math.floor(Math.random() * 2 ** 32);

describe('DArray', () => {
  it('has its first places from the start, and keeps those it gets', () => {
    const array = new DArray<number>();
    expect([array.length, array.capacity]).toEqual([0, 4]);
    for (let value = 0; value < 4; value++) {
      expect(array.push(value)).toBe(value + 1);
    }
    expect(array.capacity).toBe(4);
    array.push(4);
    expect([array.length, array.capacity]).toEqual([5, 5]);
    expect([...array]).toEqual([0, 1, 2, 3, 4]);
    array.clear();
    expect([array.length, array.capacity, [...array]]).toEqual([0, 5, []]);
    expect(array.at(0)).toBeUndefined();
  });

  it('holds on to nothing that was taken out', () => {
    const array = new DArray<object>(2);
    array.push({});
    array.push({});
    array.removeAt(0);
    array.pop();
    expect((array as unknown as { items: unknown[] }).items).toEqual([undefined, undefined]);
    array.push({});
    array.clear();
    expect((array as unknown as { items: unknown[] }).items).toEqual([undefined, undefined]);
  });

  it('answers undefined where nothing is', () => {
    const array = new DArray<string>(0);
    expect(array.pop()).toBeUndefined();
    array.push('a');
    array.push('b');
    for (const index of [-1, 2, 0.5, Number.NaN, Infinity, -Infinity]) {
      expect(array.at(index)).toBeUndefined();
      expect(array.removeAt(index)).toBeUndefined();
    }
    expect([...array]).toEqual(['a', 'b']);
  });

  it.each([-1, 1.5, Number.NaN, Infinity])('refuses %d places', (inline) => {
    expect(() => new DArray(inline)).toThrow(RangeError);
  });

  it('is an array, for every list of six operations', () => {
    const operations = ['push', 'pop', 'first', 'middle'] as const;
    for (let number = 0; number < operations.length ** 6; number++) {
      const array = new DArray<number>(2);
      const model: number[] = [];
      for (let rest = number, step = 0; step < 6; step++, rest = Math.floor(rest / operations.length)) {
        apply(array, model, operations[rest % operations.length] as (typeof operations)[number], step);
      }
    }
  });

  it(`is an array, seed ${SEED}`, () => {
    const rng = new SeededRng(SEED);
    for (let run = 0; run < 200; run++) {
      const array = new DArray<number>(rng.below(6));
      const model: number[] = [];
      for (let step = 0; step < 60; step++) {
        apply(array, model, rng.pick(['push', 'push', 'pop', 'first', 'middle']), step);
      }
    }
  });

  it('catches one that forgets to close the gap', () => {
    class Gappy extends DArray<number> {
      override removeAt(index: number): number | undefined {
        const value = this.at(index);
        if (value !== undefined) {
          super.removeAt(this.length - 1);
        }
        return value;
      }
    }
    const array = new Gappy(2);
    const model: number[] = [];
    expect(() => {
      for (const operation of ['push', 'push', 'push', 'first'] as const) {
        apply(array, model, operation, model.length);
      }
    }).toThrow();
  });
});

function apply(
  array: DArray<number>,
  model: number[],
  operation: 'push' | 'pop' | 'first' | 'middle',
  value: number,
): void {
  if (operation === 'push') {
    same(array.push(value), model.push(value));
  } else if (operation === 'pop') {
    same(array.pop(), model.pop());
  } else {
    const index = operation === 'first' ? 0 : model.length >> 1;
    same(array.removeAt(index), model.splice(index, 1)[0]);
  }
  same(array.length, model.length);
  same([...array].join(), model.join());
  same(array.at(model.length - 1), model.at(-1));
}

function same(found: unknown, wanted: unknown): void {
  assert(found === wanted, () => `Found ${String(found)} where ${String(wanted)} is due`);
}
