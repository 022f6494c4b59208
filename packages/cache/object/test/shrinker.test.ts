import { SHRINK_EMPTY, ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { makeCache } from './support/make-cache.js';

const control = (nrToScan: number) => ({
  zone: 'heap' as const,
  group: null,
  nrToScan,
  nrScanned: nrToScan,
  priority: 12,
  mode: 'background' as const,
});

describe('asShrinker', () => {
  test('has the kernel’s parameters, and the cache’s name', () => {
    const { cache } = makeCache<number, number>({ name: 'users' });
    expect(cache.asShrinker()).toMatchObject({ name: 'users', seeks: 2 });
    expect(makeCache({ seeks: 0 }).cache.asShrinker().seeks).toBe(0);
  });

  test('counts what could go, and knows empty from nothing just now', () => {
    const { cache } = makeCache<number, number>({ max: 10 });
    const shrinker = cache.asShrinker();
    expect(shrinker.count(control(0))).toBe(SHRINK_EMPTY);
    cache.set(1, 1).set(2, 2);
    expect(shrinker.count(control(0))).toBe(2);
    const guards = [cache.acquire(1), cache.acquire(2)];
    // Clears the bits; then meets the holds.
    expect(shrinker.scan(control(2))).toBe(0);
    expect(shrinker.scan(control(2))).toBe(0);
    cache.checkInvariants();
    expect(shrinker.count(control(0))).toBe(0);
    guards[0]?.release();
    expect(shrinker.count(control(0))).toBe(1);
    expect(shrinker.scan(control(9))).toBe(1);
    expect([...cache.keys()]).toEqual([2]);
    guards[1]?.release();
    cache.checkInvariants();
  });

  test('gives second chances, and says how many it looked at', () => {
    const { cache, loop, ended } = makeCache<number, number>();
    for (let key = 0; key < 10; key++) {
      cache.set(key, key);
    }
    cache.get(0);
    cache.get(2);
    const sc = control(4);
    expect([cache.asShrinker().scan(sc), sc.nrScanned]).toEqual([2, 4]);
    expect([...cache.keys()]).toEqual([0, 2, 4, 5, 6, 7, 8, 9]);
    const all = control(1000);
    expect([cache.asShrinker().scan(all), all.nrScanned]).toEqual([8, 8]);
    cache.checkInvariants();
    loop.runSync();
    expect(ended.map(([, , reason]) => reason)).toEqual(Array.from({ length: 10 }, () => 'evict'));
    expect(cache.stats().evictions).toBe(10);
  });

  test('expires what is stale, used or not', () => {
    const { cache, loop, ended } = makeCache<number, number>({ ttlMs: 10 });
    cache.set(1, 1).set(2, 2, { ttlMs: 20 });
    cache.get(1);
    loop.timeMs = 10;
    expect(cache.asShrinker().scan(control(1))).toBe(1);
    loop.runSync();
    expect(ended).toEqual([[1, 1, 'expire']]);
  });

  test('takes first what is kept for reuse', () => {
    const { cache, loop, ended } = makeCache<number, number>({ max: 128, recycle: () => {} });
    for (let key = 0; key < 148; key++) {
      cache.set(key, key);
    }
    loop.runSync();
    expect([cache.stats().reusable, ended.length]).toEqual([16, 4]);
    const shrinker = cache.asShrinker();
    expect(shrinker.count(control(0))).toBe(144);
    const sc = control(3);
    expect([shrinker.scan(sc), sc.nrScanned, cache.size]).toEqual([3, 3, 128]);
    const more = control(17);
    expect([shrinker.scan(more), more.nrScanned, cache.size]).toEqual([17, 17, 124]);
    cache.checkInvariants();
    // Not on the stack of the scan, and not kept again, but for those that have just left.
    expect(ended).toHaveLength(4);
    loop.runSync();
    expect(ended).toHaveLength(20);
    expect(cache.stats()).toMatchObject({ reusable: 4, retired: 4 });
  });

  test('runs under a registry, by priority', async () => {
    const { cache } = makeCache<number, number>({ max: 10_000 });
    for (let key = 0; key < 10_000; key++) {
      cache.set(key, key);
    }
    await using registry = new ShrinkerRegistry();
    registry.register(registry.alloc(cache.asShrinker()));
    // The kernel's arithmetic: count >> priority, * 4 / seeks, at least a batch of it.
    expect(await registry.shrinkSlab({ priority: 4 })).toBe(1250 - (1250 % 128));
    expect(registry.shrinkSlabSync({ priority: 0 })).toBeGreaterThan(8000);
    expect(cache.size).toBeLessThan(200);
    cache.checkInvariants();
  });

  test('a scan of a cache that is closed does nothing', async () => {
    const { cache, loop } = makeCache<number, number>({ recycle: () => {} });
    cache.set(1, 1);
    const closing = cache.close();
    expect(cache.asShrinker().scan(control(5))).toBe(0);
    expect(cache.asShrinker().count(control(5))).toBe(SHRINK_EMPTY);
    await loop.runAll();
    await closing;
  });
});
