import { describe, expectTypeOf, it } from 'vitest';
import {
  DArray,
  GenRadix,
  NodePool,
  type NodePoolOptions,
  type RadixNode,
  type RadixSlot,
  RadixVector,
} from '../src/index.js';

describe('types', () => {
  it('of a tree follow what it holds', () => {
    const tree = new GenRadix<Date>();
    expectTypeOf(tree.get(0)).toEqualTypeOf<Date | undefined>();
    expectTypeOf(tree.slot(0)).toEqualTypeOf<RadixSlot<Date> | null>();
    expectTypeOf(tree.prealloc(1)).toEqualTypeOf<boolean>();
    expectTypeOf<typeof tree>().toExtend<Iterable<[index: number, value: Date]>>();
    const slot = tree.slot(1);
    if (slot !== null) {
      expectTypeOf(slot.value).toEqualTypeOf<Date | undefined>();
      // @ts-expect-error: no date
      slot.value = 'today';
    }
  });

  it('of a pool', () => {
    expectTypeOf<NodePoolOptions>().toEqualTypeOf<{
      readonly budgetBytes?: number;
      readonly nodeEntries?: number;
      readonly spareNodes?: number;
    }>();
    const pool = new NodePool();
    expectTypeOf(pool.take()).toEqualTypeOf<RadixNode | null>();
    expectTypeOf(pool.give).parameter(0).toEqualTypeOf<RadixNode>();
    // @ts-expect-error: fixed for life
    expectTypeOf(() => (pool.budgetBytes = 0)).toBeFunction();
  });

  it('of vectors and arrays follow their elements', () => {
    expectTypeOf(new RadixVector<string>(new NodePool()).pop()).toEqualTypeOf<string | undefined>();
    expectTypeOf(new DArray<string>().at(0)).toEqualTypeOf<string | undefined>();
    expectTypeOf(new DArray<string>().push).parameter(0).toEqualTypeOf<string>();
    expectTypeOf<DArray<string>>().toExtend<Iterable<string>>();
  });
});
