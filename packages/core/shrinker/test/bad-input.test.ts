import { expect, test } from 'vitest';
import { ShrinkerError, ShrinkerRegistry } from '../src/index.js';

test.each([undefined, null, 5, 'dentry'])('a spec that is none is named: %j', (spec) => {
  expect(() => new ShrinkerRegistry().alloc(spec as never)).toThrow(
    new TypeError(`Cannot allocate a shrinker of ${String(spec)}: give an object with name, count and scan`),
  );
});

test.each(['5', null])('a count that is no number is an error, not converted: %j', (count) => {
  const errors: unknown[] = [];
  const registry = new ShrinkerRegistry({ onError: (error) => errors.push(error) });
  registry.register(registry.alloc({ name: 'odd', count: () => count as never, scan: (sc) => sc.nrToScan }));
  expect(registry.shrinkSlabSync({ priority: 0 })).toBe(0);
  expect(errors.map((error) => ShrinkerError.is(error) && error.code)).toEqual(['ERR_SHRINKER_BAD_RESULT']);
});

test('debug.scan without a request says what to give', async () => {
  const registry = new ShrinkerRegistry();
  registry.register(registry.alloc({ name: 'a', count: () => 1, scan: () => 1 }));
  await expect(registry.debug.scan('a', undefined as never)).rejects.toThrow(
    new RangeError('Cannot scan undefined objects: give an integer from 0'),
  );
});
