import { Rcu } from '@core/rcu';
import { ShrinkerRegistry } from '@core/shrinker';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { LRUCache, type LruOptions, type LruStatus } from '../../src/lru-compat/index.js';
import { TestLoop } from '../support/test-loop.js';

interface Made<V extends {}> {
  readonly cache: LRUCache<string, V>;
  readonly loop: TestLoop;
  readonly told: unknown[][];
}

/** A cache whose turns move by hand, that notes what it is told. */
function make<V extends {}>(options: LruOptions<string, V, unknown>): Made<V> {
  const loop = new TestLoop();
  const told: unknown[][] = [];
  const cache = new LRUCache<string, V>({
    dispose: (value, key, reason) => told.push(['dispose', value, key, reason]),
    disposeAfter: (value, key, reason) => told.push(['after', value, key, reason]),
    ...options,
    reclaim: { rcu: new Rcu({ clock: loop, scheduler: loop }), scheduler: loop, ...options.reclaim },
  });
  return { cache, loop, told };
}

describe('what lru-cache has not', () => {
  test('dispose comes in a later turn, then disposeAfter, each with its reason', () => {
    const { cache, loop, told } = make<number>({ max: 2 });
    cache.set('a', 1).set('b', 2).set('a', 3).set('c', 4);
    cache.delete('a');
    expect(told).toEqual([]);
    loop.runSync();
    expect(told).toEqual([
      ['dispose', 1, 'a', 'set'],
      ['after', 1, 'a', 'set'],
      ['dispose', 2, 'b', 'evict'],
      ['after', 2, 'b', 'evict'],
      ['dispose', 3, 'a', 'delete'],
      ['after', 3, 'a', 'delete'],
    ]);
  });

  test('what is in use is not disposed of, and use brings the value to the front', async () => {
    const { cache, loop, told } = make<{ open: boolean }>({ max: 1 });
    const file = { open: true };
    cache.set('a', file);
    let end!: () => void;
    const using = cache.use('a', (value) => new Promise<boolean>((resolve) => (end = () => resolve(value.open))));
    cache.set('b', { open: true }).set('c', { open: true });
    loop.runSync();
    expect(told.map(([, , key]) => key)).toEqual(['b', 'b']);
    end();
    expect(await using).toBe(true);
    loop.runSync();
    expect(told.map(([, , key]) => key)).toEqual(['b', 'b', 'a', 'a']);
    expect(cache.use('nothing', () => 1)).toBeUndefined();
    cache.checkInvariants();
  });

  test('iteration finds what is held and set aside by eviction', () => {
    const { cache } = make<number>({ max: 2 });
    cache.set('a', 1).set('b', 2);
    const seen = cache.use('a', () => {
      cache.set('c', 3);
      return [...cache.keys()].toSorted();
    });
    expect(seen).toEqual(['a', 'c']);
    cache.checkInvariants();
  });

  test('gives its least recently used entries back under pressure', () => {
    const { cache, loop, told } = make<number>({ max: 1_000, reclaim: { name: 'numbers' } });
    for (let at = 0; at < 1_000; at++) {
      cache.set(`k${at}`, at);
    }
    cache.get('k0');
    const registry = new ShrinkerRegistry();
    const shrinker = registry.alloc(cache.asShrinker());
    registry.register(shrinker);
    cache.attach(shrinker);
    expect(registry.shrinkSlabSync({ priority: 1 })).toBeGreaterThan(0);
    expect([cache.has('k0'), cache.has('k1'), cache.has('k999')]).toEqual([true, false, true]);
    loop.runSync();
    expect(told[0]).toEqual(['dispose', 1, 'k1', 'evict']);
  });

  test('close ends it', async () => {
    const cache = new LRUCache<string, number>({ max: 3, dispose: () => {} });
    cache.set('a', 1);
    await cache.close();
    expect(cache.size).toBe(0);
    expect(() => cache.set('a', 1)).toThrow(/closed/);
  });

  test('a dispose that throws is reported, and disposeAfter is called all the same', () => {
    const errors: unknown[] = [];
    const { cache, loop, told } = make<number>({
      max: 1,
      dispose: () => {
        throw new Error('no');
      },
      reclaim: { onError: (error) => errors.push(error) },
    });
    cache.set('a', 1).set('b', 2);
    loop.runSync();
    expect([told, errors.map(String)]).toEqual([[['after', 1, 'a', 'evict']], ['Error: no']]);
  });
});

describe('options', () => {
  test.each([
    [{}, 'At least one of max, maxSize, or ttl is required'],
    [{ max: -1 }, 'max option must be a nonnegative integer'],
    [{ max: 1.5 }, 'max option must be a nonnegative integer'],
    [{ max: 1, ttl: -1 }, 'ttl must be a positive integer if specified'],
    [{ maxSize: 1.5 }, 'maxSize must be a positive integer if specified'],
    [{ max: 1, maxEntrySize: -2 }, 'maxEntrySize must be a positive integer if specified'],
    [{ max: 1, sizeCalculation: () => 1 }, 'cannot set sizeCalculation without setting maxSize or maxEntrySize'],
    [{ max: 1, fetchMethod: 'x' }, 'fetchMethod must be a function if specified'],
    [{ max: 1, memoMethod: 'x' }, 'memoMethod must be a function if defined'],
    [{ max: 1, perf: {} }, 'perf option must have a now() method if specified'],
  ])('%j are refused', (options, message) => {
    expect(() => new LRUCache(options as never)).toThrow(new TypeError(message));
  });

  test.each([
    [{ max: 1 }, { size: 1 }, 'cannot set size without setting maxSize or maxEntrySize on cache'],
    [{ maxSize: 5 }, {}, /^invalid size value \(must be positive integer\)/],
    [{ maxSize: 5 }, { sizeCalculation: () => 0 }, 'sizeCalculation return invalid (expect positive integer)'],
    [{ maxSize: 5 }, { sizeCalculation: 'x' }, 'sizeCalculation must be a function'],
  ])('of a set: %j with %j', (options, given, message) => {
    const cache = new LRUCache<string, number>(options);
    expect(() => cache.set('a', 1, given as never)).toThrow(message);
    expect(cache.size).toBe(0);
  });

  test('are read from another cache', () => {
    const first = new LRUCache<string, number>({ max: 3, ttl: 5, allowStale: true });
    const second = new LRUCache<string, number>(first);
    expect([second.max, second.ttl, second.allowStale]).toEqual([3, 5, true]);
  });

  test('that bound nothing are warned of, once', async () => {
    const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
    const caches = [new LRUCache({ ttl: 1_000 }), new LRUCache({ ttl: 1_000 })];
    expect(await warning).toMatchObject({ name: 'UnboundedCacheWarning', code: 'LRU_CACHE_UNBOUNDED' });
    expect(caches).toHaveLength(2);
  });

  test('types are those of keys, values and context', async () => {
    const cache = new LRUCache<string, { id: number }, { user: string }>({
      max: 1,
      fetchMethod: async (key, stale, { context }) => {
        expectTypeOf(key).toEqualTypeOf<string>();
        expectTypeOf(stale).toEqualTypeOf<{ id: number } | undefined>();
        return { id: context.user.length };
      },
    });
    const status: LruStatus<string, { id: number }, { user: string }> = {};
    expect(await cache.forceFetch('a', { context: { user: 'ada' }, status })).toEqual({ id: 3 });
    expect([status.fetch, status.fetchUpdated, Object.prototype.toString.call(cache)]).toEqual([
      'miss',
      true,
      '[object LRUCache]',
    ]);
  });
});

describe('time', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('autopurge removes what is stale, and follows an age that is renewed', () => {
    const cache = new LRUCache<string, number>({
      ttl: 100,
      ttlAutopurge: true,
      updateAgeOnGet: true,
      ttlResolution: 0,
      perf: Date,
    });
    cache.set('a', 1);
    vi.advanceTimersByTime(80);
    expect(cache.get('a')).toBe(1);
    vi.advanceTimersByTime(80);
    expect(cache.size).toBe(1);
    vi.advanceTimersByTime(22);
    expect(cache.size).toBe(0);
  });

  test('is read once for each resolution', () => {
    const now = vi.fn(() => Date.now());
    const cache = new LRUCache<string, number>({ max: 3, ttl: 10, ttlResolution: 5, perf: { now } });
    cache.set('a', 1);
    now.mockClear();
    for (let at = 0; at < 10; at++) {
      cache.get('a');
    }
    expect(now).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(11);
    expect([cache.get('a'), now.mock.calls.length]).toEqual([undefined, 2]);
  });

  test('a dump moves to another cache with its ages', () => {
    const cache = new LRUCache<string, number>({ max: 3, ttl: 100, perf: Date });
    cache.set('a', 1).set('b', 2, { ttl: 50 });
    vi.advanceTimersByTime(30);
    const other = new LRUCache<string, number>({ max: 3, perf: Date });
    other.load(cache.dump());
    expect([...other.rkeys()].map((key) => [key, other.getRemainingTTL(key)])).toEqual([
      ['a', 70],
      ['b', 20],
    ]);
  });
});

describe('while iterating', () => {
  test('entries may be deleted, read and added', () => {
    const cache = new LRUCache<string, number>({ max: 10 });
    for (const key of ['a', 'b', 'c', 'd']) {
      cache.set(key, 1);
    }
    const seen: string[] = [];
    for (const key of cache.keys()) {
      seen.push(key);
      cache.delete('b');
      cache.get('a');
      cache.set('e', 1);
    }
    expect(seen).toEqual(['d', 'c', 'a']);
    for (const key of cache.rkeys()) {
      cache.delete(key);
    }
    expect(cache.size).toBe(0);
  });
});
