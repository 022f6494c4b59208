import { describe, expect, test } from 'vitest';
import { makeCache } from './support/make-cache.js';

describe('second chance', () => {
  test('the oldest that was not used goes, and bits that are met are cleared', () => {
    const { cache } = makeCache<string, number>({ max: 3 });
    cache.set('a', 1).set('b', 2).set('c', 3);
    cache.get('a');
    cache.set('d', 4);
    expect([...cache.keys()]).toEqual(['a', 'c', 'd']);
    // The bit of a was cleared, and it is behind c now.
    cache.set('e', 5).set('f', 6);
    expect([...cache.keys()]).toEqual(['d', 'e', 'f']);
  });

  test('when all were used, the oldest goes', () => {
    const { cache } = makeCache<string, number>({ max: 3 });
    for (const key of ['a', 'b', 'c']) {
      cache.set(key, 1);
      cache.get(key);
    }
    cache.set('d', 1);
    expect([...cache.keys()]).toEqual(['b', 'c', 'd']);
    cache.checkInvariants();
  });

  test.each(['get', 'fetch', 'use', 'acquire', 'acquireOrLoad', 'getOrCreate', 'set'] as const)(
    '%s marks as used',
    async (method) => {
      const { cache } = makeCache<string, number>({ max: 2 });
      cache.set('a', 1).set('b', 2);
      const uses = {
        get: () => cache.get('a'),
        fetch: () => cache.fetch('a'),
        use: () => cache.use('a', () => null),
        acquire: () => cache.acquire('a')?.release(),
        acquireOrLoad: async () => (await cache.acquireOrLoad('a')).release(),
        getOrCreate: () => cache.getOrCreate('a'),
        set: () => cache.set('a', 3),
      };
      await uses[method]();
      cache.set('c', 3);
      expect([...cache.keys()]).toEqual(['a', 'c']);
    },
  );

  test.each(['peek', 'has', 'remainingTtlMs', 'keys', 'forEach'] as const)('%s does not', (method) => {
    const { cache } = makeCache<string, number>({ max: 2 });
    cache.set('a', 1).set('b', 2);
    const looks = {
      peek: () => cache.peek('a'),
      has: () => cache.has('a'),
      remainingTtlMs: () => cache.remainingTtlMs('a'),
      keys: () => [...cache.keys()],
      forEach: () => cache.forEach(() => {}),
    };
    looks[method]();
    cache.set('c', 3);
    expect([...cache.keys()]).toEqual(['b', 'c']);
  });

  test('max 1 keeps the last', () => {
    const { cache, loop, ended } = makeCache<number, number>({ max: 1 });
    for (let key = 0; key < 10; key++) {
      cache.set(key, key);
      cache.get(key);
      cache.checkInvariants();
      expect([...cache]).toEqual([[key, key]]);
    }
    using guard = cache.acquire(9);
    cache.set(10, 10);
    cache.checkInvariants();
    expect([[...cache.keys()], guard?.value]).toEqual([[10], 9]);
    loop.runSync();
    expect(ended).toHaveLength(9);
  });

  test('slots are used again after deletes, and grow as needed', () => {
    const { cache } = makeCache<number, number>();
    for (let round = 0; round < 3; round++) {
      for (let key = 0; key < 500; key++) {
        cache.set(key, key);
      }
      cache.checkInvariants();
      for (let key = 0; key < 500; key += 2) {
        cache.delete(key);
      }
      cache.checkInvariants();
      expect(cache.size).toBe(250);
      cache.clear();
      cache.checkInvariants();
    }
  });
});

describe('bytes', () => {
  test('are what sizeOf says, or set', () => {
    const { cache } = makeCache<string, string>({ sizeOf: (value, key) => value.length + key.length });
    cache.set('a', 'xx').set('bb', 'y', { size: 10 });
    expect(cache.bytes).toBe(13);
    cache.set('a', 'x');
    expect(cache.bytes).toBe(12);
    cache.delete('bb');
    expect(cache.bytes).toBe(2);
    cache.clear();
    expect(cache.bytes).toBe(0);
  });

  test('are kept from the first size on, without a limit', () => {
    const { cache } = makeCache<string, string>();
    cache.set('a', 'a').set('b', 'b', { size: 5 }).set('c', 'c');
    expect(cache.bytes).toBe(5);
    cache.set('b', 'b2').set('a', 'a', { size: 3 });
    expect(cache.bytes).toBe(3);
    cache.checkInvariants();
  });

  test('are never above maxBytes', () => {
    const { cache } = makeCache<number, number>({ maxBytes: 100, sizeOf: (value) => value });
    for (let key = 0; key < 500; key++) {
      cache.set(key % 37, (key * 31) % 100);
      cache.checkInvariants();
      expect(cache.bytes).toBeLessThanOrEqual(100);
    }
    cache.set(0, 100);
    expect([...cache]).toEqual([[0, 100]]);
  });

  test('an update that grows makes room with others, never with itself', () => {
    const { cache } = makeCache<string, number>({ maxBytes: 10, sizeOf: (value) => value });
    cache.set('a', 2).set('b', 4).set('c', 4);
    cache.set('a', 6);
    expect([[...cache], cache.bytes]).toEqual([
      [
        ['a', 6],
        ['c', 4],
      ],
      10,
    ]);
    cache.set('a', 10);
    expect([...cache]).toEqual([['a', 10]]);
    cache.checkInvariants();
  });

  test('a value that is too large goes, and so does what had its key; the others stay', () => {
    const { cache, loop, ended } = makeCache<string, number>({ maxBytes: 10, sizeOf: (value) => value });
    cache.set('a', 1).set('b', 2).set('a', 11).set('c', 12);
    expect([...cache]).toEqual([['b', 2]]);
    expect(cache.stats()).toMatchObject({ rejected: 2, retired: 3, retiredBytes: 24 });
    loop.runSync();
    expect(ended).toEqual([
      ['a', 1, 'set'],
      ['a', 11, 'reject'],
      ['c', 12, 'reject'],
    ]);
    expect(cache.stats().retiredBytes).toBe(0);
  });

  test('together with max, whichever is reached first', () => {
    const { cache } = makeCache<string, number>({ max: 3, maxBytes: 10, sizeOf: (value) => value });
    cache.set('a', 1).set('b', 1).set('c', 1).set('d', 1);
    expect(cache.size).toBe(3);
    cache.set('e', 9);
    expect([[...cache.keys()], cache.bytes]).toEqual([['d', 'e'], 10]);
    cache.checkInvariants();
  });

  test('of nothing are fine', () => {
    const { cache } = makeCache<string, number>({ maxBytes: 1, sizeOf: () => 0 });
    cache.set('a', 1).set('b', 2);
    expect([cache.size, cache.bytes]).toEqual([2, 0]);
  });

  test('that are fractions drift, and never hang or stay', () => {
    const { cache, loop } = makeCache<number, number>({ maxBytes: 0.7, sizeOf: (value) => value });
    for (let round = 0; round < 2000; round++) {
      cache.set(round % 5, ((round * 7) % 8) / 10);
      cache.checkInvariants();
    }
    cache.set(1, 0.7).set(1, 0.69).set(1, 0.7);
    cache.clear();
    expect(cache.bytes).toBe(0);
    loop.runSync();
    expect(cache.stats().retiredBytes).toBe(0);
    cache.checkInvariants();
  });

  test.each([
    ['a string', '5'],
    ['a bigint', 5n],
    ['NaN', Number.NaN],
    ['below 0', -1],
    ['infinite', Infinity],
    ['beyond what adds up', 2 ** 53],
    ['a promise', Promise.resolve(1)],
    ['null', null],
  ])('cannot be %s', (_, size) => {
    const { cache } = makeCache<string, string>({ maxBytes: 10, sizeOf: () => size as number });
    expect(() => cache.set('a', 'a')).toThrow(RangeError);
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
    const { cache: other } = makeCache<string, string>();
    expect(() => other.set('a', 'a', { size: size as number })).toThrow(RangeError);
  });

  test('must be known if there is a limit', () => {
    const { cache } = makeCache<string, string>({ maxBytes: 10 });
    expect(() => cache.set('a', 'a')).toThrow(TypeError);
    cache.set('a', 'a', { size: 1 });
    expect(cache.bytes).toBe(1);
  });
});

describe('time to live', () => {
  test('an entry is fresh for ttlMs, and stale at the instant when it is over', () => {
    const { cache, loop } = makeCache<string, string>({ ttlMs: 10 });
    cache.set('a', 'a');
    loop.timeMs = 9.999;
    expect([cache.get('a'), cache.has('a')]).toEqual(['a', true]);
    loop.timeMs = 10;
    expect([cache.has('a'), cache.size]).toEqual([false, 0]);
    expect(cache.stats()).toMatchObject({ expirations: 1 });
  });

  test('set gives a new one, get does not', () => {
    const { cache, loop } = makeCache<string, string>({ ttlMs: 10 });
    cache.set('a', 'a');
    loop.timeMs = 6;
    cache.set('a', 'a');
    cache.get('a');
    expect(cache.remainingTtlMs('a')).toBe(10);
    loop.timeMs = 15;
    expect(cache.get('a')).toBe('a');
    loop.timeMs = 16;
    expect(cache.get('a')).toBeUndefined();
  });

  test('set may give another one, and none', () => {
    const { cache, loop } = makeCache<string, string>({ ttlMs: 10 });
    cache.set('a', 'a', { ttlMs: 5 }).set('b', 'b', { ttlMs: Infinity }).set('c', 'c');
    expect(['a', 'b', 'c', 'd'].map((key) => cache.remainingTtlMs(key))).toEqual([5, Infinity, 10, 0]);
    loop.timeMs = 1e9;
    expect(['a', 'b', 'c'].map((key) => cache.has(key))).toEqual([false, true, false]);
    // Of a cache without any, too; and the next set without one is for ever again.
    const { cache: other, loop: time } = makeCache<string, string>();
    other.set('a', 'a');
    expect(other.remainingTtlMs('a')).toBe(Infinity);
    other.set('b', 'b', { ttlMs: 5 }).set('c', 'c');
    expect(['a', 'b', 'c'].map((key) => other.remainingTtlMs(key))).toEqual([Infinity, 5, Infinity]);
    other.set('b', 'b');
    time.timeMs = 6;
    expect([...other.keys()]).toEqual(['a', 'b', 'c']);
  });

  test('a slot that is used again does not inherit one', () => {
    const { cache, loop } = makeCache<string, string>({ max: 1 });
    cache.set('a', 'a', { ttlMs: 5 }).set('b', 'b');
    loop.timeMs = 6;
    expect(cache.get('b')).toBe('b');
  });

  test('iteration passes over what is stale, and size counts it until it is met', () => {
    const { cache, loop } = makeCache<string, string>();
    cache.set('a', 'a', { ttlMs: 5 }).set('b', 'b');
    loop.timeMs = 5;
    expect([[...cache], [...cache.keys()], [...cache.values()], cache.size]).toEqual([[['b', 'b']], ['b'], ['b'], 2]);
    expect([cache.purgeStale(), cache.size, cache.purgeStale()]).toEqual([1, 1, 0]);
    cache.checkInvariants();
  });

  test('delete of what is stale says false, and expires it', () => {
    const { cache, loop, ended } = makeCache<string, string>({ ttlMs: 5 });
    cache.set('a', 'a');
    loop.timeMs = 5;
    expect(cache.delete('a')).toBe(false);
    loop.runSync();
    expect(ended).toEqual([['a', 'a', 'expire']]);
    expect(cache.stats().expirations).toBe(1);
  });

  test('getOrCreate replaces what is stale', () => {
    const { cache, loop, ended } = makeCache<string, string>({ ttlMs: 5, staleWhileRevalidateMs: 5 });
    cache.set('a', 'old');
    loop.timeMs = 5;
    expect(cache.getOrCreate('a', () => 'new')).toBe('new');
    loop.runSync();
    expect(ended).toEqual([['a', 'old', 'set']]);
    expect(cache.purgeStale()).toBe(0);
  });

  test('of what grew in between is kept', () => {
    const { cache, loop } = makeCache<number, number>({ ttlMs: 10 });
    for (let key = 0; key < 300; key++) {
      loop.timeMs = key / 100;
      cache.set(key, key);
    }
    loop.timeMs = 11.5;
    expect([...cache.keys()]).toEqual(Array.from({ length: 149 }, (_, index) => index + 151));
  });

  test('without a clock of its own, time is real', () => {
    const { cache } = makeCache<string, string>({ ttlMs: 3_600_000 });
    cache.set('a', 'a');
    expect(cache.remainingTtlMs('a')).toBeLessThanOrEqual(3_600_000);
  });
});
