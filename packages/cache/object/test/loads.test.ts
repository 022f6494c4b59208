import { describe, expect, test } from 'vitest';
import type { Load, LoadContext, ObjectGuard } from '../src/index.js';
import { deferred, makeCache, type Deferred } from './support/make-cache.js';
import { microtasks } from './support/test-loop.js';

/** A load whose ends are in the hands of the test. */
function byHand<V>(): {
  readonly load: Load<string, V>;
  readonly calls: (Deferred<V> & { readonly key: string; readonly context: LoadContext<V> })[];
} {
  const calls: (Deferred<V> & { readonly key: string; readonly context: LoadContext<V> })[] = [];
  const load: Load<string, V> = (key, context) => {
    const call = { ...deferred<V>(), key, context };
    calls.push(call);
    return call.promise;
  };
  return { load, calls };
}

/** As {@link byHand}, but rejecting on abort, as a good load does. */
function obedient<V>(): ReturnType<typeof byHand<V>> {
  const { load, calls } = byHand<V>();
  return {
    calls,
    load: (key, context) => {
      const made = load(key, context);
      context.signal.addEventListener('abort', () => calls.at(-1)?.reject(context.signal.reason));
      return made;
    },
  };
}

const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;

describe('fetch', () => {
  test('loads, stores, and answers from the cache', async () => {
    const { load, calls } = byHand<string>();
    const { cache } = makeCache<string, string>({ load });
    const first = cache.fetch('a');
    expect(calls[0]).toMatchObject({ key: 'a', context: { stale: undefined, recycled: undefined } });
    calls[0]?.resolve('A');
    expect(await first).toBe('A');
    expect([cache.get('a'), await cache.fetch('a')]).toEqual(['A', 'A']);
    expect(cache.stats()).toMatchObject({ loads: 1, hits: 2, misses: 1, coalesced: 0, loadErrors: 0 });
  });

  test('shares one load among all callers of a key', async () => {
    const { load, calls } = byHand<string>();
    const { cache } = makeCache<string, string>({ load });
    const callers = [cache.fetch('a'), cache.fetch('a'), cache.use('a', (v) => v), cache.acquireOrLoad('a')] as const;
    const other = cache.fetch('b');
    expect(calls.map(({ key }) => key)).toEqual(['a', 'b']);
    calls[0]?.resolve('A');
    calls[1]?.resolve('B');
    const [one, two, three, guard] = await Promise.all(callers);
    expect([one, two, three, guard.value, await other]).toEqual(['A', 'A', 'A', 'A', 'B']);
    expect(cache.stats()).toMatchObject({ loads: 2, coalesced: 3, held: 1 });
    guard.release();
    cache.checkInvariants();
  });

  test('takes a load that is synchronous', async () => {
    const { cache, errors } = makeCache<string, string>({ load: (key) => key.toUpperCase() });
    expect(await cache.fetch('a')).toBe('A');
    expect(await cache.use('b', (value) => value)).toBe('B');
    const guard = await cache.acquireOrLoad('c');
    expect([guard.value, cache.stats().held]).toEqual(['C', 1]);
    guard.release();
    expect([errors, cache.stats().held, cache.size]).toEqual([[], 0, 3]);
    cache.checkInvariants();
  });

  test('rejects with what the load throws, at once or later, and caches no error', async () => {
    for (const load of [
      () => {
        throw new Error('thrown');
      },
      () => Promise.reject(new Error('thrown')),
    ] as Load<string, string>[]) {
      const { cache, errors } = makeCache<string, string>({ load });
      await expect(cache.fetch('a')).rejects.toThrow('thrown');
      await expect(cache.use('a', () => 'ran')).rejects.toThrow('thrown');
      await expect(cache.acquireOrLoad('a')).rejects.toThrow('thrown');
      expect(cache.stats()).toMatchObject({ loads: 3, loadErrors: 3, held: 0, size: 0 });
      expect(await cache.fetch('a', { load: () => 'A' })).toBe('A');
      // Whoever called was told; nobody else is.
      await microtasks();
      expect(errors).toEqual([]);
      cache.checkInvariants();
    }
  });

  test('takes a thenable, even one that settles twice or throws', async () => {
    const twice = {
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
      then(resolve: (value: string) => void, reject: (error: unknown) => void): void {
        resolve('first');
        resolve('second');
        reject('third');
      },
    };
    const { cache } = makeCache<string, string>({ load: () => twice as PromiseLike<string> });
    expect(await cache.fetch('a')).toBe('first');
    const throws = {
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
      then(): never {
        throw new Error('thenable');
      },
    };
    await expect(cache.fetch('b', { load: () => throws as PromiseLike<string> })).rejects.toThrow('thenable');
    cache.checkInvariants();
  });

  test('says that there is nothing to load with', async () => {
    const { cache } = makeCache<string, string>();
    await expect(cache.fetch('a')).rejects.toThrow(code('ERR_OBJECT_CACHE_NO_LOAD'));
    await expect(cache.acquireOrLoad('a')).rejects.toThrow(code('ERR_OBJECT_CACHE_NO_LOAD'));
    cache.set('a', 'A');
    expect(await cache.fetch('a')).toBe('A');
    (await cache.acquireOrLoad('a')).release();
  });

  test('checks its options before it loads', async () => {
    const { load, calls } = byHand<string>();
    const { cache } = makeCache<string, string>({ load });
    await expect(cache.fetch('a', { ttlMs: 0 })).rejects.toThrow(RangeError);
    await expect(cache.fetch('a', { size: -1 })).rejects.toThrow(RangeError);
    expect(calls).toHaveLength(0);
  });

  test('stores with the size and time to live that the first caller gives', async () => {
    const { cache, loop } = makeCache<string, string>({ maxBytes: 10, load: () => 'x' });
    await cache.fetch('a', { size: 4, ttlMs: 5 });
    expect([cache.bytes, cache.remainingTtlMs('a')]).toEqual([4, 5]);
    loop.timeMs = 5;
    expect(cache.has('a')).toBe(false);
    await expect(cache.fetch('b')).rejects.toThrow(TypeError);
    expect(cache.stats().loadErrors).toBe(1);
  });

  test('forceRefresh loads even so, and gives the load what is there', async () => {
    const { load, calls } = byHand<string>();
    const { cache, loop, ended } = makeCache<string, string>({ load });
    cache.set('a', 'old');
    const fetching = cache.fetch('a', { forceRefresh: true });
    expect([calls[0]?.context.stale, cache.get('a')]).toEqual(['old', 'old']);
    calls[0]?.resolve('new');
    expect([await fetching, cache.get('a')]).toEqual(['new', 'new']);
    loop.runSync();
    expect(ended).toEqual([['a', 'old', 'set']]);
  });

  test('a forced refresh that fails leaves what is there', async () => {
    const { cache } = makeCache<string, string>({ load: () => Promise.reject(new Error('down')) });
    cache.set('a', 'old');
    await expect(cache.fetch('a', { forceRefresh: true })).rejects.toThrow('down');
    expect(cache.get('a')).toBe('old');
    expect(cache.stats().held).toBe(0);
    cache.checkInvariants();
  });

  test('a value too large to be stored is for its callers only', async () => {
    const { cache, loop, ended } = makeCache<string, string>({
      maxBytes: 1,
      sizeOf: (v) => v.length,
      load: () => 'xx',
    });
    cache.set('a', 'x');
    expect(await cache.fetch('a', { forceRefresh: true })).toBe('xx');
    expect(cache.has('a')).toBe(false);
    const guard = await cache.acquireOrLoad('b');
    await loop.runAll();
    expect(guard.value).toBe('xx');
    expect(ended.map(([key]) => key).toSorted()).toEqual(['a', 'a']);
    expect(cache.stats()).toMatchObject({ held: 1, retired: 1, retiredBytes: 2, rejected: 2 });
    guard.release();
    await loop.runAll();
    expect(ended).toHaveLength(3);
    cache.checkInvariants();
  });

  test('a load may use the cache, and even ask for its own key', async () => {
    const { cache } = makeCache<string, string>({
      load: async (key): Promise<string> => {
        if (key === 'a') {
          // Not awaited: that would be waiting for itself.
          void cache.fetch('a');
          return `a${await cache.fetch('b')}`;
        }
        return cache.getOrCreate('c', () => 'c');
      },
    });
    expect(await cache.fetch('a')).toBe('ac');
    expect([...cache.keys()].toSorted()).toEqual(['a', 'b', 'c']);
    expect(cache.stats()).toMatchObject({ loads: 2, coalesced: 1 });
  });

  test('a load that stores its value itself does not have it disposed of', async () => {
    for (const wait of [true, false]) {
      const { cache, loop, ended } = makeCache<string, object>();
      const value = {};
      const load = (key: string): object | Promise<object> => {
        if (wait) {
          return Promise.resolve().then(() => {
            cache.set(key, value);
            return value;
          });
        }
        cache.set(key, value);
        return value;
      };
      const guard = await cache.acquireOrLoad('a', { load });
      expect([cache.get('a'), guard.value]).toEqual([value, value]);
      await loop.runAll();
      expect(ended).toEqual([]);
      cache.checkInvariants();
      guard.release();
      cache.checkInvariants();
      cache.delete('a');
      await loop.runAll();
      expect(ended).toEqual([['a', value, 'delete']]);
    }
  });
});

describe('a load that fills the cache with more than its own value', () => {
  test('has none of them disposed of twice, and gives its callers one to hold', async () => {
    const { cache, loop, ended } = makeCache<string, { key: string }>({
      max: 2,
      load: async (key) => {
        await Promise.resolve();
        const batch = ['a', 'b', 'c', 'd'].map((each) => ({ key: each }));
        for (const value of batch) {
          cache.set(value.key, value);
        }
        return batch.find((value) => value.key === key) as { key: string };
      },
    });
    // By the time it returns, its own value has been evicted.
    const guard = await cache.acquireOrLoad('a');
    expect([guard.value.key, cache.has('a'), cache.stats().held]).toEqual(['a', false, 1]);
    cache.checkInvariants();
    await loop.runAll();
    expect(ended.map(([key]) => key)).toEqual(['b']);
    guard.release();
    await loop.runAll();
    expect((await cache.fetch('b')).key).toBe('b');
    await loop.runAll();
    const closing = cache.close();
    await loop.runAll();
    await closing;
    expect(ended).toHaveLength(8);
    expect(new Set(ended.map(([, value]) => value)).size).toBe(8);
    cache.checkInvariants();
  });

  test('is safe when somebody else holds its value by then', async () => {
    const { cache, loop, ended } = makeCache<string, object>();
    const value = {};
    const loaded = cache.acquireOrLoad('a', {
      load: async () => {
        cache.set('a', value);
        await Promise.resolve();
        return value;
      },
    });
    const other = cache.acquire('a');
    cache.delete('a');
    const guard = await loaded;
    other?.release();
    await loop.runAll();
    expect([guard.value, ended, cache.stats().held]).toEqual([value, [], 1]);
    guard.release();
    await loop.runAll();
    expect(ended).toEqual([['a', value, 'delete']]);
    cache.checkInvariants();
  });

  test('is safe when its value was too large', async () => {
    const { cache, loop, ended } = makeCache<string, object>({ maxBytes: 1, sizeOf: () => 2 });
    const value = {};
    const guard = await cache.acquireOrLoad('a', {
      load: (key) => {
        cache.set(key, value);
        return value;
      },
    });
    await loop.runAll();
    expect(ended).toEqual([]);
    guard.release();
    await loop.runAll();
    expect(ended).toEqual([['a', value, 'reject']]);
    cache.checkInvariants();
  });
});

describe('abort', () => {
  test('a signal that is aborted already loads nothing', async () => {
    const { load, calls } = byHand<string>();
    const { cache } = makeCache<string, string>({ load });
    cache.set('b', 'B');
    const signal = AbortSignal.abort('no');
    await expect(cache.fetch('a', { signal })).rejects.toBe('no');
    await expect(cache.acquireOrLoad('a', { signal })).rejects.toBe('no');
    await expect(cache.fetch('b', { signal })).rejects.toBe('no');
    expect(calls).toHaveLength(0);
    expect(cache.stats()).toMatchObject({ hits: 0, misses: 0, held: 0 });
  });

  test('of one of two callers leaves the load to the other', async () => {
    const { load, calls } = byHand<string>();
    const { cache } = makeCache<string, string>({ load });
    const control = new AbortController();
    const first = cache.acquireOrLoad('a', { signal: control.signal });
    const second = cache.fetch('a');
    control.abort('gave up');
    await expect(first).rejects.toBe('gave up');
    expect(calls[0]?.context.signal.aborted).toBe(false);
    calls[0]?.resolve('A');
    expect([await second, cache.get('a'), cache.stats().held]).toEqual(['A', 'A', 0]);
    cache.checkInvariants();
  });

  test('of all callers aborts the load, whose value is disposed of', async () => {
    const { load, calls } = byHand<string>();
    const { cache, loop, ended, errors } = makeCache<string, string>({ load });
    const controls = [new AbortController(), new AbortController()];
    const callers = [
      cache.fetch('a', { signal: controls[0]!.signal }),
      cache.acquireOrLoad('a', { signal: controls[1]!.signal }),
    ];
    controls[0]!.abort('one');
    controls[1]!.abort('two');
    await expect(callers[0]).rejects.toBe('one');
    await expect(callers[1]).rejects.toBe('two');
    const { signal } = calls[0]!.context;
    expect([signal.aborted, signal.reason]).toEqual([true, 'two']);
    // A new caller has a new load, though the old one ignores its signal.
    const third = cache.fetch('a');
    expect(calls).toHaveLength(2);
    calls[0]?.resolve('late');
    await loop.runAll();
    expect([cache.has('a'), ended]).toEqual([false, [['a', 'late', 'reject']]]);
    calls[1]?.resolve('A');
    expect(await third).toBe('A');
    expect([cache.get('a'), errors]).toEqual(['A', []]);
    expect(cache.stats()).toMatchObject({ held: 0, retired: 0, loadErrors: 0 });
    cache.checkInvariants();
  });

  test('of a load that obeys is no error of the load', async () => {
    const { load } = obedient<string>();
    const { cache, errors } = makeCache<string, string>({ load });
    const control = new AbortController();
    const fetching = cache.fetch('a', { signal: control.signal });
    control.abort();
    await expect(fetching).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }) as Error);
    await microtasks();
    expect([errors, cache.stats().loadErrors]).toEqual([[], 0]);
  });

  test('by the load itself, before it returns', async () => {
    const control = new AbortController();
    const { cache, loop, ended } = makeCache<string, string>({
      load: () => {
        control.abort('from inside');
        return Promise.resolve('A');
      },
    });
    await expect(cache.acquireOrLoad('a', { signal: control.signal })).rejects.toBe('from inside');
    await loop.runAll();
    expect([cache.stats().held, cache.size, ended]).toEqual([0, 0, [['a', 'A', 'reject']]]);
  });

  test('after the value has landed is too late', async () => {
    const { load, calls } = byHand<string>();
    const { cache } = makeCache<string, string>({ load });
    const control = new AbortController();
    const fetching = cache.acquireOrLoad('a', { signal: control.signal });
    calls[0]?.resolve('A');
    // The load has landed, and the caller has not been resumed.
    await Promise.resolve();
    expect(cache.has('a')).toBe(true);
    control.abort('late');
    const guard = await fetching;
    expect([guard.value, cache.stats().held]).toEqual(['A', 1]);
    guard.release();
    expect(cache.stats().held).toBe(0);
  });

  test('has one listener on a signal that many share, and leaves none', async () => {
    const { load, calls } = byHand<string>();
    const { cache } = makeCache<string, string>({ load });
    const control = new AbortController();
    const { signal } = control;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    const fetches = Array.from({ length: 50 }, (_, index) => cache.fetch(`k${index}`, { signal }));
    expect(listeners).toBe(1);
    for (const call of calls) {
      call.resolve(call.key);
    }
    await Promise.all(fetches);
    await microtasks();
    expect(listeners).toBe(0);
    const more = Array.from({ length: 50 }, (_, index) => cache.fetch(`m${index}`, { signal }));
    control.abort('all of them');
    const ends = await Promise.allSettled(more);
    expect(ends.every((end) => end.status === 'rejected' && end.reason === 'all of them')).toBe(true);
    expect(calls.slice(50).every(({ context }) => context.signal.aborted)).toBe(true);
    cache.checkInvariants();
  });
});

describe('a load that is superseded', () => {
  const WAYS = {
    set: (cache: ReturnType<typeof makeCache<string, string>>['cache']) => void cache.set('a', 'set'),
    delete: (cache: ReturnType<typeof makeCache<string, string>>['cache']) => void cache.delete('a'),
    clear: (cache: ReturnType<typeof makeCache<string, string>>['cache']) => cache.clear(),
  };

  test.each(Object.keys(WAYS))('by %s gives its callers what it brings, and is not stored', async (way) => {
    const { load, calls } = byHand<string>();
    const { cache, loop, ended } = makeCache<string, string>({ load });
    const fetching = cache.fetch('a');
    const acquiring = cache.acquireOrLoad('a');
    WAYS[way as keyof typeof WAYS](cache);
    const stored = cache.peek('a');
    if (way !== 'set') {
      // The key has a load of its own again.
      const again = cache.fetch('a');
      expect(calls).toHaveLength(2);
      calls[1]?.resolve('newer');
      expect(await again).toBe('newer');
    }
    calls[0]?.resolve('old');
    expect(await fetching).toBe('old');
    const guard = await acquiring;
    expect([guard.value, cache.peek('a')]).toEqual(['old', stored ?? 'newer']);
    await loop.runAll();
    expect(ended.filter(([, value]) => value === 'old')).toEqual([]);
    guard.release();
    await loop.runAll();
    expect(ended).toEqual([['a', 'old', 'reject']]);
    expect(cache.stats()).toMatchObject({ held: 0, retired: 0 });
    cache.checkInvariants();
  });

  test('and fails is still an error for its callers', async () => {
    const { load, calls } = byHand<string>();
    const { cache, errors } = makeCache<string, string>({ load });
    const fetching = cache.fetch('a');
    cache.set('a', 'set');
    calls[0]?.reject(new Error('down'));
    await expect(fetching).rejects.toThrow('down');
    expect([cache.get('a'), errors]).toEqual(['set', []]);
  });
});

describe('stale while it revalidates', () => {
  function stale() {
    const hand = byHand<string>();
    const made = makeCache<string, string>({ load: hand.load, ttlMs: 10, staleWhileRevalidateMs: 5 });
    made.cache.set('a', 'old');
    made.loop.timeMs = 10;
    return { ...made, ...hand };
  }

  test('answers with the old value, while one load brings the new one', async () => {
    const { cache, calls, loop, ended } = stale();
    expect([cache.get('a'), cache.has('a'), cache.acquire('a')]).toEqual([undefined, false, undefined]);
    expect([...cache]).toEqual([]);
    expect(await cache.fetch('a')).toBe('old');
    expect(cache.use('a', (value) => value)).toBe('old');
    const guard = await cache.acquireOrLoad('a');
    expect([guard.value, calls.length, calls[0]?.context.stale]).toEqual(['old', 1, 'old']);
    calls[0]?.resolve('new');
    await loop.runAll();
    expect([cache.get('a'), ended]).toEqual(['new', []]);
    guard.release();
    await loop.runAll();
    expect(ended).toEqual([['a', 'old', 'set']]);
    cache.checkInvariants();
  });

  test('answers no longer than for its time', async () => {
    const { cache, calls, loop } = stale();
    loop.timeMs = 15;
    const fetching = cache.fetch('a');
    expect(cache.size).toBe(0);
    calls[0]?.resolve('new');
    expect(await fetching).toBe('new');
    expect(calls[0]?.context.stale).toBeUndefined();
  });

  test('errors go to onError, whether the load throws at once or later', async () => {
    const { cache, calls, errors } = stale();
    expect(await cache.fetch('a')).toBe('old');
    calls[0]?.reject(new Error('later'));
    await microtasks();
    const thrower = (): never => {
      throw new Error('at once');
    };
    expect(await cache.fetch('a', { load: thrower })).toBe('old');
    expect(errors.map((error) => (error as Error).message)).toEqual(['later', 'at once']);
    expect(cache.stats()).toMatchObject({ loadErrors: 2, held: 0 });
    cache.checkInvariants();
  });

  test('answers with its own value, whatever the load does to the cache', async () => {
    const { cache } = makeCache<string, string>({
      max: 2,
      ttlMs: 10,
      staleWhileRevalidateMs: 5,
      load: (key) => {
        cache.clear();
        cache.set('x', 'X').set('y', 'Y');
        return `${key}'`;
      },
    });
    // A load that is synchronous would otherwise leave the slot to another key.
    const { loop } = { loop: (cache as any).options.clock as { timeMs: number } };
    cache.set('a', 'A').set('b', 'B');
    loop.timeMs = 10;
    expect(await cache.fetch('a')).toBe('A');
    cache.set('b', 'B').set('c', 'C');
    loop.timeMs = 20;
    expect(cache.use('b', (value) => value)).toBe('B');
    cache.checkInvariants();
    expect(cache.stats().held).toBe(0);
  });

  test('goes on when a caller that joined gives up', async () => {
    const { cache, calls } = stale();
    await cache.fetch('a');
    const control = new AbortController();
    const joined = cache.fetch('a', { forceRefresh: true, signal: control.signal });
    control.abort('enough');
    await expect(joined).rejects.toBe('enough');
    expect(calls[0]?.context.signal.aborted).toBe(false);
    calls[0]?.resolve('new');
    await microtasks();
    expect(cache.get('a')).toBe('new');
  });

  test('a caller that joined hears of the error, and onError does not', async () => {
    const { cache, calls, errors } = stale();
    await cache.fetch('a');
    const joined = cache.fetch('a', { forceRefresh: true });
    calls[0]?.reject(new Error('down'));
    await expect(joined).rejects.toThrow('down');
    expect(errors).toEqual([]);
  });
});

describe('a load that returns the stale value', () => {
  test('makes it fresh again, and nothing is disposed of', async () => {
    const { load, calls } = byHand<object>();
    const { cache, loop, ended } = makeCache<string, object>({ load, ttlMs: 10, staleWhileRevalidateMs: 5 });
    const value = {};
    cache.set('a', value);
    loop.timeMs = 12;
    await cache.fetch('a');
    calls[0]?.resolve(calls[0].context.stale as object);
    await loop.runAll();
    expect([cache.get('a'), cache.remainingTtlMs('a'), ended]).toEqual([value, 10, []]);
    cache.checkInvariants();
  });

  test('finds it undisposed, though it has left the cache meanwhile, and puts it back', async () => {
    const { load, calls } = byHand<object>();
    const { cache, loop, ended } = makeCache<string, object>({ load, ttlMs: 10, sizeOf: () => 3 });
    const value = {};
    cache.set('a', value);
    const acquiring = cache.acquireOrLoad('a', { forceRefresh: true });
    loop.timeMs = 10;
    expect(cache.get('a')).toBeUndefined();
    await loop.runAll();
    expect([cache.size, ended, cache.stats().retired, cache.stats().held]).toEqual([0, [], 1, 0]);
    calls[0]?.resolve(value);
    const guard = await acquiring;
    expect([cache.get('a'), guard.value]).toEqual([value, value]);
    expect(cache.stats()).toMatchObject({ retired: 0, retiredBytes: 0, held: 1, bytes: 3 });
    cache.checkInvariants();
    guard.release();
    await loop.runAll();
    expect(ended).toEqual([]);
    cache.checkInvariants();
    cache.clear();
    await loop.runAll();
    expect(ended).toEqual([['a', value, 'delete']]);
  });

  test('but was superseded leaves it to its holders, and it goes once', async () => {
    const { load, calls } = byHand<object>();
    const { cache, loop, ended } = makeCache<string, object>({ load });
    const value = {};
    const newer = {};
    cache.set('a', value);
    const acquiring = cache.acquireOrLoad('a', { forceRefresh: true });
    cache.set('a', newer);
    await loop.runAll();
    calls[0]?.resolve(value);
    const guard = await acquiring;
    await loop.runAll();
    expect([guard.value, cache.get('a'), ended]).toEqual([value, newer, []]);
    guard.release();
    await loop.runAll();
    expect(ended).toEqual([['a', value, 'set']]);
    cache.checkInvariants();
  });

  test('which has grown too large retires it once', async () => {
    const { load, calls } = byHand<{ size: number }>();
    const { cache, loop, ended } = makeCache<string, { size: number }>({
      load,
      maxBytes: 10,
      sizeOf: ({ size }) => size,
    });
    const value = { size: 1 };
    cache.set('a', value);
    const acquiring = cache.acquireOrLoad('a', { forceRefresh: true });
    value.size = 11;
    calls[0]?.resolve(value);
    const guard = await acquiring;
    await loop.runAll();
    expect([cache.size, ended, guard.value]).toEqual([0, [], value]);
    guard.release();
    await loop.runAll();
    expect(ended).toEqual([['a', value, 'reject']]);
    cache.checkInvariants();
  });
});

describe('use on a miss', () => {
  test('holds what was loaded until the section ends', async () => {
    const { load, calls } = byHand<string>();
    const { cache, loop, ended } = makeCache<string, string>({ load, max: 1 });
    const end = deferred<void>();
    const using = cache.use('a', async (value) => {
      await end.promise;
      return value;
    });
    calls[0]?.resolve('A');
    await microtasks();
    cache.delete('a');
    await loop.runAll();
    expect([cache.stats().held, ended.length]).toEqual([1, 0]);
    end.resolve();
    expect(await using).toBe('A');
    await loop.runAll();
    expect([cache.stats().held, ended.length]).toEqual([0, 1]);
  });

  test('lets go when the section throws', async () => {
    const { cache } = makeCache<string, string>({ load: (key) => key });
    await expect(
      cache.use('a', () => {
        throw new Error('section');
      }),
    ).rejects.toThrow('section');
    expect(cache.stats().held).toBe(0);
    cache.checkInvariants();
  });
});

describe('close', () => {
  test('tells callers, aborts loads, and stores nothing that comes later', async () => {
    const { load, calls } = byHand<string>();
    const { cache, loop, ended, errors } = makeCache<string, string>({ load });
    const callers = [cache.fetch('a'), cache.acquireOrLoad('a'), cache.use('b', (value) => value)];
    // This one is superseded, and must be aborted nonetheless.
    callers.push(cache.fetch('c'));
    cache.delete('c');
    const settled = Promise.allSettled(callers);
    const closing = cache.close();
    expect(calls.map(({ context }) => context.signal.aborted)).toEqual([true, true, true]);
    for (const result of await settled) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_OBJECT_CACHE_CLOSED' } });
    }
    await loop.runAll();
    await closing;
    for (const call of calls) {
      call.resolve(`late ${call.key}`);
    }
    await loop.runAll();
    expect(ended.map(([, value]) => value).toSorted()).toEqual(['late a', 'late b', 'late c']);
    expect(cache.stats()).toMatchObject({ size: 0, held: 0, retired: 0 });
    expect(errors).toEqual([]);
    cache.checkInvariants();
  });

  test('from inside a load, before it returns', async () => {
    const { cache, loop, ended } = makeCache<string, string>({
      load: () => {
        void cache.close();
        return 'A';
      },
    });
    await expect(cache.acquireOrLoad('a')).rejects.toThrow(code('ERR_OBJECT_CACHE_CLOSED'));
    await loop.runAll();
    expect([cache.size, cache.stats().held, ended]).toEqual([0, 0, [['a', 'A', 'reject']]]);
  });

  test('from a listener of a load’s signal is the same close', async () => {
    const { load, calls } = byHand<string>();
    const { cache, loop } = makeCache<string, string>({ load });
    const fetching = cache.fetch('a');
    let inner: Promise<void> | null = null;
    let tried: unknown = null;
    calls[0]?.context.signal.addEventListener('abort', () => {
      inner = cache.close();
      try {
        cache.set('b', 'B');
      } catch (error) {
        tried = error;
      }
    });
    const outer = cache.close();
    expect(inner).toBe(outer);
    expect(tried).toMatchObject({ code: 'ERR_OBJECT_CACHE_CLOSED' });
    await expect(fetching).rejects.toThrow(code('ERR_OBJECT_CACHE_CLOSED'));
    await loop.runAll();
    await outer;
  });

  test('refuses what stores, and finds nothing', async () => {
    const { cache, loop } = makeCache<string, string>({ load: (key) => key });
    cache.set('a', 'A');
    const closing = cache.close();
    expect(() => cache.set('a', 'A')).toThrow(code('ERR_OBJECT_CACHE_CLOSED'));
    expect(() => cache.getOrCreate('a', () => 'A')).toThrow(code('ERR_OBJECT_CACHE_CLOSED'));
    await expect(cache.fetch('a')).rejects.toThrow(code('ERR_OBJECT_CACHE_CLOSED'));
    await expect(cache.use('a', (v) => v)).rejects.toThrow(code('ERR_OBJECT_CACHE_CLOSED'));
    await expect(cache.acquireOrLoad('a')).rejects.toThrow(code('ERR_OBJECT_CACHE_CLOSED'));
    expect([cache.get('a'), cache.acquire('a'), cache.delete('a'), cache.purgeStale()]).toEqual([
      undefined,
      undefined,
      false,
      0,
    ]);
    cache.clear();
    await loop.runAll();
    await closing;
    await cache[Symbol.asyncDispose]();
    expect(cache.close()).toBe(closing);
  });

  test('does not wait for what is held, which follows', async () => {
    const { cache, loop, ended } = makeCache<string, string>();
    cache.set('a', 'A').set('b', 'B');
    const guard = cache.acquire('a') as ObjectGuard<string, string>;
    const closing = cache.close();
    await loop.runAll();
    await closing;
    expect([ended, cache.stats().held, cache.stats().retired]).toEqual([[['b', 'B', 'delete']], 1, 1]);
    guard.release();
    await loop.runAll();
    expect([ended.length, cache.stats().retired]).toEqual([2, 0]);
  });
});
