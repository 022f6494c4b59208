import { getEventListeners } from 'node:events';
import { Rcu } from '@core/rcu';
import { ShrinkerRegistry } from '@core/shrinker';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { LRUCache } from '../../src/lru-compat/index.js';
import { TestLoop } from '../support/test-loop.js';

interface Made<V extends {}> {
  readonly cache: LRUCache<string, V>;
  readonly loop: TestLoop;
  readonly told: unknown[][];
}

/** A cache whose turns move by hand, that notes what it is told. */
function make<V extends {}>(options: LRUCache.Options<string, V, unknown>): Made<V> {
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

  test('a stale value can be held, where stale ones are allowed', () => {
    let now = 1;
    const { cache, loop, told } = make<number>({ max: 2, ttl: 5, allowStale: true, perf: { now: () => now } });
    cache.set('a', 1);
    now = 100;
    const seen = cache.use('a', (value) => {
      cache.delete('a');
      loop.runSync();
      return [value, told.length];
    });
    loop.runSync();
    expect([seen, told.length]).toEqual([[1, 0], 2]);
  });

  test('pop takes last what is held and set aside by eviction', () => {
    const { cache } = make<number>({ max: 2 });
    cache.set('a', 1).set('b', 2);
    const popped = cache.use('a', () => {
      cache.set('c', 3).set('d', 4);
      return [cache.pop(), cache.pop(), cache.pop()];
    });
    expect(popped).toEqual([4, 1, undefined]);
    cache.checkInvariants();
  });

  test.each([false, true])('what its group has no room for leaves no timer behind, told of: %s', (told) => {
    const registry = new ShrinkerRegistry();
    const { cache } = make<number>({
      maxSize: 1_000_000,
      ttl: 1_000,
      ttlAutopurge: true,
      noUpdateTTL: true,
      ...(told ? {} : { dispose: undefined, disposeAfter: undefined }),
      reclaim: { group: registry.root.child('tenant', { max: 10_000 }) },
    });
    cache.set('a', 1, { size: 10 }).set('b', 1, { size: 10 });
    cache.set('a', 2, { size: 500_000 }).set('c', 1, { size: 500_000 });
    expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([false, true, false]);
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

  test.each(['max', 'maxSize', 'perf', 'dispose', 'disposeAfter', 'onInsert', 'fetchMethod', 'memoMethod', 'size'])(
    '%s cannot be changed later',
    (name) => {
      const cache = new LRUCache<string, number>({ max: 3 });
      expect(() => Object.assign(cache, { [name]: 5 })).toThrow(TypeError);
      expect(Object.keys(cache)).not.toContain(name);
    },
  );

  test('that can be changed count from then on', () => {
    const cache = new LRUCache<string, number>({ max: 3, perf: { now: () => 5 } });
    cache.ttl = 10;
    cache.set('a', 1);
    expect(cache.getRemainingTTL('a')).toBe(10);
    let now = 6;
    const exact = new LRUCache<string, number>({ max: 3, ttl: 10, ttlResolution: 1_000, perf: { now: () => now } });
    exact.ttlResolution = 0;
    exact.set('a', 1);
    exact.get('a');
    now = 20;
    expect(exact.get('a')).toBeUndefined();
  });

  test('a status that is null is none', () => {
    const cache = new LRUCache<string, number>({ max: 3, ttl: 5, memoMethod: () => 3 });
    const none = { status: null } as never;
    cache.set('a', 1, none);
    expect([cache.get('a', none), cache.peek('a', none), cache.has('a', none), cache.memo('b', none)]).toEqual([
      1,
      1,
      true,
      3,
    ]);
  });

  test('that bound nothing are warned of, once', async () => {
    const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
    const caches = [1, 2].map(() => new LRUCache({ ttl: 1_000 } as LRUCache.OptionsTTLLimit<string, number, unknown>));
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
    const status: LRUCache.Status<string, { id: number }, { user: string }> = {};
    expect(await cache.forceFetch('a', { context: { user: 'ada' }, status })).toEqual({ id: 3 });
    expect([status.fetch, status.fetchUpdated, Object.prototype.toString.call(cache)]).toEqual([
      'miss',
      true,
      '[object LRUCache]',
    ]);
  });
});

describe('loads', () => {
  interface Loaded {
    readonly cache: LRUCache<string, number>;
    readonly settle: (value: number | undefined | Error) => Promise<void>;
    readonly abort: () => void;
    readonly signal: AbortSignal;
  }

  /** Loads that are settled by hand. */
  function loading(options: Partial<LRUCache.OptionsMaxLimit<string, number, unknown>>): Loaded {
    let settle!: (value: number | undefined | Error) => void;
    const cache = new LRUCache<string, number>({
      max: 10,
      perf: { now: () => 1 },
      fetchMethod: () =>
        new Promise((resolve, reject) => {
          settle = (value) => (value instanceof Error ? reject(value) : resolve(value));
        }),
      ...options,
    });
    const controller = new AbortController();
    return {
      cache,
      settle: async (value) => {
        settle(value);
        await turns();
      },
      abort: () => controller.abort(new Error('given up')),
      signal: controller.signal,
    };
  }

  async function turns(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) {
      await Promise.resolve();
    }
  }

  const goesOn = { ignoreFetchAbort: true, allowStaleOnFetchAbort: true };

  test('one that goes on without its caller is stored when it comes', async () => {
    const { cache, settle, abort, signal } = loading(goesOn);
    const value = cache.fetch('a', { signal });
    abort();
    expect([await value, cache.get('a'), cache.size]).toEqual([undefined, undefined, 1]);
    await settle(5);
    expect(cache.get('a')).toBe(5);
    cache.checkInvariants();
  });

  test.each([
    ['nothing', undefined],
    ['a failure', new Error('no')],
  ])('one that goes on without its caller and brings %s leaves no entry', async (_, brought) => {
    const { cache, settle, abort, signal } = loading(goesOn);
    const value = cache.fetch('a', { signal });
    abort();
    expect(await value).toBeUndefined();
    await settle(brought);
    expect(cache.size).toBe(0);
    cache.checkInvariants();
  });

  test('one that goes on without its caller and fails leaves what was there, to be loaded again', async () => {
    const { cache, settle, abort, signal } = loading(goesOn);
    cache.set('a', 1);
    const value = cache.fetch('a', { signal, forceRefresh: true });
    abort();
    expect(await value).toBe(1);
    await settle(new Error('no'));
    const status: LRUCache.Status<string, number> = {};
    const again = cache.fetch('a', { forceRefresh: true, status });
    await settle(2);
    expect([await again, status.fetch]).toEqual([2, 'refresh']);
  });

  test('one that its caller ends, and does not go on, leaves no entry', async () => {
    const { cache, abort, signal } = loading({ allowStaleOnFetchAbort: true });
    const value = cache.fetch('a', { signal });
    abort();
    expect([await value, cache.size]).toEqual([undefined, 0]);
  });

  test('one that brings what was there says that it is an update, of which value', async () => {
    const { cache, settle } = loading({});
    cache.set('a', 1);
    const status: LRUCache.Status<string, number> = {};
    const value = cache.fetch('a', { forceRefresh: true, status });
    await settle(1);
    expect([await value, status.set, status.oldValue]).toEqual([1, 'update', 1]);
  });

  test('one that is evicted by pop is told so', async () => {
    const { cache } = loading({});
    const value = cache.fetch('a');
    cache.pop();
    await expect(value).rejects.toThrow('evicted');
  });

  test.each([
    ['set', { found: true, told: false }],
    ['set', { found: true, told: true }],
    ['set', { found: false, told: true }],
    ['delete', { found: true, told: true }],
  ] as const)(
    'one whose method does a %s of its key is stored all the same, with %j',
    async (does, { found, told }) => {
      const cache: LRUCache<string, number> = new LRUCache<string, number>({
        max: 3,
        ...(told ? { dispose: () => {} } : {}),
        fetchMethod: (key) => {
          if (does === 'set') {
            cache.set(key, 2);
          } else {
            cache.delete(key);
          }
          return Promise.resolve(3);
        },
      });
      if (found) {
        cache.set('a', 1);
      }
      const value = cache.fetch('a', { forceRefresh: true });
      expect(cache.get('a')).toBe(does === 'set' ? 2 : undefined);
      expect([await value, cache.get('a'), cache.size]).toEqual([3, 3, 1]);
      cache.checkInvariants();
    },
  );

  test('a signal that outlives its loads is not held on to', async () => {
    const { cache, settle, abort, signal } = loading({});
    for (const brought of [1, undefined, new Error('no')]) {
      const value = cache.fetch('a', { signal, forceRefresh: true }).catch(String);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      await settle(brought);
      await value;
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    }
    const given = cache.fetch('a', { signal, forceRefresh: true });
    abort();
    await expect(given).rejects.toThrow('given up');
  });

  test('a method that answers at once with nothing is not waited for', async () => {
    const cache = new LRUCache<string, number>({ max: 3, fetchMethod: () => undefined });
    expect([await cache.fetch('a'), cache.size]).toEqual([undefined, 0]);
  });

  test('a method that throws at once rejects', async () => {
    const cache = new LRUCache<string, number>({
      max: 3,
      fetchMethod: () => {
        throw new Error('no');
      },
    });
    await expect(cache.fetch('a')).rejects.toThrow('no');
    expect(cache.size).toBe(0);
  });

  test('an option that is undefined is as if it were absent', async () => {
    const { cache, settle } = loading({ allowStale: true, updateAgeOnGet: true });
    cache.set('a', 1);
    const value = cache.fetch('a', { forceRefresh: true, allowStale: undefined, ttl: undefined, size: undefined });
    expect(await value).toBe(1);
    await settle(2);
    expect(cache.get('a', { allowStale: undefined })).toBe(2);
  });

  describe('count while they are under way as backgroundFetchSize', () => {
    const sized = { maxSize: 20, sizeCalculation: () => 5 };

    test.each([-1, 1.5, Number.NaN, Infinity, '2', Symbol('2'), {}])('%s is refused', (backgroundFetchSize) => {
      expect(() => new LRUCache({ max: 1, backgroundFetchSize: backgroundFetchSize as number })).toThrow(
        new TypeError('backgroundFetchSize must be a nonnegative integer'),
      );
    });

    test('0 is fine', async () => {
      const { cache, settle } = loading({ ...sized, backgroundFetchSize: 0 });
      const value = cache.fetch('a');
      expect([cache.size, cache.calculatedSize]).toEqual([1, 0]);
      await settle(1);
      expect([await value, cache.calculatedSize]).toEqual([1, 5]);
    });

    test('one that is set later is checked before the load begins', async () => {
      const { cache } = loading(sized);
      cache.backgroundFetchSize = -1;
      await expect(cache.fetch('a')).rejects.toThrow(TypeError);
      expect(cache.size).toBe(0);
    });

    test('one that the method sets counts for the next load', async () => {
      const cache: LRUCache<string, number> = new LRUCache<string, number>({
        ...sized,
        backgroundFetchSize: 2,
        fetchMethod: () => {
          cache.backgroundFetchSize = 4;
          return new Promise<number>(() => {});
        },
      });
      void cache.fetch('a');
      expect(cache.calculatedSize).toBe(2);
      void cache.fetch('b');
      expect(cache.calculatedSize).toBe(6);
    });
  });
});

describe('sets', () => {
  test('a size calculation may change the cache', () => {
    const cache: LRUCache<string, number> = new LRUCache<string, number>({
      maxSize: 10,
      sizeCalculation: () => {
        cache.delete('a');
        return 1;
      },
    });
    cache.set('a', 1, { size: 4 });
    const status: LRUCache.Status<string, number> = {};
    cache.set('a', 2, { status });
    expect([cache.get('a'), status.set, cache.calculatedSize]).toEqual([2, 'add', 1]);
    cache.checkInvariants();
  });

  test.each([false, true])('of another value take its size, told of: %s', (told) => {
    const cache = new LRUCache<string, number>({ maxSize: 10, ...(told ? { dispose: () => {} } : {}) });
    cache.set('a', 1, { size: 4 }).set('b', 1, { size: 4 }).set('a', 2, { size: 5 });
    expect([[...cache], cache.calculatedSize, cache.info('a')]).toEqual([
      [
        ['a', 2],
        ['b', 1],
      ],
      9,
      { value: 2, size: 5 },
    ]);
    cache.set('a', 3, { size: 8 });
    expect([[...cache], cache.calculatedSize]).toEqual([[['a', 3]], 8]);
    cache.checkInvariants();
  });

  test('a class that extends it may use any name', () => {
    class Files extends LRUCache<string, number> {
      inner = 'x';
      order = 'y';
      ages = 1;
      store = (): string => this.inner;
      remove = (): string => this.order;
    }
    const files = new Files({ max: 1 });
    files.set('a', 1).set('b', 2);
    expect([[...files], files.store(), files.remove(), files.ages]).toEqual([[['b', 2]], 'x', 'y', 1]);
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

  test('one timer for an entry, and none for what has left', () => {
    const cache = new LRUCache<string, number>({ max: 2, ttl: 100, ttlAutopurge: true, ttlResolution: 0, perf: Date });
    for (let at = 0; at < 10; at++) {
      cache.set('a', at);
    }
    expect(vi.getTimerCount()).toBe(1);
    cache.set('b', 1).set('c', 1);
    expect(vi.getTimerCount()).toBe(2);
    cache.set('c', 1, { ttl: 0 });
    expect(vi.getTimerCount()).toBe(1);
    cache.clear();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([false, true])('without a new age, a set leaves the timer as it is, told of: %s', (told) => {
    const cache = new LRUCache<string, number>({
      ttl: 100,
      ttlAutopurge: true,
      ttlResolution: 0,
      noUpdateTTL: true,
      perf: Date,
      ...(told ? { dispose: () => {} } : {}),
    });
    cache.set('a', 1);
    vi.advanceTimersByTime(60);
    cache.set('a', 2);
    expect([cache.getRemainingTTL('a'), vi.getTimerCount()]).toEqual([40, 1]);
    vi.advanceTimersByTime(41);
    expect(cache.size).toBe(0);
  });

  test('what is removed by who is told that it has come has no timer', () => {
    const cache: LRUCache<string, number> = new LRUCache<string, number>({
      ttl: 100,
      ttlAutopurge: true,
      ttlResolution: 0,
      perf: Date,
      onInsert: (_, key) => cache.delete(key),
    });
    cache.set('a', 1);
    expect([cache.size, vi.getTimerCount()]).toEqual([0, 0]);
    cache.checkInvariants();
  });

  test('an age beyond the longest timer is waited for in parts', () => {
    const cache = new LRUCache<string, number>({ ttl: 3e9, ttlAutopurge: true, ttlResolution: 0, perf: Date });
    cache.set('a', 1);
    vi.advanceTimersByTime(2 ** 31);
    expect([cache.size, vi.getTimerCount()]).toEqual([1, 1]);
    vi.advanceTimersByTime(1e9);
    expect(cache.size).toBe(0);
  });

  test('a dump has no ages where there never were any', () => {
    const cache = new LRUCache<string, number>({ max: 3, fetchMethod: () => 1, perf: Date });
    cache.set('a', 1);
    expect(cache.dump()).toEqual([['a', { value: 1 }]]);
    cache.set('b', 1, { ttl: 5 });
    expect(cache.dump()).toEqual([
      ['a', { value: 1, ttl: 0, start: 0 }],
      ['b', { value: 1, ttl: 5, start: 1_000 }],
    ]);
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

  test.each([false, true])('a key that gets another value is still visited, told of: %s', (told) => {
    const cache = new LRUCache<string, number>({ max: 10, ...(told ? { dispose: () => {} } : {}) });
    cache.set('a', 1).set('b', 2).set('c', 3);
    const seen: [string, number][] = [];
    for (const entry of cache.rentries()) {
      seen.push(entry);
      cache.set('c', 4);
    }
    expect(seen).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 4],
    ]);
  });
});
