import { SeededRng } from '@core/base';
import { GroupLimitError, type MemoryGroup, SHRINK_EMPTY, SHRINK_STOP, type Zone } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { ObjectCache, type ObjectCacheOptions } from '../src/index.js';
import { Ledger } from '../src/internal/ledger.js';
import { makeCache } from './support/make-cache.js';
import { checkBooks, countCharges, makeInGroup, makeRegistry, OVERHEAD, register } from './support/make-group.js';
import { microtasks } from './support/test-loop.js';

const control = (group: MemoryGroup | null, zone: Zone = 'heap', nrToScan = 0) => ({
  zone,
  group,
  nrToScan,
  nrScanned: nrToScan,
  priority: 0,
  mode: 'background' as const,
});

describe('what is charged', () => {
  test('bytes, and 96 for each entry, with a stock of 4 KiB; nothing when there is nothing', () => {
    const { cache, group } = makeInGroup<number, string>(Infinity, { sizeOf: () => 1000 });
    cache.set(1, 'a');
    expect(cache.stats().chargedBytes).toBe(1000 + OVERHEAD + 4096);
    checkBooks(group, [cache]);
    for (let key = 2; key <= 100; key++) {
      cache.set(key, 'a');
      checkBooks(group, [cache]);
    }
    expect(group.usage()).toBeGreaterThanOrEqual(100 * (1000 + OVERHEAD));
    // A sixteenth is charged in advance, and twice as much is kept when less is needed.
    expect(group.usage()).toBeLessThanOrEqual(100 * (1000 + OVERHEAD) * 1.125);
    for (let key = 2; key <= 100; key++) {
      cache.delete(key);
      checkBooks(group, [cache]);
    }
    expect(group.usage()).toBeLessThanOrEqual(1000 + OVERHEAD + 2 * 4096);
    cache.clear();
    expect([group.usage(), cache.stats().chargedBytes]).toEqual([0, 0]);
  });

  test('fractions are rounded up', () => {
    const { cache, group } = makeInGroup<number, string>(Infinity, { sizeOf: () => 0.3 });
    for (let key = 0; key < 50; key++) {
      cache.set(key, 'a');
      checkBooks(group, [cache]);
    }
    cache.clear();
    expect(group.usage()).toBe(0);
  });

  test('what expires is given back', () => {
    const { cache, group, loop } = makeInGroup<number, string>(Infinity, { sizeOf: () => 100_000, ttlMs: 10 });
    cache.set(1, 'a').set(2, 'b').set(3, 'c');
    loop.timeMs = 10;
    expect(cache.get(1)).toBeUndefined();
    checkBooks(group, [cache]);
    expect(group.usage()).toBeLessThan(2 * 100_096 + 2 * 65_536);
    expect([cache.purgeStale(), group.usage()]).toEqual([2, 0]);
  });

  test('a held value that has left, until it is let go', () => {
    const { cache, group, loop } = makeInGroup<number, string>(Infinity, { sizeOf: () => 50_000 });
    cache.set(1, 'a').set(2, 'b');
    const guard = cache.acquire(1);
    cache.clear();
    checkBooks(group, [cache]);
    expect(group.usage()).toBeGreaterThanOrEqual(50_000);
    expect(group.usage()).toBeLessThanOrEqual(50_000 + 2 * 4096);
    guard?.release();
    // It waits for a grace period now: nobody can hurry that.
    expect([group.usage(), cache.asShrinker().retiredBytes?.('heap')]).toEqual([0, 100_000]);
    expect(cache.asShrinker().retiredBytes?.('external')).toBe(0);
    loop.timeMs += 30;
    expect(cache.asShrinker().retiredAgeMs?.()).toBe(30);
    loop.runSync();
    expect(cache.asShrinker().retiredBytes?.('heap')).toBe(0);
    expect(cache.asShrinker().retiredAgeMs?.()).toBe(0);
  });

  test('values kept for reuse, until they are discarded', () => {
    const { cache, group, loop, shrinker, registry } = makeInGroup<number, string>(Infinity, {
      sizeOf: () => 10_000,
      recycle: () => {},
    });
    for (let key = 0; key < 20; key++) {
      cache.set(key, 'a');
    }
    cache.clear();
    expect([group.usage(), cache.stats().reusable]).toEqual([0, 0]);
    loop.runSync();
    checkBooks(group, [cache]);
    expect(cache.stats()).toMatchObject({ reusable: 20, retiredBytes: 200_000 });
    expect(group.usage()).toBeGreaterThanOrEqual(200_000);
    expect(cache.asShrinker().retiredBytes?.('heap')).toBe(0);
    expect(registry.shrinkSlabSync({ group, priority: 0 })).toBe(20);
    expect(shrinker.groupAware).toBe(true);
    expect(group.usage()).toBe(0);
    loop.runSync();
    expect(cache.stats().disposed).toBe(20);
  });

  test('a group without room keeps nothing for reuse', () => {
    const { cache, group, loop, ended } = makeInGroup<number, string>(9_000, {
      sizeOf: () => 4_000,
      recycle: () => {},
    });
    cache.set(1, 'a').set(2, 'b').set(3, 'c').set(4, 'd');
    loop.runSync();
    checkBooks(group, [cache]);
    // Nor is anything evicted for that.
    expect([ended.length, cache.size, cache.stats().reusable]).toEqual([2, 2, 0]);
  });

  test('close gives back everything, of held values when they are let go', async () => {
    const { cache, group, loop } = makeInGroup<number, string>(Infinity, { sizeOf: () => 5_000, recycle: () => {} });
    for (let key = 0; key < 20; key++) {
      cache.set(key, 'a');
    }
    cache.delete(0);
    loop.runSync();
    const guards = [cache.acquire(1), cache.acquire(2)];
    const closing = cache.close();
    expect(group.usage()).toBe(10_000);
    guards[0]?.release();
    expect(group.usage()).toBe(5_000);
    guards[1]?.release();
    expect(group.usage()).toBe(0);
    await loop.runAll();
    await closing;
    checkBooks(group, [cache]);
  });

  test('loads, and what is made by getOrCreate', async () => {
    const { cache, group } = makeInGroup<number, string>(Infinity, {
      sizeOf: (value) => value.length,
      load: (key) => Promise.resolve('x'.repeat(key)),
    });
    await cache.fetch(10_000);
    checkBooks(group, [cache]);
    expect(group.usage()).toBe(10_000 + OVERHEAD + 4096);
    cache.getOrCreate(1, () => 'x'.repeat(20_000));
    checkBooks(group, [cache]);
    expect(group.usage()).toBeGreaterThanOrEqual(30_000);
  });

  test('nothing in a churn of constant size: small values, and large ones', () => {
    for (const [size, max, maxBytes] of [
      [10, 100, Infinity],
      [100_000, 10, Infinity],
      [100_000, Infinity, 1_000_000],
      [100, Infinity, 50_000],
    ] as const) {
      const { cache, group } = makeInGroup<number, number>(Infinity, { sizeOf: () => size, max, maxBytes });
      let key = 0;
      while (key < 1000) {
        cache.set(key++, 0);
      }
      const calls = countCharges(group);
      while (key < 3000) {
        cache.set(key++, 0);
      }
      expect(calls).toEqual({ charges: 0, uncharges: 0 });
      // It would be seen.
      cache.clear();
      expect(calls.uncharges).toBe(1);
      checkBooks(group, [cache]);
    }
  });

  test.each<[Zone, unknown]>([
    ['external', new ArrayBuffer(10)],
    ['external', Buffer.alloc(10)],
    ['external', new DataView(new ArrayBuffer(10))],
    ['shared', new SharedArrayBuffer(10)],
    ['shared', new Uint8Array(new SharedArrayBuffer(10))],
    ['heap', {}],
    ['heap', 'text'],
    ['heap', { buffer: new ArrayBuffer(10), byteLength: 10 }],
  ])('in zone %s, as the first value', (zone, value) => {
    const { cache, group } = makeInGroup<number, unknown>(Infinity);
    const shrinker = cache.asShrinker();
    for (const each of ['heap', 'external', 'shared'] as const) {
      expect(shrinker.count(control(group, each))).toBe(0);
    }
    cache.set(1, value).set(2, 'b');
    expect(group.usage(zone)).toBe(group.usage());
    checkBooks(group, [cache], zone);
    for (const each of ['heap', 'external', 'shared'] as const) {
      expect(shrinker.count(control(group, each))).toBe(each === zone ? 2 : SHRINK_EMPTY);
    }
    cache.clear();
    expect(group.usage()).toBe(0);
    // There may be something again, so the bit stays.
    expect(shrinker.count(control(group, zone))).toBe(0);
  });

  test('in the zone of the options', () => {
    const { cache, group, registry } = makeInGroup<number, unknown>(Infinity, { zone: 'shared' });
    cache.set(1, {});
    expect(group.usage('shared')).toBe(group.usage());
    expect(registry.shrinkSlabSync({ group, zone: 'heap', priority: 0 })).toBe(0);
    expect(registry.shrinkSlabSync({ group, zone: 'shared', priority: 0 })).toBe(1);
  });
});

describe('a group at its max', () => {
  test('a cache of ten times as much never gets above, and evicts by second chance', () => {
    const { cache, group, ended, loop } = makeInGroup<number, number>(100_000, { sizeOf: () => 904 });
    let most = 0;
    for (let key = 0; key < 1000; key++) {
      cache.set(key, key);
      cache.get(0);
      most = Math.max(most, group.usage());
      checkBooks(group, [cache]);
    }
    expect(most).toBeLessThanOrEqual(100_000);
    loop.runSync();
    // The one that is used each time has stayed; all others left in the order in which they came.
    expect(cache.has(0)).toBe(true);
    const keys = ended.map(([key]) => key);
    expect(keys).toEqual(Array.from(keys, (_, index) => index + 1));
    expect(cache.size).toBeGreaterThan(70);
    expect(cache.stats()).toMatchObject({ rejected: 0, uncharged: 0 });
  });

  test('of a few large values it evicts a few', () => {
    const { cache, group } = makeInGroup<number, number>(1_000_000, { sizeOf: () => 199_000 });
    for (let key = 0; key < 50; key++) {
      cache.set(key, key);
      expect(cache.has(key)).toBe(true);
      checkBooks(group, [cache]);
      expect(cache.size).toBeGreaterThanOrEqual(Math.min(key + 1, 4));
    }
  });

  test('a value that it has no room for is rejected, and set does not throw', () => {
    const { cache, group, loop, ended } = makeInGroup<string, string>(10_000, { sizeOf: (value) => value.length });
    cache.set('a', 'small').set('b', 'b');
    cache.set('a', 'x'.repeat(10_000));
    expect(cache.stats()).toMatchObject({ size: 1, rejected: 1, uncharged: 1 });
    expect(cache.has('b')).toBe(true);
    checkBooks(group, [cache]);
    loop.runSync();
    expect(ended.map(([key, , reason]) => [key, reason])).toEqual([
      ['a', 'set'],
      ['a', 'reject'],
    ]);
    // Larger than maxBytes is another matter.
    const { cache: other } = makeInGroup<string, string>(1e6, { maxBytes: 5, sizeOf: (value) => value.length });
    other.set('a', 'too large');
    expect(other.stats()).toMatchObject({ rejected: 1, uncharged: 0, chargedBytes: 0 });
    // More than can be counted at all.
    cache.set('c', 'c', { size: Number.MAX_SAFE_INTEGER });
    expect([cache.has('c'), cache.stats().uncharged]).toEqual([false, 2]);
  });

  test('what others have charged is in the way of no more than there is room for', () => {
    const { cache, group } = makeInGroup<number, number>(100_000, { sizeOf: () => 4 });
    group.charge(90_000);
    for (let key = 0; key < 500; key++) {
      cache.set(key, key);
      expect(group.usage()).toBeLessThanOrEqual(100_000);
    }
    // Nothing is reclaimed for the sake of a stock.
    expect(cache.size).toBeGreaterThan(60);
    checkBooks(group, [cache, { stats: () => ({ chargedBytes: 90_000 }), checkInvariants() {} } as never]);
  });

  test('to store the same value once more, of the same size, takes no room', () => {
    const { cache, group, loop, ended } = makeInGroup<number, string>(10_000, { sizeOf: () => 1_000 });
    for (let key = 0; key < 5; key++) {
      cache.set(key, `${key}`);
    }
    group.charge(10_000 - group.usage());
    for (let round = 0; round < 3; round++) {
      for (let key = 0; key < 5; key++) {
        cache.set(key, `${key}`);
      }
    }
    loop.runSync();
    expect([cache.size, ended.length, cache.stats().uncharged]).toEqual([5, 0, 0]);
  });

  test('a value that grows is not evicted to make room for itself', () => {
    const { cache, group, loop, ended } = makeInGroup<number, object>(10_000);
    const value = {};
    cache.set(1, value, { size: 1_000 });
    cache.set(2, {}, { size: 1_000 });
    group.charge(10_000 - group.usage());
    cache.set(1, value, { size: 4_500 });
    loop.runSync();
    expect(cache.get(1)).toBe(value);
    expect(ended.map(([key]) => key)).toEqual([2]);
    cache.set(1, value, { size: 90_000 });
    loop.runSync();
    expect(ended.map(([key, , reason]) => [key, reason])).toEqual([
      [2, 'evict'],
      [1, 'reject'],
    ]);
  });

  test('nor is one that a load has stored itself, and returns', async () => {
    const value = {};
    const { cache, group, loop, ended } = makeInGroup<number, object>(10_000, {
      load: (key) => {
        cache.set(key, value, { size: 1_000 });
        group.charge(10_000 - group.usage());
        return value;
      },
    });
    cache.set(2, {}, { size: 1_000 });
    expect(await cache.fetch(1, { size: 4_500 })).toBe(value);
    loop.runSync();
    expect(cache.peek(1)).toBe(value);
    expect(ended.map(([key]) => key)).toEqual([2]);
  });

  test('whoever holds what a load brought gets it, charged or not', async () => {
    const { cache, group, loop, ended } = makeInGroup<number, string>(10_000, {
      sizeOf: (value) => value.length,
      load: (key) => 'x'.repeat(key),
    });
    cache.set(1, 'y');
    const usage = group.usage();
    const guard = await cache.acquireOrLoad(50_000);
    expect([guard.value.length, cache.size, group.usage()]).toEqual([50_000, 1, usage]);
    checkBooks(group, [cache]);
    // Others come and go meanwhile.
    cache.set(2, 'z');
    expect([cache.has(2), cache.stats().uncharged]).toEqual([true, 1]);
    guard.release();
    checkBooks(group, [cache]);
    loop.runSync();
    expect(ended).toEqual([[50_000, guardValue(50_000), 'reject']]);
    cache.clear();
    expect(group.usage()).toBe(0);
  });

  test('a synchronous loop of disposables keeps the group full, and disposes of each once', async () => {
    const ends = new Int32Array(10_000);
    const { cache, group, loop } = makeInGroup<number, number>(200_000, {
      sizeOf: () => 904,
      dispose: (value) => {
        ends[value] = (ends[value] as number) + 1;
      },
    });
    for (let key = 0; key < 10_000; key++) {
      cache.set(key, key);
    }
    expect(cache.size).toBeGreaterThan(150);
    expect(cache.size).toBeLessThanOrEqual(200);
    expect(group.usage()).toBeLessThanOrEqual(200_000);
    expect(cache.asShrinker().retiredBytes?.('heap')).toBe((10_000 - cache.size) * 904);
    const closing = cache.close();
    await loop.runAll();
    await closing;
    expect(ends.every((count) => count === 1)).toBe(true);
  });

  test('a charge that another shrinker of the group makes from inside the reclaim breaks nothing', () => {
    const { cache, group, registry } = makeInGroup<number, number>(20_000, { sizeOf: () => 904 });
    const other = makeCache<number, number>({ name: 'other', group, sizeOf: () => 904 });
    register(registry, other.cache);
    let nested = 0;
    const meddler = registry.alloc({
      name: 'meddler',
      groupAware: true,
      batch: 1,
      count: () => 10_000,
      scan: () => {
        nested++;
        other.cache.set(nested % 50, nested);
        cache.delete(nested % 7);
        cache.set(1000, nested);
        checkBooksLater.push(() => other.cache.checkInvariants());
        return SHRINK_STOP;
      },
    });
    const checkBooksLater: (() => void)[] = [];
    registry.register(meddler);
    group.setShrinkerBit(meddler);
    for (let key = 0; key < 200; key++) {
      cache.set(key, key);
      for (const check of checkBooksLater.splice(0)) {
        check();
      }
      checkBooks(group, [cache, other.cache]);
      expect(group.usage()).toBeLessThanOrEqual(20_000);
    }
    expect(nested).toBeGreaterThan(10);
  });

  test('the key that is set may be deleted, set, or the cache closed, by what the reclaim calls', () => {
    const cases = ['delete', 'set', 'close', 'offline'].flatMap((meddle) => [
      [meddle, true] as const,
      [meddle, false] as const,
    ]);
    for (const [meddle, isRoomMade] of cases) {
      const { cache, group, registry, loop, ended } = makeInGroup<number, object>(10_000);
      const same = { same: true };
      cache.set(1, same, { size: 1_000 });
      const others = 10_000 - group.usage();
      group.charge(others);
      let calls = 0;
      const meddler = registry.alloc({
        name: 'meddler',
        groupAware: true,
        batch: 1,
        count: () => 10_000,
        scan: () => {
          if (calls++ === 0) {
            group.uncharge(isRoomMade ? others : 0);
            const meddles = {
              delete: () => void cache.delete(1),
              set: () => void cache.set(1, { other: true }, { size: 1 }),
              close: () => void cache.close(),
              offline: () => group.offline(),
            };
            meddles[meddle as keyof typeof meddles]();
          }
          return SHRINK_STOP;
        },
      });
      registry.register(meddler);
      group.setShrinkerBit(meddler);
      if (meddle === 'close') {
        expect(() => cache.set(1, same, { size: 6_000 })).toThrow(
          expect.objectContaining({ code: 'ERR_OBJECT_CACHE_CLOSED' }) as Error,
        );
      } else {
        cache.set(1, same, { size: 6_000 });
      }
      expect(calls).toBeGreaterThan(0);
      cache.checkInvariants();
      loop.runSync();
      // Never both in the cache and disposed of.
      const isEnded = ended.some(([, value]) => value === same);
      const isStored = (isRoomMade || meddle === 'offline') && meddle !== 'close';
      expect([meddle, cache.peek(1) === same, isEnded]).toEqual([meddle, isStored, !isStored]);
      expect(ended.length).toBe(new Set(ended.map(([, value]) => value)).size);
      cache.checkInvariants();
    }
  });

  test('without an attached shrinker it is full, and stays so', () => {
    const registry = makeRegistry();
    const group = registry.root.child('tenant', { max: 5_000 });
    const { cache } = makeCache<number, number>({ group, sizeOf: () => 904 });
    for (let key = 0; key < 10; key++) {
      cache.set(key, key);
    }
    expect([[...cache.keys()], cache.stats().uncharged]).toEqual([[0, 1, 2, 3, 4], 5]);
    expect(() => group.charge(1_000)).toThrow(GroupLimitError);
    // In one call.
    register(registry, cache);
    group.charge(1_000);
    checkBooks(group, [cache, { stats: () => ({ chargedBytes: 1_000 }), checkInvariants() {} } as never]);
  });
});

function guardValue(length: number): string {
  return 'x'.repeat(length);
}

describe('tenants', () => {
  interface Tenants {
    readonly hot: ObjectCache<number, number>;
    readonly scanning: ObjectCache<number, number>;
  }

  /** Hits of the hot tenant, in percent, while the other scans or not. */
  function hitRatio(make: () => Tenants, scans: boolean): number {
    const { hot, scanning } = make();
    const rng = new SeededRng(7);
    let hits = 0;
    const rounds = 5_000;
    for (let round = 0; round < 2 * rounds; round++) {
      // Nine of ten of 300 keys.
      const key = rng.below(10) === 0 ? 1000 + rng.below(1000) : rng.below(300);
      const found = hot.get(key) !== undefined;
      if (!found) {
        hot.set(key, key);
      }
      hits += round >= rounds && found ? 1 : 0;
      for (let set = 0; set < (scans ? 50 : 0); set++) {
        scanning.set(50 * round + set, 0);
      }
    }
    return (100 * hits) / rounds;
  }

  function makeTenants(isShared: boolean): Tenants {
    const registry = makeRegistry();
    const caches = ['hot', 'scanning'].map((name) => {
      const group =
        isShared && name === 'scanning' ? shared : registry.root.child(name, { max: isShared ? 800_000 : 400_000 });
      shared ??= group;
      const cache = new ObjectCache<number, number>({ name, group, sizeOf: () => 904 } satisfies ObjectCacheOptions<
        number,
        number
      >);
      register(registry, cache);
      return cache;
    });
    shared = null as never;
    return { hot: caches[0] as ObjectCache<number, number>, scanning: caches[1] as ObjectCache<number, number> };
  }
  let shared: MemoryGroup = null as never;

  test('a scan of one does not evict from another, and hits stay; in one group they do not', () => {
    const alone = hitRatio(() => makeTenants(false), false);
    const beside = hitRatio(() => makeTenants(false), true);
    const together = hitRatio(() => makeTenants(true), true);
    expect(alone).toBeGreaterThan(80);
    expect(Math.abs(alone - beside)).toBeLessThan(1);
    expect(together).toBeLessThan(alone - 10);
  });

  test('a scan of one evicts nothing of another', () => {
    const { hot, scanning } = makeTenants(false);
    for (let key = 0; key < 100; key++) {
      hot.set(key, key);
    }
    for (let key = 0; key < 10_000; key++) {
      scanning.set(key, key);
    }
    expect([hot.size, hot.stats().evictions]).toEqual([100, 0]);
    expect(scanning.stats().evictions).toBeGreaterThan(9_000);
  });

  test('passes over one group, and over everything', async () => {
    const registry = makeRegistry();
    const groups = ['a', 'b'].map((name) => registry.root.child(name));
    const caches = groups.map((group) => {
      const { cache } = makeCache<number, number>({ name: group.name, group, sizeOf: () => 904 });
      register(registry, cache);
      for (let key = 0; key < 1000; key++) {
        cache.set(key, key);
      }
      return cache;
    });
    expect(registry.shrinkSlabSync({ group: groups[0] as MemoryGroup, priority: 0 })).toBe(1000);
    expect(caches.map(({ size }) => size)).toEqual([0, 1000]);
    expect(groups.map((group) => group.usage() === 0)).toEqual([true, false]);
    // Half of it, times 4 seeks / 2, in batches of 16.
    expect(await registry.shrinkSlab({ priority: 1 })).toBe(1000 - (1000 % 16));
    checkBooks(groups[1] as MemoryGroup, caches);
  });

  test('a registry that accounts no objects to groups reaches the cache all the same', () => {
    const { cache } = makeCache<number, number>({ group: makeRegistry().root });
    cache.set(1, 1);
    expect(cache.asShrinker().count(control(null))).toBe(1);
    expect(cache.asShrinker().count(control(makeRegistry().root))).toBe(0);
  });

  test('a cache that is asked for the objects of others does nothing', () => {
    const { cache, registry, group } = makeInGroup<number, number>(Infinity);
    cache.set(1, 1);
    const shrinker = cache.asShrinker();
    for (const sc of [control(registry.root, 'heap', 5), control(group, 'external', 5)]) {
      expect([shrinker.count(sc) > 0, shrinker.scan(sc), cache.size]).toEqual([false, -1, 1]);
    }
  });

  test('says how many are held', () => {
    const { cache } = makeInGroup<number, number>(Infinity);
    cache.set(1, 1).set(2, 2);
    const guards = [cache.acquire(1), cache.acquire(1), cache.acquire(2)];
    cache.delete(2);
    expect(cache.asShrinker().skipped?.()).toEqual({ held: 2 });
    for (const guard of guards) {
      guard?.release();
    }
    expect(cache.asShrinker().skipped?.()).toEqual({ held: 0 });
  });
});

describe('offline', () => {
  test('bytes, bits and later charges are the heir’s', () => {
    const registry = makeRegistry();
    const parent = registry.root.child('parent', { max: 100_000 });
    const group = parent.child('tenant');
    const { cache } = makeCache<number, number>({ group, sizeOf: () => 904 });
    register(registry, cache);
    for (let key = 0; key < 50; key++) {
      cache.set(key, key);
    }
    const usage = group.usage();
    group.offline();
    checkBooks(group, [cache]);
    expect([parent.usage(), parent.stats().own.heap]).toEqual([usage, usage]);
    // The heir's limit acts on it.
    for (let key = 50; key < 500; key++) {
      cache.set(key, key);
      checkBooks(parent, [cache]);
      expect(parent.usage()).toBeLessThanOrEqual(100_000);
    }
    expect(cache.stats().uncharged).toBe(0);
    parent.offline();
    checkBooks(registry.root, [cache]);
    expect(registry.shrinkSlabSync({ priority: 0 })).toBeGreaterThan(70);
    expect(registry.root.usage()).toBe(0);
  });

  test('in the middle of a hold, and of a load', async () => {
    const { cache, group, registry } = makeInGroup<number, string>(Infinity, {
      sizeOf: () => 10_000,
      load: async (key) => `${key}`,
    });
    cache.set(1, 'a');
    const guard = cache.acquire(1);
    const loading = cache.fetch(2);
    cache.delete(1);
    group.offline();
    await loading;
    await microtasks();
    checkBooks(registry.root, [cache]);
    guard?.release();
    cache.clear();
    expect(registry.root.usage()).toBe(0);
  });
});

describe('a reclaim for the process, from inside a charge', () => {
  /** Entries of two caches of one size, after so many sets of which only the second one’s are large enough to charge. */
  function sizesAfterBurst(): readonly [number, number] {
    const registry = makeRegistry();
    const { root } = registry;
    const make = (name: string): ObjectCache<number, string> => {
      const { cache } = makeCache<number, string>({
        name,
        group: root,
        sizeOf: (_, key) => (key % 2 === 0 ? 100 : 5000),
      });
      register(registry, cache);
      return cache;
    };
    const small = make('small');
    const large = make('large');
    // As a monitor of memory does it: whatever is above a million bytes goes.
    registry.watchCharges(50_000, () => {
      for (let priority = 5; root.usage() > 1_000_000 && priority >= 0; priority--) {
        registry.shrinkSlabSync({ priority });
      }
    });
    for (let key = 0; key < 5_000; key++) {
      small.set(2 * key, 'a');
      large.set(2 * key + 1, 'b');
    }
    checkBooks(root, [small, large]);
    return [small.size, large.size];
  }

  /** An entry of fifty times the bytes has to be used as much more often, so the large ones are never the more. */
  function expectShares([small, large]: readonly [number, number]): void {
    expect(large).toBeGreaterThan(50);
    expect(small).toBeGreaterThan(large);
  }

  test('each cache gives its share, also the one that charges', () => {
    expectShares(sizesAfterBurst());
  });

  test('busted: a cache that spares itself whoever reclaims is caught', () => {
    const prototype = Ledger.prototype as any;
    const { charge } = prototype;
    const isServed = Object.getOwnPropertyDescriptor(prototype, 'isServed') as PropertyDescriptor;
    const charging = new Set<unknown>();
    prototype.charge = function busted(this: unknown, missing: number): boolean {
      charging.add(this);
      const charged = charge.call(this, missing);
      charging.delete(this);
      return charged;
    };
    Object.defineProperty(prototype, 'isServed', {
      configurable: true,
      get(this: unknown) {
        return charging.has(this);
      },
    });
    try {
      expect(() => expectShares(sizesAfterBurst())).toThrow();
    } finally {
      prototype.charge = charge;
      Object.defineProperty(prototype, 'isServed', isServed);
    }
  });
});
