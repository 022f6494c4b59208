import { describe, expect, test } from 'vitest';
import { ObjectCache, ObjectCacheError, type ObjectCacheOptions } from '../src/index.js';

describe('options', () => {
  test.each<[string, unknown[]]>([
    ['max', [0, -1, 1.5, Number.NaN, '5', 5n, null, 2 ** 23 + 1, {}]],
    ['maxBytes', [0, -1, Number.NaN, '100', 100n, null]],
    ['ttlMs', [0, -1, Number.NaN, '5', null]],
    ['staleWhileRevalidateMs', [-1, Number.NaN, '5', null]],
  ])('%s out of range', (name, values) => {
    for (const value of values) {
      expect(() => new ObjectCache({ [name]: value } as ObjectCacheOptions<unknown, unknown>)).toThrow(RangeError);
    }
  });

  test.each(['sizeOf', 'dispose', 'recycle', 'load', 'onError'])('%s that is no function', (name) => {
    for (const value of [1, 'f', null, {}]) {
      expect(() => new ObjectCache({ [name]: value } as ObjectCacheOptions<unknown, unknown>)).toThrow(TypeError);
    }
  });

  test('at their limits', () => {
    const cache = new ObjectCache({
      max: 1,
      maxBytes: Number.MIN_VALUE,
      ttlMs: Infinity,
      staleWhileRevalidateMs: Infinity,
    });
    expect(cache.max).toBe(1);
    expect(new ObjectCache({ max: Infinity, maxBytes: Infinity, staleWhileRevalidateMs: 0 }).max).toBe(Infinity);
    expect(new ObjectCache({ max: 2 ** 23 }).max).toBe(2 ** 23);
  });

  test('that are undefined are as if absent', () => {
    const names = [
      'max',
      'maxBytes',
      'ttlMs',
      'staleWhileRevalidateMs',
      'sizeOf',
      'dispose',
      'rcu',
      'clock',
      'onError',
    ];
    const cache = new ObjectCache<string, number>(
      Object.fromEntries(names.map((name) => [name, undefined])) as ObjectCacheOptions<string, number>,
    );
    cache.set('a', 1, { ttlMs: undefined, size: undefined } as never);
    expect(cache.get('a')).toBe(1);
  });

  test('a group that is none', () => {
    for (const group of [{ path: '/tenant' }, '/tenant', 5, () => null]) {
      expect(() => new ObjectCache({ group } as never)).toThrow(
        expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('MemoryGroup') }) as Error,
      );
    }
    expect(new ObjectCache({ group: null }).size).toBe(0);
  });

  test('a zone that is none', () => {
    for (const zone of ['Heap', '', null, 0]) {
      expect(() => new ObjectCache({ zone } as never)).toThrow(RangeError);
    }
  });

  test('an rcu that is none', () => {
    expect(() => new ObjectCache({ rcu: {} as never })).toThrow(TypeError);
    expect(() => new ObjectCache({ rcu: null as never })).toThrow('Cannot create a cache with rcu null');
    expect(() => new ObjectCache({ rcu: 5 as never })).toThrow(TypeError);
  });

  test.each(['', null, 5, {}])('name %j', (name) => {
    expect(() => new ObjectCache({ name } as never)).toThrow(TypeError);
  });

  test('seeks out of range', () => {
    for (const seeks of [-1, 1.5, Number.NaN, Infinity]) {
      expect(() => new ObjectCache({ seeks })).toThrow(RangeError);
    }
    for (const seeks of ['2', null, 2n]) {
      expect(() => new ObjectCache({ seeks } as never)).toThrow(TypeError);
    }
    expect(new ObjectCache({ seeks: 0 }).asShrinker().seeks).toBe(0);
  });

  test('no options at all, of the wrong kind, and misspelt', () => {
    for (const options of [null, 5, 'max', [], () => null]) {
      expect(() => new ObjectCache(options as never)).toThrow(TypeError);
    }
    expect(() => new ObjectCache({ maxByte: 5 } as never)).toThrow(/no option "maxByte"; did you mean "maxBytes"/);
    expect(() => new ObjectCache({ ttl: 5 } as never)).toThrow(/did you mean "ttlMs"/);
  });

  test.each([0, -1, Number.NaN, '5', null])('a time to live of %s in set changes nothing', (ttlMs) => {
    const cache = new ObjectCache<string, number>();
    cache.set('a', 1);
    expect(() => cache.set('a', 2, { ttlMs: ttlMs as number })).toThrow(RangeError);
    expect(cache.get('a')).toBe(1);
    cache.checkInvariants();
  });
});

describe('ObjectCacheError', () => {
  test('is known by its brand, and has a code and a sentence', () => {
    try {
      new ObjectCache<string, number>({ name: 'users' }).getOrCreate('a');
      expect.unreachable();
    } catch (error) {
      expect(ObjectCacheError.is(error)).toBe(true);
      expect(error).toMatchObject({
        name: 'ObjectCacheError',
        code: 'ERR_OBJECT_CACHE_NO_LOAD',
        message:
          'Cannot getOrCreate a missing value of "users": there is nothing to make it with; give a create function',
      });
    }
    expect(ObjectCacheError.is(new Error('x'))).toBe(false);
    expect(ObjectCacheError.is(null)).toBe(false);
  });
});
