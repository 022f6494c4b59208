import { describe, expect, expectTypeOf, test } from 'vitest';
import { LRUCache } from '../../src/lru-compat/index.js';

// With lru-cache instead of the import above, this compiles as well.

interface Page {
  readonly body: string;
}

interface Caller {
  readonly user: string;
}

/** Options that are made elsewhere, and used by their types' names. */
function settings(): LRUCache.Options<string, Page, Caller> {
  const dispose: LRUCache.Disposer<string, Page> = (page, key, reason) => {
    expectTypeOf(page).toEqualTypeOf<Page>();
    expectTypeOf(key).toEqualTypeOf<string>();
    expectTypeOf(reason).toEqualTypeOf<LRUCache.DisposeReason>();
  };
  const onInsert: LRUCache.Inserter<string, Page> = (_page, _key, reason) => {
    expectTypeOf(reason).toEqualTypeOf<LRUCache.InsertReason>();
  };
  const sizeCalculation: LRUCache.SizeCalculator<string, Page> = ({ body }): LRUCache.Size => body.length;
  const fetchMethod: LRUCache.Fetcher<string, Page, Caller> = async (key, stale, { signal, options, context }) => {
    expectTypeOf(stale).toEqualTypeOf<Page | undefined>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(context).toEqualTypeOf<Caller>();
    options.ttl = 5;
    return { body: key + context.user };
  };
  return { maxSize: 100, ttl: 10, ttlAutopurge: true, sizeCalculation, dispose, onInsert, fetchMethod };
}

/** A cache of one's own, with its own constructor and methods. */
class Lengths<K extends {}> extends LRUCache<K, string> {
  constructor(max: LRUCache.Count = 4) {
    super({ max, memoMethod: (key) => `length of ${String(key)}` });
  }

  lengthOf(key: K): number {
    return this.memo(key).length;
  }
}

/** Something generic around a cache. */
class Registry<V extends {}> {
  readonly #cache: LRUCache<string, V>;

  constructor(options: LRUCache.Options<string, V, unknown>) {
    this.#cache = new LRUCache<string, V>(options);
  }

  async find(key: string, options: LRUCache.FetchOptions<string, V, unknown> = {}): Promise<V | undefined> {
    return this.#cache.fetch(key, options);
  }

  has(key: string, options?: LRUCache.HasOptions<string, V, unknown>): boolean {
    return this.#cache.has(key, options);
  }
}

describe('the types are by the names of lru-cache', () => {
  test('options, with a context that must be given', async () => {
    const cache = new LRUCache<string, Page, Caller>(settings());
    const status: LRUCache.Status<string, Page, Caller> = {};
    expect(await cache.fetch('a', { context: { user: 'ada' }, status })).toEqual({ body: 'aada' });
    expect([status.fetch, cache.calculatedSize]).toEqual(['miss', 4]);
    expectTypeOf(await cache.forceFetch('a', { context: { user: 'ada' } })).toEqualTypeOf<Page>();
    const wrong = async (): Promise<void> => {
      // @ts-expect-error: no context
      await cache.fetch('a');
      // @ts-expect-error: no context
      await cache.forceFetch('a', {});
      // @ts-expect-error: another context
      await cache.fetch('a', { context: { name: 'ada' } });
      // @ts-expect-error: no context
      cache.memo('a');
    };
    expect(wrong).toBeTypeOf('function');
  });

  test('a context that may not be given, and one that need not be', async () => {
    const none = new LRUCache<string, string, void>({ max: 2, fetchMethod: (key) => key });
    const maybe = new LRUCache<string, string, number | undefined>({ max: 2, fetchMethod: (key) => key });
    expect([await none.fetch('a'), await none.fetch('b', { allowStale: true })]).toEqual(['a', 'b']);
    expect([await maybe.fetch('a', { context: 1 }), await maybe.fetch('b', { context: undefined })]).toEqual([
      'a',
      'b',
    ]);
    const wrong = async (): Promise<void> => {
      // @ts-expect-error: a context
      await none.fetch('a', { context: { a: 1 } });
    };
    expect(wrong).toBeTypeOf('function');
  });

  test('a limit of one kind is needed', () => {
    // @ts-expect-error: no limit
    expect(() => new LRUCache<string, string>({})).toThrow(TypeError);
    // @ts-expect-error: no options
    expect(() => new LRUCache<string, string>()).toThrow(TypeError);
    // @ts-expect-error: a time to live is no limit, unless it is said whether timers purge
    expect(() => new LRUCache<string, string>({ ttl: 1 })).not.toThrow();
    // @ts-expect-error: values may not be undefined
    expect(new LRUCache<string, string | undefined>({ max: 1 }).size).toBe(0);
  });

  test("a class of one's own", () => {
    const lengths = new Lengths<number>();
    expect([lengths.lengthOf(7), lengths.get(7), lengths instanceof LRUCache]).toEqual([11, 'length of 7', true]);
    const copy: LRUCache<number, string> = new LRUCache(lengths);
    copy.load(lengths.dump());
    expect([...copy]).toEqual([[7, 'length of 7']]);
  });

  test('something generic', async () => {
    const pages = new Registry<Page>({ max: 3, fetchMethod: async (key) => ({ body: key }) });
    expect([await pages.find('x'), pages.has('x', { updateAgeOnHas: true })]).toEqual([{ body: 'x' }, true]);
  });

  test('what methods take and give', () => {
    const cache = new LRUCache<string, Page>({ max: 3, memoMethod: (key) => ({ body: key }) });
    const memo: LRUCache.Memoizer<string, Page, string> = (key, _stale, { context, options }) => {
      expectTypeOf(context).toEqualTypeOf<string>();
      expectTypeOf(options.ttl).toEqualTypeOf<number | undefined>();
      return { body: key + context };
    };
    const get: LRUCache.GetOptions<string, Page, unknown> = { allowStale: true };
    const peek: LRUCache.PeekOptions<string, Page, unknown> = { allowStale: false };
    const set: LRUCache.SetOptions<string, Page, unknown> = { ttl: 5, start: performance.now() };
    cache.set('a', { body: 'b' }, set).set('c', undefined);
    expectTypeOf(cache.get('a', get)).toEqualTypeOf<Page | undefined>();
    expectTypeOf(cache.peek('a', peek)).toEqualTypeOf<Page | undefined>();
    expectTypeOf(cache.memo('a')).toEqualTypeOf<Page>();
    expectTypeOf(cache.info('a')).toEqualTypeOf<LRUCache.Entry<Page> | undefined>();
    expectTypeOf(cache.dump()).toEqualTypeOf<[string, LRUCache.Entry<Page>][]>();
    expectTypeOf(cache.find(({ body }, key, self) => body === key && self === cache)).toEqualTypeOf<Page | undefined>();
    expectTypeOf([...cache]).toEqualTypeOf<[string, Page][]>();
    expectTypeOf(cache.keys()).toEqualTypeOf<Generator<string, void, unknown>>();
    expectTypeOf(cache.ttl).toEqualTypeOf<LRUCache.Milliseconds>();
    const alike = new LRUCache<string, Page, string>({ max: 1, memoMethod: memo });
    expect(alike.memo('a', { context: 'b' })).toEqual({ body: 'ab' });
  });
});
