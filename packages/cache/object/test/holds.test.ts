import { describe, expect, test } from 'vitest';
import type { ObjectCache, ObjectGuard } from '../src/index.js';
import { deferred, makeCache } from './support/make-cache.js';
import { microtasks } from './support/test-loop.js';

type Leaver = (cache: ObjectCache<string, string>, pass: (ms: number) => void) => unknown;

/** Every way out of a cache of at most 2 entries and 100 ms, for the entry `a`. */
const WAYS_OUT: Readonly<Record<string, Leaver>> = {
  set: (cache) => cache.set('a', 'new'),
  'set, too large': (cache) => cache.set('a', 'new', { size: 101 }),
  delete: (cache) => cache.delete('a'),
  clear: (cache) => cache.clear(),
  evict: (cache) => {
    // Held ones are passed over, so hold all there is.
    cache.set('b', 'b');
    const guard = cache.acquire('b');
    cache.set('c', 'c');
    guard?.release();
  },
  expire: (cache, pass) => {
    pass(100);
    cache.get('a');
  },
  'purge of what is stale': (cache, pass) => {
    pass(100);
    cache.purgeStale();
  },
  close: (cache) => void cache.close(),
};

describe.each(Object.keys(WAYS_OUT))('a held value that leaves by %s', (way) => {
  test('is disposed of after the last holder and a turn', async () => {
    const { cache, loop, ended } = makeCache<string, string>({ max: 2, maxBytes: 100, sizeOf: () => 1, ttlMs: 100 });
    cache.set('a', 'old');
    const first = cache.acquire('a') as ObjectGuard<string, string>;
    const second = cache.acquire('a') as ObjectGuard<string, string>;
    (WAYS_OUT[way] as Leaver)(cache, (ms) => {
      loop.timeMs += ms;
    });
    await loop.runAll();
    const isOld = ([, value]: readonly unknown[]): boolean => value === 'old';
    expect(ended.filter(isOld)).toEqual([]);
    expect(cache.stats()).toMatchObject({ held: 2, retired: 1, retiredBytes: 1 });
    cache.checkInvariants();
    first.release();
    await loop.runAll();
    expect([ended.filter(isOld).length, second.value]).toEqual([0, 'old']);
    second.release();
    expect(ended.filter(isOld)).toEqual([]);
    expect(cache.stats()).toMatchObject({ held: 0, retired: 1, retiredBytes: 1 });
    await loop.runAll();
    expect(ended.filter(isOld)).toHaveLength(1);
    expect(cache.stats()).toMatchObject({ held: 0, retired: 0, retiredBytes: 0 });
    cache.checkInvariants();
  });

  test('is in the cache again only as another entry', async () => {
    const { cache, loop } = makeCache<string, string>({ max: 2, maxBytes: 100, sizeOf: () => 1, ttlMs: 100 });
    cache.set('a', 'old');
    using guard = cache.acquire('a') as ObjectGuard<string, string>;
    (WAYS_OUT[way] as Leaver)(cache, (ms) => {
      loop.timeMs += ms;
    });
    if (way !== 'close') {
      cache.set('a', 'newer');
      using other = cache.acquire('a') as ObjectGuard<string, string>;
      expect([guard.value, other.value]).toEqual(['old', 'newer']);
      expect(cache.stats().held).toBe(2);
    }
    cache.checkInvariants();
  });
});

describe('guards', () => {
  test('have key and value until they are released, twice is harmless', () => {
    const { cache } = makeCache<string, string>();
    cache.set('a', 'a');
    const guard = cache.acquire('a') as ObjectGuard<string, string>;
    expect([guard.key, guard.value, guard.released]).toEqual(['a', 'a', false]);
    guard.release();
    guard.release();
    guard[Symbol.dispose]();
    expect([guard.key, guard.released, cache.stats().held]).toEqual(['a', true, 0]);
    expect(() => guard.value).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_CACHE_RELEASED' }) as Error);
    cache.checkInvariants();
  });

  test('are given for fresh values only, and count as hits and misses', () => {
    const { cache, loop } = makeCache<string, string>({ ttlMs: 10 });
    expect(cache.acquire('a')).toBeUndefined();
    cache.set('a', 'a');
    cache.acquire('a')?.release();
    loop.timeMs = 10;
    expect(cache.acquire('a')).toBeUndefined();
    expect(cache.stats()).toMatchObject({ hits: 1, misses: 2, held: 0 });
  });

  test('mark as used', () => {
    const { cache } = makeCache<string, string>({ max: 2 });
    cache.set('a', 'a').set('b', 'b');
    cache.acquire('a')?.release();
    cache.set('c', 'c');
    expect([...cache.keys()]).toEqual(['a', 'c']);
  });

  test('end with their block', () => {
    const { cache } = makeCache<string, string>();
    cache.set('a', 'a');
    {
      using guard = cache.acquire('a');
      expect([guard?.value, cache.stats().held]).toEqual(['a', 1]);
    }
    expect(cache.stats().held).toBe(0);
  });

  test('that leak are reported and released', async () => {
    const { cache, errors, ended, loop } = makeCache<string, object>();
    cache.set('a', {});
    (() => {
      cache.acquire('a');
      cache.acquire('a');
    })();
    cache.delete('a');
    for (let round = 0; round < 100 && cache.stats().leaks < 2; round++) {
      global.gc?.();
      await microtasks();
    }
    expect(cache.stats()).toMatchObject({ leaks: 2, held: 0 });
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatchObject({ code: 'ERR_OBJECT_CACHE_LEAK' });
    loop.runSync();
    expect(ended).toHaveLength(1);
    cache.checkInvariants();
  });

  test('that are released do not leak', async () => {
    const { cache, errors } = makeCache<string, object>();
    cache.set('a', {});
    (() => cache.acquire('a')?.release())();
    for (let round = 0; round < 5; round++) {
      global.gc?.();
      await microtasks();
    }
    expect([cache.stats().leaks, errors.length]).toEqual([0, 0]);
  });
});

describe('use', () => {
  test('stays synchronous, and holds meanwhile', () => {
    const { cache, loop, ended } = makeCache<string, string>();
    cache.set('a', 'a');
    const result = cache.use('a', (value) => {
      cache.delete('a');
      loop.runSync();
      expect([ended.length, cache.stats().held]).toEqual([0, 1]);
      return `${value}!`;
    });
    expect([result, cache.stats().held]).toEqual(['a!', 0]);
    loop.runSync();
    expect(ended).toHaveLength(1);
    cache.checkInvariants();
  });

  test('holds until the promise settles, well or not', async () => {
    const { cache, loop, ended } = makeCache<string, string>();
    for (const ends of ['resolve', 'reject'] as const) {
      cache.set('a', 'a');
      const end = deferred<string>();
      const using = cache.use('a', () => end.promise);
      cache.delete('a');
      await loop.runAll();
      expect([ended.length, cache.stats().held]).toEqual([0, 1]);
      end[ends]('x');
      await (ends === 'resolve' ? expect(using).resolves.toBe('x') : expect(using).rejects.toBe('x'));
      expect(cache.stats().held).toBe(0);
      await loop.runAll();
      expect(ended.splice(0)).toHaveLength(1);
    }
  });

  test('lets go when the section throws, or returns what throws when looked at', () => {
    const { cache } = makeCache<string, string>();
    cache.set('a', 'a');
    expect(() =>
      cache.use('a', () => {
        throw new Error('section');
      }),
    ).toThrow('section');
    const trap = {
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
      get then(): unknown {
        throw new Error('trap');
      },
    };
    expect(() => cache.use('a', () => trap)).toThrow('trap');
    expect(() => cache.use('a', undefined as never)).toThrow(TypeError);
    expect(cache.stats().held).toBe(0);
    cache.checkInvariants();
  });

  test('a thenable that throws is a rejection, and lets go', async () => {
    const { cache } = makeCache<string, string>();
    cache.set('a', 'a');
    const thenable = {
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
      then(): never {
        throw new Error('thenable');
      },
    };
    await expect(cache.use('a', () => thenable)).rejects.toThrow('thenable');
    expect(cache.stats().held).toBe(0);
  });

  test('without a load, a miss runs nothing', () => {
    const { cache } = makeCache<string, string>();
    expect(cache.use('a', () => 'ran')).toBeUndefined();
    expect(cache.stats()).toMatchObject({ misses: 1, held: 0 });
  });

  test('nests', () => {
    const { cache, loop, ended } = makeCache<string, string>();
    cache.set('a', 'a');
    cache.use('a', () => {
      cache.use('a', () => cache.delete('a'));
      loop.runSync();
      expect(ended).toEqual([]);
    });
    loop.runSync();
    expect(ended).toHaveLength(1);
  });
});

describe('eviction and holds', () => {
  test('passes over held entries while there are others', () => {
    const { cache } = makeCache<number, number>({ max: 4 });
    for (let key = 0; key < 4; key++) {
      cache.set(key, key);
    }
    const guards = [0, 1, 2].map((key) => cache.acquire(key));
    for (let key = 4; key < 20; key++) {
      cache.set(key, key);
      cache.checkInvariants();
    }
    expect([...cache.keys()]).toEqual([0, 1, 2, 19]);
    guards[0]?.release();
    cache.checkInvariants();
    cache.set(20, 20).set(21, 21);
    cache.checkInvariants();
    expect([...cache.keys()]).toEqual([1, 2, 20, 21]);
  });

  test('when all are held, the one met first goes, and lives on', async () => {
    const { cache, loop, ended } = makeCache<string, string>({ max: 2 });
    cache.set('a', 'a').set('b', 'b');
    const guards = [cache.acquire('a'), cache.acquire('b')];
    cache.set('c', 'c');
    cache.checkInvariants();
    expect([...cache.keys()]).toEqual(['b', 'c']);
    const third = cache.acquire('c');
    cache.set('d', 'd');
    cache.checkInvariants();
    expect([...cache.keys()]).toEqual(['c', 'd']);
    await loop.runAll();
    expect([ended.length, guards[0]?.value, guards[1]?.value]).toEqual([0, 'a', 'b']);
    for (const guard of [...guards, third]) {
      guard?.release();
    }
    await loop.runAll();
    expect(ended).toEqual([
      ['a', 'a', 'evict'],
      ['b', 'b', 'evict'],
    ]);
    cache.checkInvariants();
  });

  test('room in bytes is made past held entries, and past the one that grows', () => {
    const { cache } = makeCache<string, string>({ maxBytes: 10 });
    cache.set('a', 'a', { size: 3 }).set('b', 'b', { size: 3 }).set('c', 'c', { size: 3 });
    using guard = cache.acquire('a');
    cache.set('d', 'd', { size: 4 });
    cache.checkInvariants();
    expect([...cache.keys()]).toEqual(['a', 'c', 'd']);
    cache.set('a', 'a', { size: 10 });
    cache.checkInvariants();
    expect([[...cache.keys()], cache.bytes, guard?.value]).toEqual([['a'], 10, 'a']);
    cache.set('e', 'e', { size: 1 });
    cache.checkInvariants();
    expect([[...cache.keys()], cache.bytes]).toEqual([['e'], 1]);
  });

  test('room for a held entry that grows is made by others that are held', () => {
    const { cache } = makeCache<string, string>({ maxBytes: 10 });
    cache.set('a', 'a', { size: 4 }).set('b', 'b', { size: 4 });
    const guards = [cache.acquire('a'), cache.acquire('b')];
    cache.set('c', 'c', { size: 4 });
    cache.checkInvariants();
    expect([...cache.keys()]).toEqual(['b', 'c']);
    cache.set('b', 'b', { size: 9 });
    cache.checkInvariants();
    expect([...cache.keys()]).toEqual(['b']);
    for (const guard of guards) {
      guard?.release();
    }
    cache.checkInvariants();
  });

  test('each hold costs eviction one look, however long it lasts', () => {
    const { cache } = makeCache<number, number>({ max: 1000 });
    for (let key = 0; key < 1000; key++) {
      cache.set(key, key);
    }
    const guards = Array.from({ length: 999 }, (_, key) => cache.acquire(key));
    // The first clears their bits, the second meets them.
    cache.set(1000, 1000).set(1001, 1001);
    // From now on the held ones wait in a list of their own: no eviction looks at them.
    const { policy } = (cache as any).table;
    let looks = 0;
    const hand = policy.hand.bind(policy);
    policy.hand = () => {
      looks++;
      return hand();
    };
    for (let key = 1002; key < 2002; key++) {
      cache.set(key, key);
    }
    expect(looks).toBe(1000);
    for (const guard of guards) {
      guard?.release();
    }
    cache.checkInvariants();
  });
});
