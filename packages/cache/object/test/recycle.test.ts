import { describe, expect, test } from 'vitest';
import { ObjectCache } from '../src/index.js';
import { makeCache } from './support/make-cache.js';
import { microtasks } from './support/test-loop.js';

interface Page {
  key: string;
  readonly id: number;
}

let made = 0;
const create = (key: string): Page => ({ key, id: made++ });
const recycle = (page: Page, key: string): void => {
  page.key = key;
};

describe('recycle', () => {
  test('a miss takes a value that has left, once nobody can use it', () => {
    const { cache, loop, ended } = makeCache<string, Page>({ max: 1, recycle });
    const a = cache.getOrCreate('a', create);
    const b = cache.getOrCreate('b', create);
    expect(b).not.toBe(a);
    expect(a.key).toBe('a');
    loop.runSync();
    expect(cache.stats()).toMatchObject({ retired: 1, reusable: 1, recycled: 0 });
    const c = cache.getOrCreate('c', create);
    expect([c === a, c.key, cache.stats().recycled]).toEqual([true, 'c', 1]);
    expect(cache.getOrCreate('d', create)).not.toBe(b);
    expect(ended).toEqual([]);
    cache.checkInvariants();
  });

  test('works on the real event loop, in a loop of one miss a turn', async () => {
    let creates = 0;
    const cache = new ObjectCache<number, { key: number }>({
      max: 4,
      recycle(value, key) {
        value.key = key;
      },
    });
    for (let key = 0; key < 50; key++) {
      const value = cache.getOrCreate(key, () => {
        creates++;
        return { key };
      });
      expect(value.key).toBe(key);
      await microtasks();
      await microtasks();
      await microtasks();
    }
    expect(creates).toBe(5);
    expect(cache.stats()).toMatchObject({ recycled: 45, size: 4 });
    await cache.close();
    expect(cache.stats()).toMatchObject({ retired: 0, reusable: 0 });
  });

  test('never takes what is held', async () => {
    const { cache, loop } = makeCache<string, Page>({ max: 1, recycle });
    const a = cache.getOrCreate('a', create);
    const guard = cache.acquire('a');
    cache.getOrCreate('b', create);
    await loop.runAll();
    expect(cache.getOrCreate('c', create)).not.toBe(a);
    guard?.release();
    expect(cache.stats().reusable).toBe(0);
    await loop.runAll();
    expect(a.key).toBe('a');
    expect(cache.stats().reusable).toBe(1);
  });

  test('may return another value to use instead', () => {
    const { cache, loop, ended } = makeCache<string, Page>({ max: 1, recycle: (page, key) => ({ ...page, key }) });
    cache.getOrCreate('a', create);
    cache.getOrCreate('b', create);
    loop.runSync();
    expect(cache.getOrCreate('c').key).toBe('c');
    loop.runSync();
    expect(ended).toEqual([]);
  });

  test('needs no create while there is something to take', () => {
    const { cache, loop } = makeCache<string, Page>({ max: 1, recycle });
    cache.set('a', create('a')).set('b', create('b'));
    loop.runSync();
    expect(cache.getOrCreate('c').key).toBe('c');
    expect(() => cache.getOrCreate('d')).toThrow(
      expect.objectContaining({ code: 'ERR_OBJECT_CACHE_NO_LOAD' }) as Error,
    );
  });

  test('keeps an eighth of max, 16 or all at least, and disposes of the others', () => {
    for (const [max, kept] of [
      [1, 1],
      [8, 8],
      [17, 16],
      [128, 16],
      [129, 17],
      [100_000, 1024],
    ] as const) {
      const { cache, loop, ended } = makeCache<number, number>({ max, recycle: () => {} });
      for (let key = 0; key < 2000; key++) {
        cache.set(key, key);
      }
      cache.clear();
      loop.runSync();
      expect([cache.stats().reusable, ended.length]).toEqual([kept, 2000 - kept]);
      cache.checkInvariants();
    }
  });

  test('keeps an eighth of maxBytes, one at least', () => {
    const { cache, loop, ended } = makeCache<number, number>({ maxBytes: 80, sizeOf: () => 4, recycle: () => {} });
    for (let key = 0; key < 20; key++) {
      cache.set(key, key);
    }
    cache.clear();
    loop.runSync();
    expect([cache.stats().reusable, cache.stats().retiredBytes, ended.length]).toEqual([2, 8, 18]);
    const { cache: other, loop: turns } = makeCache<number, number>({ maxBytes: 10, recycle: () => {} });
    other.set(1, 1, { size: 9 }).delete(1);
    turns.runSync();
    expect(other.stats().reusable).toBe(1);
  });

  test('what it throws on goes to the caller, and the value is disposed of', () => {
    const { cache, loop, ended } = makeCache<string, Page>({
      max: 1,
      recycle() {
        throw new Error('broken');
      },
    });
    const a = cache.getOrCreate('a', create);
    cache.getOrCreate('b', create);
    loop.runSync();
    expect(() => cache.getOrCreate('c', create)).toThrow('broken');
    expect([cache.has('c'), cache.stats().recycled, cache.stats().retired]).toEqual([false, 0, 1]);
    loop.runSync();
    // It may be half made over: not for anybody else.
    expect(ended).toEqual([['a', a, 'evict']]);
    cache.checkInvariants();
  });

  test('cannot be asynchronous', () => {
    const { cache, loop, ended } = makeCache<string, Page>({
      max: 1,
      recycle: (async (page: Page) => page) as never,
    });
    cache.getOrCreate('a', create);
    cache.getOrCreate('b', create);
    loop.runSync();
    expect(() => cache.getOrCreate('c', create)).toThrow(TypeError);
    loop.runSync();
    expect(ended).toHaveLength(1);
  });

  test('may call back into the cache', () => {
    const { cache, loop } = makeCache<string, Page>({
      max: 2,
      recycle(page, key) {
        page.key = key;
        cache.set(`${key}'`, create(`${key}'`));
        cache.checkInvariants();
      },
    });
    for (const key of ['a', 'b', 'c', 'd']) {
      cache.getOrCreate(key, create);
    }
    loop.runSync();
    expect(cache.getOrCreate('e', create).key).toBe('e');
    expect([...cache.keys()]).toEqual(["e'", 'e']);
    cache.checkInvariants();
  });

  test('that closes the cache stores nothing', async () => {
    const { cache, loop, ended } = makeCache<string, Page>({
      max: 1,
      recycle: () => void cache.close(),
      load: create,
    });
    for (const run of [() => cache.getOrCreate('c', create), () => cache.fetch('c')]) {
      if (cache.stats().size === 0 && cache.stats().disposed > 0) {
        break;
      }
      cache.getOrCreate('a', create);
      cache.getOrCreate('b', create);
      loop.runSync();
      await expect(async () => run()).rejects.toMatchObject({ code: 'ERR_OBJECT_CACHE_CLOSED' });
      await loop.runAll();
    }
    expect([cache.size, cache.stats().retired, ended.length]).toEqual([0, 0, 2]);
  });

  test('close disposes of what is kept', async () => {
    const { cache, loop, ended } = makeCache<string, Page>({ max: 16, recycle });
    for (let key = 0; key < 40; key++) {
      cache.set(`${key}`, create(`${key}`));
    }
    loop.runSync();
    expect(cache.stats().reusable).toBe(16);
    const closing = cache.close();
    await loop.runAll();
    await closing;
    expect([ended.length, cache.stats().reusable, cache.stats().retired]).toEqual([40, 0, 0]);
    expect(new Set(ended.map(([, page]) => (page as Page).id)).size).toBe(40);
  });

  test('without dispose, values are still kept, and dropped', async () => {
    const { cache, loop } = makeCache<string, Page>({ max: 1, recycle, dispose: undefined as never });
    cache.set('a', create('a')).set('b', create('b')).set('c', create('c'));
    loop.runSync();
    expect(cache.stats()).toMatchObject({ reusable: 1, retired: 1, disposed: 1 });
    const closing = cache.close();
    await loop.runAll();
    await closing;
    expect(cache.stats()).toMatchObject({ retired: 0, disposed: 3 });
  });
});

describe('recycle for a load', () => {
  function withReady(load: (key: string, recycled: Page | undefined) => Page | Promise<Page>) {
    const made = makeCache<string, Page>({
      max: 1,
      recycle,
      load: (key, { recycled }) => load(key, recycled),
    });
    made.cache.set('a', create('a')).set('b', create('b'));
    made.loop.runSync();
    expect(made.cache.stats().reusable).toBe(1);
    return made;
  }

  test('is used if the load returns it', async () => {
    const { cache, loop, ended } = withReady((key, recycled) => recycled ?? create(key));
    const page = await cache.fetch('c');
    expect([page.key, cache.get('c') === page, cache.stats().recycled]).toEqual(['c', true, 1]);
    loop.runSync();
    expect(ended).toEqual([]);
  });

  /** Closes, and says whether every page was disposed of once. */
  async function allGoOnce({ cache, loop, ended }: ReturnType<typeof makeCache<string, Page>>, pages: number) {
    const closing = cache.close();
    await loop.runAll();
    await closing;
    cache.checkInvariants();
    expect(cache.stats()).toMatchObject({ retired: 0, held: 0 });
    return ended.length === pages && new Set(ended.map(([, page]) => page)).size === pages;
  }

  test('leaves again if the load returns another, or fails', async () => {
    for (const load of [
      create,
      () => Promise.reject(new Error('down')),
      () => {
        throw new Error('down');
      },
    ]) {
      const made = withReady(load);
      await made.cache.fetch('c').catch(() => {});
      await made.loop.runAll();
      expect(made.cache.stats()).toMatchObject({ recycled: 1, reusable: 1 });
      made.cache.checkInvariants();
      expect(await allGoOnce(made, load === create ? 3 : 2)).toBe(true);
    }
  });

  test('leaves again once, after the load has settled, though all callers gave up before', async () => {
    for (const returns of [true, false]) {
      let finish!: () => void;
      const made = withReady(async (key, recycled) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return returns ? (recycled as Page) : create(key);
      });
      const control = new AbortController();
      const fetching = made.cache.fetch('c', { signal: control.signal });
      control.abort('enough');
      await expect(fetching).rejects.toBe('enough');
      await made.loop.runAll();
      // The load still works on it.
      expect(made.cache.stats()).toMatchObject({ recycled: 1, reusable: 0, retired: 0 });
      finish();
      await made.loop.runAll();
      expect(made.cache.stats().reusable).toBe(1);
      expect(await allGoOnce(made, returns ? 2 : 3)).toBe(true);
    }
  });

  test('leaves again once if its size cannot be told', async () => {
    let measured = false;
    const made = makeCache<string, Page>({
      max: 1,
      recycle,
      load: (key, { recycled }) => recycled ?? create(key),
      sizeOf() {
        if (measured) {
          throw new Error('unweighable');
        }
        return 1;
      },
    });
    made.cache.set('a', create('a')).set('b', create('b'));
    made.loop.runSync();
    measured = true;
    await expect(made.cache.fetch('c')).rejects.toThrow('unweighable');
    await made.loop.runAll();
    expect(made.cache.stats().reusable).toBe(1);
    expect(await allGoOnce(made, 2)).toBe(true);
  });

  test('what recycle throws rejects, or goes to onError if it was in the background', async () => {
    const { cache, loop, ended, errors } = makeCache<string, Page>({
      max: 2,
      ttlMs: 10,
      staleWhileRevalidateMs: 10,
      recycle() {
        throw new Error('broken');
      },
      load: create,
    });
    cache.set('a', create('a')).set('b', create('b')).set('c', create('c'));
    loop.runSync();
    await expect(cache.fetch('d')).rejects.toThrow('broken');
    loop.runSync();
    expect(ended).toHaveLength(1);
    cache.set('d', create('d'));
    loop.runSync();
    loop.timeMs = 10;
    expect((await cache.fetch('d')).key).toBe('d');
    expect(cache.use('d', (page) => page.key)).toBe('d');
    expect(errors.map((error) => (error as Error).message)).toEqual(['broken']);
    cache.checkInvariants();
  });
});
