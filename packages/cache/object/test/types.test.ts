import type { Plugin } from '@core/framework';
import type { ShrinkerSpec } from '@core/shrinker';
import { describe, expectTypeOf, it } from 'vitest';
import {
  type DisposeReason,
  type FetchOptions,
  type Load,
  type LoadContext,
  ObjectCache,
  objectCache,
  ObjectCacheError,
  type ObjectCacheErrorCode,
  type ObjectCacheOptions,
  type ObjectCacheStats,
  type ObjectGuard,
  type SetOptions,
} from '../src/index.js';

describe('types', () => {
  const cache = new ObjectCache<string, Uint8Array>();

  it('gives every option a default', () => {
    expectTypeOf<ConstructorParameters<typeof ObjectCache<string, number>>>().toEqualTypeOf<
      [options?: ObjectCacheOptions<string, number> | undefined]
    >();
    expectTypeOf<Record<never, never>>().toExtend<ObjectCacheOptions<string, number>>();
    expectTypeOf<Record<never, never>>().toExtend<SetOptions>();
    expectTypeOf<Record<never, never>>().toExtend<FetchOptions<string, number>>();
  });

  it('infers keys and values from its callbacks', () => {
    const inferred = new ObjectCache({
      load: (key: number) => Promise.resolve(`${key}`),
      sizeOf: (value: string) => value.length,
    });
    expectTypeOf(inferred).toEqualTypeOf<ObjectCache<number, string>>();
  });

  it('may miss where nothing is loaded, and not where something is', () => {
    expectTypeOf(cache.get('a')).toEqualTypeOf<Uint8Array | undefined>();
    expectTypeOf(cache.peek('a')).toEqualTypeOf<Uint8Array | undefined>();
    expectTypeOf(cache.acquire('a')).toEqualTypeOf<ObjectGuard<string, Uint8Array> | undefined>();
    expectTypeOf(cache.fetch).returns.toEqualTypeOf<Promise<Uint8Array>>();
    expectTypeOf(cache.acquireOrLoad).returns.toEqualTypeOf<Promise<ObjectGuard<string, Uint8Array>>>();
    expectTypeOf(cache.getOrCreate).returns.toEqualTypeOf<Uint8Array>();
  });

  it('keeps what is synchronous synchronous in use(), but for a load', () => {
    expectTypeOf(cache.use('a', (value) => value.length)).toEqualTypeOf<number | Promise<number> | undefined>();
    expectTypeOf(cache.use('a', async (value) => value.length)).toEqualTypeOf<Promise<number> | undefined>();
  });

  it('is a map as far as it goes', () => {
    expectTypeOf(cache.set('a', new Uint8Array())).toEqualTypeOf<ObjectCache<string, Uint8Array>>();
    expectTypeOf(cache).toExtend<Iterable<[string, Uint8Array]>>();
    expectTypeOf(cache).toExtend<AsyncDisposable>();
    expectTypeOf(cache.keys()).toEqualTypeOf<IterableIterator<string>>();
    expectTypeOf(cache.values()).toEqualTypeOf<IterableIterator<Uint8Array>>();
    expectTypeOf(cache.size).toEqualTypeOf<number>();
    expectTypeOf(cache.stats()).toEqualTypeOf<ObjectCacheStats>();
    expectTypeOf(cache.asShrinker()).toEqualTypeOf<ShrinkerSpec>();
    // @ts-expect-error -- not the cache's key
    cache.get(1);
    // @ts-expect-error -- not the cache's value
    cache.set('a', 'a');
  });

  it('tells its callbacks what they need', () => {
    expectTypeOf<Load<string, number>>().parameters.toEqualTypeOf<[key: string, context: LoadContext<number>]>();
    expectTypeOf<LoadContext<number>['stale']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<NonNullable<ObjectCacheOptions<string, number>['dispose']>>().parameters.toEqualTypeOf<
      [value: number, key: string, reason: DisposeReason]
    >();
    expectTypeOf<DisposeReason>().toEqualTypeOf<'evict' | 'expire' | 'set' | 'delete' | 'reject'>();
  });

  it('makes plugins', () => {
    expectTypeOf(objectCache<string, number>({ max: 1 })).toEqualTypeOf<Plugin<ObjectCache<string, number>>>();
    expectTypeOf(objectCache()).toEqualTypeOf<Plugin<ObjectCache<unknown, unknown>>>();
  });

  it('codes its errors, and disposes of its guards', () => {
    expectTypeOf<ObjectCacheError['code']>().toEqualTypeOf<ObjectCacheErrorCode>();
    expectTypeOf(ObjectCacheError.is).guards.toEqualTypeOf<ObjectCacheError>();
    expectTypeOf<ObjectGuard<string, number>>().toExtend<Disposable>();
    expectTypeOf<ObjectGuard<string, number>['value']>().toEqualTypeOf<number>();
  });
});
