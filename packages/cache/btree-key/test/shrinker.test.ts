import { SHRINK_STOP, ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { bytes, gate, insides, makeCache } from './support/make-cache.js';
import { control, readAll, rested } from './support/shrink.js';

// Tests named by a commit are of what the kernel's cache had to fix.
describe('the shrinker', () => {
  test('c3c991c55: what waits for readers is not scanned in place of keys', async () => {
    const made = await makeCache();
    await readAll(made, 1000);
    const { cache } = made;
    const spec = cache.asShrinker();
    await rested(made);
    await cache.transaction(async () => {
      spec.scan(control(500));
      await rested(made);
      const { pending } = cache.stats();
      expect(pending).toBeGreaterThan(0);
      // Its bits are clear now.
      const before = cache.stats().keys;
      const sc = control(100);
      const freed = spec.scan(sc);
      expect(freed).toBeGreaterThan(0);
      expect(before - cache.stats().keys).toBe(freed);
    });
    cache.checkInvariants();
    await cache.close();
  });

  test('11e953487: says what it has freed and scanned, each key as one thing', async () => {
    const made = await makeCache();
    await readAll(made, 600);
    const { cache } = made;
    await Promise.all(Array.from({ length: 40 }, (_, key) => cache.put(`d${key}`, bytes('1'))));
    const { promise, open } = gate();
    const locked = cache.update('k0', async (value) => {
      await promise;
      return value;
    });
    for (let key = 0; key < 50; key++) {
      cache.getSync(`k${key}`);
    }
    await rested(made);
    const sc = control(10_000);
    const freed = cache.asShrinker().scan(sc);
    const stats = cache.stats();
    expect(freed).toBe(550);
    expect(sc.nrScanned).toBe(640);
    expect(stats).toMatchObject({
      freed: 550,
      requestedToFree: 10_000,
      skippedDirty: 40,
      skippedAccessed: 50,
      skippedLockFail: 0,
      keys: 90,
    });
    await rested(made);
    cache.asShrinker().scan(control(10_000));
    // Only the one that is locked, and those that are dirty, are left.
    expect(cache.stats()).toMatchObject({ keys: 41, skippedLockFail: 1, freed: 599 });
    open();
    await locked;
    cache.checkInvariants();
    await cache.close();
  });

  test('349ba07a2: a table that has become sparse is not walked for ever', async () => {
    const made = await makeCache();
    await readAll(made, 5000);
    const { table, walker } = insides(made.cache).core;
    await rested(made);
    expect(table.buckets).toBe(16_384);
    const spec = made.cache.asShrinker();
    spec.scan(control(4900));
    await rested(made);
    expect(table.buckets).toBeLessThanOrEqual(1024);
    walker.visited = 0;
    spec.scan(control(50));
    expect(walker.visited).toBeLessThanOrEqual(1024);
    made.cache.checkInvariants();
    await made.cache.close();
  });

  test('02ab0dcc7: a cache that is nearly empty is left alone', async () => {
    const made = await makeCache();
    const spec = made.cache.asShrinker();
    await readAll(made, 128);
    expect(spec.count(control(0))).toBe(0);
    await readAll(made, 130);
    expect(spec.count(control(0))).toBe(2);
    await made.cache.put('k0', bytes('1'));
    expect(spec.count(control(0))).toBe(1);
    await made.cache.close();
  });

  test('19959d991: a key costs a read to have again, and is scanned in large batches', async () => {
    const { cache } = await makeCache({ name: 'counters' });
    expect(cache.asShrinker()).toMatchObject({ name: 'counters', seeks: 1, batch: 16_384 });
    await cache.close();
  });

  test('stops while the table is rehashed, and goes on afterwards', async () => {
    const made = await makeCache();
    const { table } = insides(made.cache).core;
    let key = 0;
    while (!table.rehashing) {
      await made.cache.get(`k${key++}`);
    }
    const sc = control(100);
    expect([made.cache.asShrinker().scan(sc), sc.nrScanned]).toEqual([SHRINK_STOP, 0]);
    await rested(made);
    expect(made.cache.asShrinker().scan(control(100))).toBeGreaterThan(0);
    await made.cache.close();
  });

  test('goes round by bucket: each key is met once before any is met twice', async () => {
    const made = await makeCache();
    await readAll(made, 2000);
    for (let key = 0; key < 2000; key++) {
      made.cache.getSync(`k${key}`);
    }
    await rested(made);
    const spec = made.cache.asShrinker();
    while (made.cache.stats().skippedAccessed < 1900) {
      expect(spec.scan(control(100))).toBe(0);
    }
    await made.cache.close();
  });

  test('under a registry, by priority', async () => {
    const made = await makeCache();
    await readAll(made, 20_000);
    await rested(made);
    await using registry = new ShrinkerRegistry();
    const shrinker = registry.alloc(made.cache.asShrinker());
    registry.register(shrinker);
    expect(await registry.shrinkSlab({ priority: 0 })).toBeGreaterThan(16_000);
    await registry.free(shrinker);
    made.cache.checkInvariants();
    await made.cache.close();
  });
});
