import { describe, expect, test } from 'vitest';
import { ObjectCache, type ObjectCacheError } from '../src/index.js';
import { makeCache } from './support/make-cache.js';

describe('as a map', () => {
  test('stores, finds, replaces and deletes', () => {
    const { cache } = makeCache<string, number>();
    expect(cache.set('a', 1)).toBe(cache);
    cache.set('b', 2).set('a', 3);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([3, 2, undefined]);
    expect([cache.has('a'), cache.has('c')]).toEqual([true, false]);
    expect([cache.peek('b'), cache.peek('c')]).toEqual([2, undefined]);
    expect(cache.size).toBe(2);
    expect([cache.delete('a'), cache.delete('a')]).toEqual([true, false]);
    expect([...cache]).toEqual([['b', 2]]);
    cache.clear();
    expect([cache.size, [...cache.keys()]]).toEqual([0, []]);
    cache.checkInvariants();
  });

  test('counts hits and misses of get, not of peek and has', () => {
    const { cache } = makeCache<string, number>();
    cache.set('a', 1);
    cache.get('a');
    cache.get('b');
    cache.peek('a');
    cache.peek('b');
    cache.has('b');
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 });
  });

  test('takes any key of a Map', () => {
    const { cache } = makeCache<unknown, number>({ max: 100 });
    const keys: unknown[] = [
      Number.NaN,
      0,
      '0',
      '',
      null,
      undefined,
      true,
      'true',
      1n,
      1,
      -1,
      2 ** 53,
      0.1,
      Infinity,
      Symbol('s'),
      Symbol.iterator,
      Symbol.for('s'),
      {},
      {},
      [],
      () => 0,
      new WeakRef({}),
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'toString',
      'length',
      '\uD800',
    ];
    for (const [index, key] of keys.entries()) {
      cache.set(key, index);
    }
    cache.checkInvariants();
    expect(keys.map((key) => cache.get(key))).toEqual(keys.map((_, index) => index));
    expect([...cache.keys()]).toEqual(keys);
    expect(keys.every((key) => cache.delete(key))).toBe(true);
    expect(cache.size).toBe(0);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    cache.checkInvariants();
  });

  test('knows one zero, as a Map does', () => {
    const { cache, ended, loop } = makeCache<number, string>();
    cache.set(-0, 'minus');
    expect(cache.get(0)).toBe('minus');
    expect(Object.is([...cache.keys()][0], 0)).toBe(true);
    cache.checkInvariants();
    using guard = cache.acquire(0);
    expect(guard?.value).toBe('minus');
    guard?.release();
    cache.delete(0);
    loop.runSync();
    expect(ended).toHaveLength(1);
  });

  test('keeps apart keys that are equal in V8’s hash', () => {
    const { cache } = makeCache<unknown, number>({ max: 200_000 });
    // Numbers that differ in the high half alone, and strings beyond the length that V8 hashes, share hash codes.
    const long = 'x'.repeat(1 << 20);
    const keys = [
      ...Array.from({ length: 200 }, (_, index) => index * 2 ** 32),
      ...Array.from({ length: 200 }, (_, index) => index * 2 ** 32 + 0.5),
      ...Array.from({ length: 8 }, (_, index) => long + index),
    ];
    for (const [index, key] of keys.entries()) {
      cache.set(key, index);
    }
    for (const [index, key] of keys.entries()) {
      expect(cache.get(key)).toBe(index);
    }
    cache.checkInvariants();
  });

  test('takes 100,000 keys named after what objects have', () => {
    const { cache } = makeCache<string, number>();
    const names = ['__proto__', 'constructor', 'prototype', '__defineGetter__', 'valueOf'];
    for (let index = 0; index < 100_000; index++) {
      cache.set((names[index % names.length] as string) + (index < names.length ? '' : index), index);
    }
    expect(cache.size).toBe(100_000);
    expect(cache.get('__proto__')).toBe(0);
    expect(cache.get('constructor99996')).toBe(99_996);
    expect(Object.getPrototypeOf(cache)).toBe(ObjectCache.prototype);
    cache.checkInvariants();
  });

  test('takes any value, undefined included', () => {
    const { cache, ended, loop } = makeCache<string, unknown>();
    cache.set('a', undefined).set('b', null).set('c', Number.NaN);
    expect([cache.has('a'), cache.get('a'), cache.get('b')]).toEqual([true, undefined, null]);
    expect(cache.getOrCreate('a', () => 'not this')).toBeUndefined();
    expect(cache.stats()).toMatchObject({ hits: 3, misses: 0 });
    cache.clear();
    loop.runSync();
    expect(ended).toEqual([
      ['a', undefined, 'delete'],
      ['b', null, 'delete'],
      ['c', Number.NaN, 'delete'],
    ]);
  });

  test('works on in a turn of its own, without any option', async () => {
    await using cache = new ObjectCache<string, { n: number }>();
    cache.set('a', { n: 1 });
    expect(cache.get('a')).toEqual({ n: 1 });
    expect([cache.name, cache.max, cache.maxBytes, cache.bytes]).toEqual(['object', Infinity, Infinity, 0]);
  });
});

describe('iteration', () => {
  test('is in the order in which keys came, whatever is used or updated', () => {
    const { cache } = makeCache<string, number>();
    cache.set('a', 1).set('b', 2).set('c', 3);
    cache.get('a');
    cache.set('b', 20);
    expect([...cache.keys()]).toEqual(['a', 'b', 'c']);
    expect([...cache.values()]).toEqual([1, 20, 3]);
    expect([...cache.entries()]).toEqual([
      ['a', 1],
      ['b', 20],
      ['c', 3],
    ]);
    const seen: unknown[] = [];
    cache.forEach((value, key, of) => seen.push([value, key, of === cache]));
    expect(seen[1]).toEqual([20, 'b', true]);
  });

  test('is live: what is deleted before it is reached is not visited, what is added is', () => {
    const { cache } = makeCache<string, number>();
    cache.set('a', 1).set('b', 2).set('c', 3);
    const seen: string[] = [];
    for (const key of cache.keys()) {
      seen.push(key);
      if (seen.length === 1) {
        cache.delete('b');
        cache.set('d', 4);
        cache.delete('a');
        cache.set('a', 5);
      }
    }
    expect(seen).toEqual(['a', 'c', 'd', 'a']);
  });

  test('is right when slots are used again meanwhile', () => {
    const { cache } = makeCache<number, string>({ max: 4 });
    for (let key = 0; key < 4; key++) {
      cache.set(key, `v${key}`);
    }
    const seen: [number, string][] = [];
    for (const [key, value] of cache) {
      seen.push([key, value]);
      if (key < 4) {
        // Evicts the oldest.
        cache.set(key + 4, `v${key + 4}`);
      }
    }
    expect(seen.every(([key, value]) => value === `v${key}`)).toBe(true);
    expect(seen.map(([key]) => key)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('ends with a clear, and marks nothing', () => {
    const { cache } = makeCache<string, number>({ max: 2 });
    cache.set('a', 1).set('b', 2);
    expect([...cache]).toHaveLength(2);
    cache.set('c', 3);
    expect([...cache.keys()]).toEqual(['b', 'c']);
    const iterator = cache.keys();
    iterator.next();
    cache.clear();
    expect(iterator.next().done).toBe(true);
  });
});

describe('getOrCreate', () => {
  test('creates once', () => {
    const { cache } = makeCache<string, { key: string }>();
    const made = cache.getOrCreate('a', (key) => ({ key }));
    expect(cache.getOrCreate('a', () => ({ key: 'other' }))).toBe(made);
    expect(made).toEqual({ key: 'a' });
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 1 });
  });

  test('stores nothing when create throws', () => {
    const { cache } = makeCache<string, number>();
    expect(() =>
      cache.getOrCreate('a', () => {
        throw new Error('no luck');
      }),
    ).toThrow('no luck');
    expect(cache.has('a')).toBe(false);
  });

  test('says that there is nothing to create with', () => {
    const { cache } = makeCache<string, number>();
    expect(() => cache.getOrCreate('a')).toThrow(
      expect.objectContaining({ code: 'ERR_OBJECT_CACHE_NO_LOAD' }) as ObjectCacheError,
    );
  });

  test('takes the load of the cache, if it answers at once', () => {
    const { cache } = makeCache<string, string>({ load: (key) => `loaded ${key}` });
    expect(cache.getOrCreate('a')).toBe('loaded a');
    expect([cache.get('a'), cache.stats().loads]).toEqual(['loaded a', 1]);
    expect(cache.getOrCreate('b', () => 'created')).toBe('created');
    const { cache: failing } = makeCache<string, string>({
      load() {
        throw new Error('no luck');
      },
    });
    expect(() => failing.getOrCreate('a')).toThrow('no luck');
    expect(failing.stats()).toMatchObject({ size: 0, loadErrors: 1 });
  });

  test('refuses a load that answers with a promise, and retires what that brings', async () => {
    let signal: AbortSignal | undefined;
    const { cache, loop, ended, errors } = makeCache<string, string>({
      load: (key, context) => {
        signal = context.signal;
        return Promise.resolve(`loaded ${key}`);
      },
    });
    const refused = expect.objectContaining({
      code: 'ERR_OBJECT_CACHE_NO_LOAD',
      message: expect.stringContaining('use fetch'),
    }) as ObjectCacheError;
    expect(() => cache.getOrCreate('a')).toThrow(refused);
    expect(signal?.aborted).toBe(true);
    await loop.runAll();
    expect([cache.size, ended, errors]).toEqual([0, [['a', 'loaded a', 'reject']], []]);
    // One that is under way is left alone.
    const fetching = cache.fetch('a');
    expect(() => cache.getOrCreate('a')).toThrow(refused);
    expect([await fetching, cache.get('a')]).toEqual(['loaded a', 'loaded a']);
  });

  test('keeps what create stored itself, if it returns that', () => {
    const { cache, loop, ended } = makeCache<string, object>({ maxBytes: 10 });
    const value = {};
    const got = cache.getOrCreate(
      'a',
      () => {
        cache.set('a', value, { size: 3 });
        return value;
      },
      { size: 4 },
    );
    expect(got).toBe(value);
    expect(cache.bytes).toBe(4);
    // No size for the outer set: that fails, and the value stays where create has put it.
    expect(() =>
      cache.getOrCreate('b', () => {
        cache.set('b', value, { size: 1 });
        return value;
      }),
    ).toThrow(TypeError);
    loop.runSync();
    expect(ended).toEqual([]);
    expect(cache.peek('b')).toBe(value);
  });

  test('replaces what create stored of another value', () => {
    const { cache, loop, ended } = makeCache<string, string>();
    cache.getOrCreate('a', () => {
      cache.set('a', 'inner');
      return 'outer';
    });
    loop.runSync();
    expect(cache.get('a')).toBe('outer');
    expect(ended).toEqual([['a', 'inner', 'set']]);
  });

  test('retires what it could not store', () => {
    const { cache, loop, ended } = makeCache<string, string>({ sizeOf: (value) => (value === 'bad' ? -1 : 1) });
    expect(() => cache.getOrCreate('a', () => 'bad')).toThrow(RangeError);
    expect(() =>
      cache.getOrCreate('b', () => {
        void cache.close();
        return 'late';
      }),
    ).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_CACHE_CLOSED' }) as ObjectCacheError);
    loop.runSync();
    expect(ended).toEqual([
      ['a', 'bad', 'reject'],
      ['b', 'late', 'reject'],
    ]);
    cache.checkInvariants();
  });

  test('caches promises as values', async () => {
    const { cache } = makeCache<string, Promise<number>>();
    const first = cache.getOrCreate('a', () => Promise.resolve(1));
    expect(cache.getOrCreate('a', () => Promise.resolve(2))).toBe(first);
    expect(await first).toBe(1);
  });
});
