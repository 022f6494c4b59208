import { describe, expect, test } from 'vitest';
import { type FetchOptions, ObjectCache, type ObjectCacheOptions, type SetOptions } from '../src/index.js';
import { SecondChance } from '../src/policy/second-chance.js';

type Options = ObjectCacheOptions<string, number>;

describe('of fetch and acquireOrLoad', () => {
  test.each<[unknown, string]>([
    [null, 'Cannot load a value with options null: pass an object, or nothing'],
    [5, 'Cannot load a value with options 5: pass an object, or nothing'],
    [{ signal: null }, 'Cannot load a value with signal null: it must be an AbortSignal; leave it out for none'],
    [{ signal: {} }, 'Cannot load a value with signal [object Object]: it must be an AbortSignal'],
    [{ load: 5 }, 'Cannot load a value with load 5: it must be a function'],
    [{ load: null }, 'Cannot load a value with load null: it must be a function'],
    [{ ttlMs: 0 }, 'Cannot keep a value fresh for 0 ms'],
    [{ ttlMs: '5' }, 'Cannot keep a value fresh for "5" ms'],
    [{ size: -1 }, 'Cannot store a value of -1 bytes'],
    [{ size: '5' }, 'Cannot store a value of "5" bytes'],
    [{ ttl: 5 }, 'Cannot store a value with a ttl: the option is called ttlMs'],
  ])('%j is refused before anything is loaded', async (options, message) => {
    const cache = new ObjectCache<string, number>({ load: () => new Promise(() => {}) });
    for (const call of ['fetch', 'acquireOrLoad'] as const) {
      await expect(cache[call]('a', options as FetchOptions<string, number>)).rejects.toThrow(message);
    }
    expect([cache.stats().loads, cache.stats().misses]).toEqual([0, 0]);
    cache.checkInvariants();
  });

  test('those that are undefined are as if absent', async () => {
    const cache = new ObjectCache<string, number>({ load: () => 1 });
    const none = { signal: undefined, load: undefined, ttlMs: undefined, size: undefined, forceRefresh: undefined };
    expect(await cache.fetch('a', none as never)).toBe(1);
    expect(await cache.fetch('b', undefined)).toBe(1);
  });
});

describe('of set and getOrCreate', () => {
  test.each<[unknown, string]>([
    [null, 'Cannot store a value with options null: give an object, or nothing'],
    [5, 'Cannot store a value with options 5: give an object, or nothing'],
    [{ ttl: 5 }, 'Cannot store a value with a ttl: the option is called ttlMs, in milliseconds'],
  ])('%j is refused, and nothing has changed', (options, message) => {
    const cache = new ObjectCache<string, number>({ max: 2 });
    cache.set('a', 1);
    expect(() => cache.set('a', 2, options as SetOptions)).toThrow(new TypeError(message));
    expect(() => cache.getOrCreate('b', () => 2, options as SetOptions)).toThrow(new TypeError(message));
    expect([...cache]).toEqual([['a', 1]]);
    cache.checkInvariants();
  });
});

describe('policies that are none', () => {
  test.each<[string, unknown]>([
    ['null', () => null],
    ['nothing', () => {}],
    ['an object', () => ({})],
    ['a name', () => 'lru'],
  ])('%s of a function', (_, policy) => {
    expect(() => new ObjectCache({ policy } as Options)).toThrow(
      new TypeError('Cannot create a cache with a policy without grow(): the function must return an EvictionPolicy'),
    );
  });

  test('one that lacks a method', () => {
    const policy = (): unknown => Object.assign(new SecondChance(), { spare: undefined });
    expect(() => new ObjectCache({ policy } as Options)).toThrow('a policy without spare()');
  });

  test('a class', () => {
    expect(() => new ObjectCache({ policy: SecondChance as never })).toThrow(
      new TypeError(
        'Cannot create a cache with the class SecondChance as policy: give a function that makes one, () => new SecondChance()',
      ),
    );
  });
});

test('texts that look like numbers are shown as texts', () => {
  expect(() => new ObjectCache({ max: '5' } as never)).toThrow('Cannot create a cache of "5" entries');
  expect(() => new ObjectCache({ maxBytes: '5' } as never)).toThrow('Cannot create a cache of "5" bytes');
  expect(() => new ObjectCache({ staleWhileRevalidateMs: '5' } as never)).toThrow('stale values for "5" ms');
});
