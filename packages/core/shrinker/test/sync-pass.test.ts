import { describe, expect, test } from 'vitest';

import { type ShrinkControl, ShrinkerRegistry } from '@core/shrinker';

import { checkRegistry } from '../src/internal/check-invariants.js';
import { ShrinkerList } from '../src/internal/shrinker-list.js';
import { add, busted, caught, isSettled, type MakeRegistry, manual, sound, turn } from './support.js';

// What happens to a promise that a synchronous pass gets.

const DESPERATE = { priority: 0 };

test('the scan counts as 0 now, and its outcome is booked when it is there', async () => {
  const registry = sound();
  const slow = manual();
  const asked: number[] = [];
  add(registry, 'slow', {
    count: () => 1000,
    scan: (sc) => {
      asked.push(sc.nrToScan);
      return slow.promise;
    },
  });
  add(registry, 'rest');
  // 500 of the one, of which one batch is asked for; 20 are all of the other.
  expect(registry.shrinkSlabSync({ priority: 2 })).toBe(0);
  expect(registry.debug.list()[0]).toMatchObject({ refs: 2, inFlight: 1, deferred: { heap: 0 } });
  expect(registry.shrinkSlabSync(DESPERATE)).toBe(20);
  checkRegistry(registry);
  slow.resolve(100);
  await turn();
  expect(asked).toEqual([128]);
  expect(registry.debug.list()[0]).toMatchObject({ refs: 1, inFlight: 0, deferred: { heap: 372 } });
  expect(registry.stats()).toMatchObject({ freed: 120, scanned: 148 });
  checkRegistry(registry);
});

test('what batches freed before one that answers with a promise is there at once, and is booked once', async () => {
  const registry = sound();
  const slow = manual();
  let calls = 0;
  add(registry, 'mixed', { count: () => 1000, scan: () => (++calls < 3 ? 50 : slow.promise) });
  expect(registry.shrinkSlabSync({ priority: 1 })).toBe(100);
  slow.resolve(7);
  await turn();
  expect(registry.stats()).toMatchObject({ freed: 107, scanned: 384 });
  expect(registry.debug.list()[0]!.deferred.heap).toBe(1000 - 384);
  expect(calls).toBe(3);
});

test('a shrinker is left out of synchronous passes while a scan of it is in flight, also one of another pass', async () => {
  const registry = sound();
  const scans = [manual(), manual()];
  let calls = 0;
  add(registry, 'slow', { scan: () => scans[calls++]!.promise });
  const pass = registry.shrinkSlab(DESPERATE);
  expect([registry.shrinkSlabSync(DESPERATE), calls]).toEqual([0, 1]);
  scans[0]!.resolve(3);
  expect(await pass).toBe(3);
  expect([registry.shrinkSlabSync(DESPERATE), calls]).toEqual([0, 2]);
  expect([registry.shrinkSlabSync(DESPERATE), calls]).toEqual([0, 2]);
  scans[1]!.resolve(3);
  await turn();
  checkRegistry(registry);
});

test('its error goes to the channel, and what it did not scan is put off', async () => {
  const errors: unknown[] = [];
  const registry = new ShrinkerRegistry({ onError: (error) => errors.push(error) });
  const slow = manual();
  add(registry, 'slow', { count: () => 100, scan: () => slow.promise });
  expect(registry.shrinkSlabSync(DESPERATE)).toBe(0);
  slow.reject(new Error('out of order'));
  await turn();
  expect(errors).toEqual([new Error('out of order')]);
  expect(registry.debug.list()[0]).toMatchObject({ refs: 1, inFlight: 0, deferred: { heap: 200 } });
  checkRegistry(registry);
});

test('the control stays the one of its scan: another scan, and another pass, have another', async () => {
  const registry = sound();
  const kept: ShrinkControl[] = [];
  const slow = manual();
  add(registry, 'slow', {
    count: () => 100,
    scan: async (sc) => {
      kept.push(sc);
      await slow.promise;
      sc.nrScanned = 30;
      return 30;
    },
  });
  add(registry, 'rest', { scan: (sc) => (kept.push(sc), 1) });
  registry.shrinkSlabSync({ zone: 'external', priority: 0 });
  registry.shrinkSlabSync({ zone: 'shared', priority: 3 });
  expect(kept).toHaveLength(2);
  expect(kept[0]).not.toBe(kept[1]);
  expect(kept[0]).toMatchObject({ zone: 'external', priority: 0, mode: 'direct', nrToScan: 128 });
  expect(kept[1]).toMatchObject({ zone: 'shared', priority: 3, mode: 'direct' });
  slow.resolve(0);
  await turn();
  expect(registry.debug.list()[0]!.deferred.heap).toBe(170);
});

test('one control does for synchronous passes, and none for those that waited', async () => {
  const registry = sound();
  const seen = new Set<ShrinkControl>();
  let answer: number | Promise<number> = 1;
  add(registry, 'a', { scan: (sc) => (seen.add(sc), answer) });
  registry.shrinkSlabSync(DESPERATE);
  await registry.shrinkSlab(DESPERATE);
  registry.shrinkSlabSync(DESPERATE);
  expect(seen.size).toBe(1);
  answer = Promise.resolve(1);
  await registry.shrinkSlab(DESPERATE);
  await registry.shrinkSlab(DESPERATE);
  expect(seen.size).toBe(2);
});

describe('S21: free waits for it', () => {
  const property = async (make: MakeRegistry): Promise<void> => {
    const registry = make();
    const slow = manual();
    const shrinker = add(registry, 'slow', { scan: () => slow.promise });
    registry.shrinkSlabSync(DESPERATE);
    const freed = registry.free(shrinker);
    expect(await isSettled(freed)).toBe(false);
    slow.resolve(9);
    await freed;
    checkRegistry(registry);
    expect(registry.stats()).toMatchObject({ freed: 9, shrinkers: [] });
  };
  test('and what it freed is in the books', () => property(sound));
  test('busted: a pass that gives its reference back when it moves on is caught', () =>
    caught(() => {
      const early = new Set<unknown>();
      return property(
        busted((list) => ({
          after(entry) {
            const next = ShrinkerList.prototype.after.call(list, entry);
            ShrinkerList.prototype.put.call(list, entry);
            early.add(entry);
            return next;
          },
          put(entry) {
            if (!early.delete(entry)) {
              ShrinkerList.prototype.put.call(list, entry);
            }
          },
        })),
      );
    }));
});
