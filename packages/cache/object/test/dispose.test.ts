import { Rcu, Srcu } from '@core/rcu';
import { describe, expect, test, vi } from 'vitest';
import { ObjectCache } from '../src/index.js';
import { deferred, makeCache } from './support/make-cache.js';
import { microtasks, TestLoop } from './support/test-loop.js';

describe('reasons', () => {
  test('evict, set, delete, expire, reject, each value once', () => {
    const { cache, loop, ended } = makeCache<string, string>({ max: 2, maxBytes: 10, ttlMs: 5, sizeOf: () => 1 });
    cache.set('a', 'a1').set('a', 'a2').set('b', 'b').set('c', 'c');
    // The update has marked a as used.
    expect([...cache.keys()]).toEqual(['a', 'c']);
    cache.delete('c');
    cache.set('d', 'd', { size: 11 });
    cache.set('a', 'a3', { size: 11 });
    cache.set('e', 'e');
    loop.timeMs = 5;
    cache.get('e');
    cache.set('f', 'f').set('g', 'g');
    cache.clear();
    loop.runSync();
    expect(ended).toEqual([
      ['a', 'a1', 'set'],
      ['b', 'b', 'evict'],
      ['c', 'c', 'delete'],
      ['d', 'd', 'reject'],
      ['a', 'a2', 'set'],
      ['a', 'a3', 'reject'],
      ['e', 'e', 'expire'],
      ['f', 'f', 'delete'],
      ['g', 'g', 'delete'],
    ]);
    expect(cache.stats()).toMatchObject({ evictions: 1, expirations: 1, rejected: 2, disposed: 9, retired: 0 });
  });

  test('storing the same value again disposes of nothing', () => {
    const { cache, loop, ended } = makeCache<string, object>({ maxBytes: 10 });
    const value = {};
    cache.set('a', value, { size: 1 }).set('a', value, { size: 2 });
    loop.runSync();
    expect([ended.length, cache.bytes]).toEqual([0, 2]);
  });

  test('a stored value that has grown too large is disposed of once', () => {
    const { cache, loop, ended } = makeCache<string, object>({ maxBytes: 10 });
    const value = {};
    cache.set('a', value, { size: 1 }).set('a', value, { size: 11 });
    loop.runSync();
    expect(ended).toEqual([['a', value, 'reject']]);
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });
});

describe('when', () => {
  test('never before the turn is over, and in a turn of its own', async () => {
    const { cache, loop, ended } = makeCache<string, string>({ max: 1 });
    cache.set('a', 'a');
    const found = cache.get('a');
    cache.set('b', 'b');
    expect(ended).toEqual([]);
    await Promise.resolve();
    await Promise.resolve();
    expect([ended.length, found]).toEqual([0, 'a']);
    loop.runTurn();
    expect(ended).toEqual([['a', 'a', 'evict']]);
  });

  test('what leaves while a grace period runs waits for the next one', () => {
    const { cache, loop, ended } = makeCache<string, string>();
    cache.set('a', 'a').set('b', 'b');
    cache.delete('a');
    // The grace period of a has begun with it, so b may have readers that it does not see.
    cache.delete('b');
    loop.runTurn();
    expect(ended).toEqual([['a', 'a', 'delete']]);
    loop.runSync();
    expect(ended).toHaveLength(2);
  });

  test('on the real event loop: after a setImmediate, not before', async () => {
    const ended: string[] = [];
    const cache = new ObjectCache<string, string>({ dispose: (value) => void ended.push(value) });
    cache.set('a', 'a');
    cache.delete('a');
    await new Promise((resolve) => {
      process.nextTick(resolve);
    });
    expect(ended).toEqual([]);
    await microtasks();
    await microtasks();
    expect(ended).toEqual(['a']);
  });

  test('not while a reader of the given domain is open', async () => {
    const loop = new TestLoop();
    const srcu = new Srcu({ clock: loop, scheduler: loop });
    const ended: string[] = [];
    const cache = new ObjectCache<string, string>({
      rcu: srcu,
      scheduler: loop,
      dispose: (value) => void ended.push(value),
    });
    cache.set('a', 'a');
    const index = srcu.readLock();
    cache.delete('a');
    await loop.runAll();
    expect(ended).toEqual([]);
    srcu.readUnlock(index);
    await loop.runAll();
    expect(ended).toEqual(['a']);
  });

  test('many values leave together, in order', () => {
    const { cache, loop, ended } = makeCache<number, number>({ max: 10 });
    for (let key = 0; key < 1000; key++) {
      cache.set(key, key);
      cache.checkInvariants();
      expect(cache.stats().retired).toBe(Math.max(0, key - 9));
    }
    loop.runSync();
    expect(ended.map(([key]) => key)).toEqual(Array.from({ length: 990 }, (_, key) => key));
    expect(cache.stats()).toMatchObject({ retired: 0, disposed: 990 });
    cache.checkInvariants();
  });

  test('a flavour that tells of no advance is used as well', () => {
    const loop = new TestLoop();
    const rcu = new Rcu({ clock: loop, scheduler: loop });
    const silent = new Proxy(rcu, {
      get(target, name) {
        const found: unknown = name === 'notifyAdvance' ? undefined : Reflect.get(target, name, target);
        return typeof found === 'function' ? (found.bind(target) as unknown) : found;
      },
    });
    const { cache, ended } = makeCache<number, number>({ max: 1, rcu: silent });
    for (let key = 0; key < 100; key++) {
      cache.set(key, key);
      cache.checkInvariants();
    }
    expect(ended).toEqual([]);
    loop.runSync();
    expect(ended).toHaveLength(99);
  });

  test('without dispose nothing waits for anything', () => {
    const loop = new TestLoop();
    const cache = new ObjectCache<number, number>({ max: 1, rcu: new Rcu({ clock: loop, scheduler: loop }) });
    cache.set(1, 1).set(2, 2);
    expect(cache.stats()).toMatchObject({ retired: 0, evictions: 1 });
    expect(loop.runTurn()).toBe(false);
  });
});

describe('callbacks', () => {
  test('an error goes to onError with its key, and the others are still disposed of', () => {
    const errors: unknown[] = [];
    const done: string[] = [];
    const { cache, loop } = makeCache<string, string>({
      dispose(value) {
        if (value === 'b') {
          throw new Error('b is stuck');
        }
        done.push(value);
      },
      onError: (error, key) => void errors.push([(error as Error).message, key]),
    });
    cache.set('a', 'a').set('b', 'b').set('c', 'c').clear();
    loop.runSync();
    expect([done, errors]).toEqual([['a', 'c'], [['b is stuck', 'b']]]);
    expect(cache.stats()).toMatchObject({ disposed: 3, retired: 0 });
  });

  test('promises are waited for by close, and their errors reported', async () => {
    const errors: unknown[] = [];
    const ends = new Map([
      ['a', deferred<void>()],
      ['b', deferred<void>()],
    ]);
    const { cache, loop } = makeCache<string, string>({
      dispose: (_, key) => ends.get(key)?.promise,
      onError: (error, key) => void errors.push([error, key]),
    });
    cache.set('a', 'a').set('b', 'b').set('c', 'c');
    let closed = false;
    const closing = cache.close().then(() => {
      closed = true;
    });
    await loop.runAll();
    expect([closed, cache.stats().retired]).toEqual([false, 0]);
    ends.get('a')?.resolve();
    await microtasks();
    expect(closed).toBe(false);
    ends.get('b')?.reject('no end');
    await closing;
    expect(errors).toEqual([['no end', 'b']]);
  });

  test('dispose may call back into the cache', () => {
    const { cache, loop } = makeCache<number, string>({
      max: 2,
      dispose(value, key) {
        if (key < 50) {
          cache.set(key + 2, `${value}'`);
        }
        cache.checkInvariants();
      },
    });
    cache.set(0, 'a').set(1, 'b').set(2, 'c');
    loop.runSync();
    cache.checkInvariants();
    expect(cache.stats().retired).toBe(0);
    expect(cache.size).toBe(2);
  });

  test('dispose may clear and close the cache', async () => {
    const { cache, loop } = makeCache<number, string>({
      dispose(_, key) {
        if (key === 0) {
          cache.clear();
        } else if (key === 1) {
          void cache.close();
        }
      },
    });
    cache.set(0, 'a').set(1, 'b').set(2, 'c').delete(0);
    await loop.runAll();
    expect(cache.stats()).toMatchObject({ size: 0, retired: 0, disposed: 3 });
    await cache.close();
  });

  test('an onError that throws is reported too, and breaks nothing', async () => {
    const uncaught: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    try {
      const { cache, loop } = makeCache<string, string>({
        dispose() {
          throw new Error('dispose');
        },
        onError() {
          throw new Error('onError');
        },
      });
      cache.set('a', 'a').set('b', 'b').clear();
      loop.runSync();
      expect(cache.stats()).toMatchObject({ disposed: 2, retired: 0 });
      await microtasks();
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) {
        process.on('uncaughtException', listener);
      }
    }
    expect(uncaught.map((error) => (error as Error).message)).toEqual(['onError', 'onError']);
  });

  test('sizeOf may call back: what it changes is seen', () => {
    const inner = vi.fn<(key: string) => void>();
    const { cache, loop, ended } = makeCache<string, string>({
      max: 2,
      maxBytes: 100,
      sizeOf(_, key) {
        inner(key);
        return 1;
      },
    });
    inner.mockImplementationOnce(() => void cache.set('a', 'inner'));
    cache.set('a', 'outer');
    expect(cache.peek('a')).toBe('outer');
    inner.mockImplementationOnce(() => cache.clear());
    cache.set('b', 'b');
    expect([...cache.keys()]).toEqual(['b']);
    inner.mockImplementationOnce(() => void cache.set('c', 'c').set('d', 'd').set('e', 'e'));
    cache.set('f', 'f');
    cache.checkInvariants();
    expect(cache.size).toBe(2);
    loop.runSync();
    expect(cache.stats().disposed).toBe(ended.length);
    expect(new Set(ended.map(([, value]) => value)).size).toBe(ended.length);
  });

  test('a cache that sizeOf closes stores nothing more', async () => {
    const { cache, loop } = makeCache<string, string>({
      sizeOf() {
        void cache.close();
        return 1;
      },
    });
    expect(() => cache.set('a', 'a')).toThrow(expect.objectContaining({ code: 'ERR_OBJECT_CACHE_CLOSED' }) as Error);
    expect(cache.size).toBe(0);
    await loop.runAll();
    cache.checkInvariants();
  });

  test('sizeOf that throws changes nothing', () => {
    const { cache, loop, ended } = makeCache<string, string>({
      sizeOf(value) {
        if (value === 'bad') {
          throw new Error('unweighable');
        }
        return 1;
      },
    });
    cache.set('a', 'good');
    expect(() => cache.set('a', 'bad')).toThrow('unweighable');
    loop.runSync();
    expect([cache.get('a'), cache.bytes, ended.length]).toEqual(['good', 1, 0]);
  });
});

describe('a domain that is closed under the cache', () => {
  test('loses no value, and is reported once', async () => {
    const srcu = new Srcu({ name: 'gone' });
    const ended: string[] = [];
    const errors: unknown[] = [];
    const cache = new ObjectCache<string, string>({
      rcu: srcu,
      policy: 'second-chance',
      max: 2,
      dispose: (value) => void ended.push(value),
      onError: (error) => void errors.push(error),
    });
    cache.set('a', 'a').set('b', 'b');
    await srcu[Symbol.asyncDispose]();
    cache.set('c', 'c');
    cache.delete('b');
    expect(ended).toEqual([]);
    cache.checkInvariants();
    expect(cache.stats()).toMatchObject({ size: 1, retired: 2 });
    await cache.close();
    expect(ended.toSorted()).toEqual(['a', 'b', 'c']);
    expect(cache.stats().retired).toBe(0);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code: 'ERR_SRCU_CLOSED' });
  });
});
