import { describe, expect, test } from 'vitest';
import { KeyHandle } from '../src/index.js';
import { add, bytes, gate, insides, makeCache, text, turns, type Made } from './support/make-cache.js';
import { control, readAll, rested } from './support/shrink.js';
import { TestStore } from './support/test-store.js';

// Tests named by a commit are of what the kernel's cache had to fix.
describe('keys that change hands', () => {
  /** A handle on a key whose place another key has taken. */
  async function reused(made: Made): Promise<string | undefined> {
    const { cache } = made;
    await cache.get('a');
    return cache.transaction(async (transaction) => {
      const handle = transaction.find('a') as KeyHandle;
      await rested(made);
      cache.asShrinker().scan(control(10));
      expect(cache.stats()).toMatchObject({ keys: 0, pending: 1 });
      await cache.get('b');
      expect(cache.stats()).toMatchObject({ keys: 1, pending: 0, fromPending: 1 });
      return text(handle.read());
    });
  }

  test('85771bb1e: who has found a key sees when it is another one', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: 'of a', b: 'of b' }) });
    expect(await reused(made)).toBeUndefined();
    await made.cache.close();
  });

  test('busted: without the second look, it reads another key’s value', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: 'of a', b: 'of b' }) });
    const prototype = KeyHandle.prototype as any;
    const { find } = prototype;
    prototype.find = function (this: any) {
      return this.cached;
    };
    try {
      expect(await reused(made)).toBe('of b');
    } finally {
      prototype.find = find;
    }
    await made.cache.close();
  });

  test('a handle finds its key again', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: '1' }) });
    const { cache } = made;
    await cache.get('a');
    let kept: KeyHandle | undefined;
    await cache.transaction(async (transaction) => {
      expect(transaction.find('none')).toBeUndefined();
      kept = transaction.find('a');
      cache.asShrinker().scan(control(10));
      expect([kept?.isCached, kept?.read()]).toEqual([false, undefined]);
      await cache.get('b');
      await cache.update('a', add(1));
      expect([kept?.isCached, text(kept?.read())]).toEqual([true, '2']);
    });
    const over = expect.objectContaining({ code: 'ERR_BTREE_KEY_TRANSACTION_OVER' }) as Error;
    expect(() => kept?.read()).toThrow(over);
    let late: unknown;
    expect(cache.transaction((transaction) => (late = transaction)) && 1).toBe(1);
    expect(() => (late as any).find('a')).toThrow(over);
    expect(() =>
      cache.transaction(() => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
    await expect(cache.transaction(() => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    await cache.close();
  });

  test('1386402f1: without room a read is answered by the store, and a write waits', async () => {
    const made = await makeCache({ store: new TestStore().preset({ cold: '7' }) });
    const { cache, store } = made;
    await cache.put('other', bytes('dirty'));
    const { allocator } = insides(cache).core;
    const { take } = allocator;
    allocator.take = () => null;
    expect(text(await cache.get('cold'))).toBe('7');
    const { promise, open } = gate();
    store.before = (action) => (action === 'batch' ? promise : undefined);
    let written = false;
    const writing = cache.update('cold', add(1)).then(() => {
      written = true;
    });
    await turns(5);
    expect([written, cache.stats().uncached]).toEqual([false, 1]);
    allocator.take = take;
    open();
    await writing;
    expect(text(await cache.get('cold'))).toBe('8');
    // What is dirty was flushed to make room.
    expect(cache.stats().flushedKeys).toBe(1);
    cache.checkInvariants();
    await cache.close();
  });

  test('80f098817: what a large value took is given back', async () => {
    const made = await makeCache();
    await made.cache.put('large', new Uint8Array(100_000));
    await made.cache.put('small', new Uint8Array(10));
    const { bytes: before } = made.cache.stats();
    expect(before).toBeGreaterThan(150_000);
    await made.cache.put('large', new Uint8Array(10));
    // It moves to a smaller array as soon as nothing of the old value is needed.
    await made.cache.put('large', new Uint8Array(10));
    expect(made.cache.stats().bytes).toBeLessThan(2000);
    made.cache.checkInvariants();
    await made.cache.close();
    expect(made.cache.stats().bytes).toBe(0);
  });

  test('5c4d1e61c: what is taken from those that wait is not counted among them any more', async () => {
    const made = await makeCache();
    await readAll(made, 300);
    await rested(made);
    await made.cache.transaction(async () => {
      made.cache.asShrinker().scan(control(300));
      expect(made.cache.stats().pending).toBe(300);
      await readAll(made, 100, 'new');
      expect(made.cache.stats()).toMatchObject({ pending: 200, fromPending: 100, keys: 100 });
      made.cache.checkInvariants();
    });
    await made.cache.close();
    expect(made.cache.stats().pending).toBe(0);
  });

  test('2ac65d0e8: a key that lost the race to be added waits for readers too', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: '1' }) });
    const { core } = insides(made.cache);
    const { take } = core.allocator;
    core.allocator.take = (key: string, valueBytes: number) => {
      const taken = take.call(core.allocator, key, valueBytes);
      core.allocator.take = take;
      // Whoever makes room may run anything: a shrinker's callback that reads this very key.
      void made.cache.get('a');
      return taken;
    };
    expect(text(await made.cache.get('a'))).toBe('1');
    expect(made.cache.stats()).toMatchObject({ keys: 1, duplicates: 1, pending: 1 });
    made.cache.checkInvariants();
    await made.cache.close();
  });

  test('23b59f3e8: reuse does not depend on the order in which keys began to wait', async () => {
    const made = await makeCache();
    const { cache } = made;
    for (let key = 0; key < 60; key++) {
      await cache.put(`k${key}`, new Uint8Array(key % 3 === 0 ? 5000 : 50));
    }
    await cache.flush();
    await cache.transaction(async () => {
      for (let pass = 0; pass < 4; pass++) {
        await rested(made);
        cache.asShrinker().scan(control(30));
        await turns(2);
      }
      const { pending } = cache.stats();
      expect(pending).toBe(60);
      await Promise.all(Array.from({ length: 60 }, (_, key) => cache.put(`n${key}`, new Uint8Array(50))));
      expect(cache.stats().fromPending).toBeGreaterThanOrEqual(40);
      cache.checkInvariants();
    });
    await cache.close();
  });

  test('896705812: who needs room lets go of its locks before it waits', async () => {
    const made = await makeCache({ maxBytes: 65_536 });
    const { cache } = made;
    const half = (from: number) =>
      cache.batch(
        Array.from({ length: 40 }, (_, at) => ({
          type: 'update' as const,
          key: `k${(from + at * 3) % 120}`,
          update: async (value: Uint8Array | undefined) => {
            await turns(1);
            return add(1)(value);
          },
        })),
      );
    await Promise.all(Array.from({ length: 12 }, (_, index) => half(index * 10)));
    let sum = 0;
    for (let key = 0; key < 120; key++) {
      sum += Number(text(await cache.get(`k${key}`)) ?? 0);
    }
    expect(sum).toBe(480);
    cache.checkInvariants();
    await cache.close();
  });
});
