import { expect, test } from 'vitest';

import { SHRINK_STOP, ShrinkerError, ShrinkerRegistry } from '@core/shrinker';

test('a pass asks each shrinker in turn, and adds up what they freed', async () => {
  const registry = new ShrinkerRegistry();
  const order: string[] = [];
  const make = (name: string, answer: number | Promise<number>) => {
    const shrinker = registry.alloc({
      name,
      count: () => 10,
      scan: (sc) => {
        order.push(`${name} ${sc.nrToScan}`);
        return answer;
      },
    });
    registry.register(shrinker);
    return shrinker;
  };
  const a = make('a', 5);
  make('b', Promise.resolve(7));
  make('c', SHRINK_STOP);
  expect(registry.shrinkSlabSync({ priority: 0 })).toBe(5);
  await Promise.resolve();
  expect(await registry.shrinkSlab({ priority: 0 })).toBe(12);
  expect(order).toEqual(['a 20', 'b 20', 'c 20', 'a 20', 'b 20', 'c 20']);
  await registry.free(a);
  await expect(registry.free(a)).rejects.toSatisfy(
    (error) => ShrinkerError.is(error) && error.code === 'ERR_SHRINKER_FREED',
  );
  await registry[Symbol.asyncDispose]();
  expect(() => registry.shrinkSlabSync()).toThrow(ShrinkerError);
});
