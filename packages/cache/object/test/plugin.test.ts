import { createHost, type ErroredEvent, FrameworkError, HostEventEmitter, TOKENS } from '@core/framework';
import { ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { ObjectCache, type ObjectGuard, objectCache, ObjectCacheError } from '../src/index.js';
import { microtasks } from './support/test-loop.js';

interface User {
  readonly name: string;
}

async function turns(count = 6): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await microtasks();
  }
}

describe('objectCache', () => {
  test('gives a host a cache, found by class and by plugin', async () => {
    const ended: string[] = [];
    const plugin = objectCache<string, User>({ max: 2, dispose: (user) => void ended.push(user.name) });
    const host = await createHost({ plugins: [plugin] });
    const users = host.get(plugin);
    expect(host.get(ObjectCache)).toBe(users);
    expect([users.name, users.max]).toEqual(['object', 2]);
    users.set('a', { name: 'ada' }).set('b', { name: 'bob' });
    users.delete('a');
    await turns();
    expect(ended).toEqual(['ada']);
    await host.close();
    expect(ended).toEqual(['ada', 'bob']);
    expect(() => users.set('c', { name: 'cy' })).toThrow(ObjectCacheError);
  });

  test('several are told apart by name', async () => {
    const users = objectCache<string, User>({ name: 'users', max: 1 });
    const pages = objectCache<number, string>({ name: 'pages', max: 2 });
    await using host = await createHost({ plugins: [users, pages] });
    host.get(users).set('a', { name: 'ada' });
    host.get(pages).set(1, 'one').set(2, 'two').set(3, 'three');
    expect([host.get(users).size, host.get(pages).size]).toEqual([1, 2]);
    expect(host.get(ObjectCache, 'users')).toBe(host.get(users));
    expect([host.get(users).name, host.get(pages).name]).toEqual(['users', 'pages']);
    const { plugins } = host.stats();
    expect(JSON.stringify(plugins)).toContain('"evictions":1');
  });

  test('two of one name are refused', async () => {
    await expect(createHost({ plugins: [objectCache(), objectCache()] })).rejects.toMatchObject({
      code: 'ERR_DUPLICATE_PLUGIN',
    });
  });

  test('an option out of range fails the start', async () => {
    await expect(createHost({ plugins: [objectCache({ max: 0 })] })).rejects.toMatchObject({
      code: 'ERR_START_FAILED',
      cause: expect.any(RangeError) as RangeError,
    });
  });

  test('gives back under host.reclaim', async () => {
    const ended: number[] = [];
    const plugin = objectCache<number, number>({ dispose: (value) => void ended.push(value) });
    await using host = await createHost({ plugins: [plugin] });
    const cache = host.get(plugin);
    for (let key = 0; key < 1000; key++) {
      cache.set(key, key);
    }
    using guard = cache.acquire(0);
    for (let pass = 0; pass < 10 && cache.size > 1; pass++) {
      await host.reclaim();
    }
    expect([...cache.keys()]).toEqual([0]);
    await turns();
    expect(ended).toHaveLength(999);
    expect(guard?.value).toBe(0);
    cache.checkInvariants();
  });

  test('in a group that is made of the host’s root', async () => {
    const plugin = objectCache<number, string>({
      group: (root) => root.child('tenant', { max: 20_000 }),
    });
    await using host = await createHost({ plugins: [plugin] });
    const root = host.get(TOKENS.MemoryGroup);
    const cache = host.get(plugin);
    for (let key = 0; key < 1000; key++) {
      cache.set(key, 'x'.repeat(880));
    }
    // The limit reached it, so its shrinker is registered, and attached.
    expect([cache.size > 15, cache.stats().uncharged]).toEqual([true, 0]);
    const [group] = root.children();
    expect(group?.usage()).toBe(cache.stats().chargedBytes);
    expect(group?.usage()).toBeLessThanOrEqual(20_000);
    await cache.close();
    expect(root.usage()).toBe(0);
  });

  test('in the host’s root by default, and in none when the host’s memory is off', async () => {
    const plugin = objectCache<number, string>();
    await using host = await createHost({ plugins: [plugin] });
    const { chargedBytes } = host.get(plugin).set(1, 'x'.repeat(1000)).stats();
    expect(chargedBytes).toBeGreaterThan(1000);
    expect(host.get(TOKENS.MemoryGroup).usage()).toBe(chargedBytes);
    const unwatched = objectCache<number, string>();
    await using off = await createHost({ plugins: [unwatched], memory: 'off' });
    expect(off.get(unwatched).set(1, 'x'.repeat(1000)).stats().chargedBytes).toBe(0);
  });

  test('in a group that is given, or in none', async () => {
    const registry = new ShrinkerRegistry();
    // Of another registry: the host's passes could not reach it.
    const foreign = objectCache<number, string>({ group: registry.root });
    await expect(createHost({ plugins: [foreign] })).rejects.toMatchObject({ code: 'ERR_START_FAILED' });
    const plugin = objectCache<number, string>({ group: null });
    await using host = await createHost({ plugins: [plugin] });
    expect(host.get(plugin).set(1, 'a').stats().chargedBytes).toBe(0);
  });

  test('tells the host of errors', async () => {
    const events = new HostEventEmitter();
    const errors: ErroredEvent[] = [];
    events.on('errored', (event) => void errors.push(event));
    const plugin = objectCache<string, string>({
      dispose() {
        throw new Error('stuck');
      },
    });
    const host = await createHost({ plugins: [plugin], events });
    host.get(plugin).set('a', 'a').delete('a');
    await turns();
    expect(errors.map(({ error }) => (error as Error).message)).toEqual(['stuck']);
    await host.close();
  });

  test('or whoever the options name', async () => {
    const errors: unknown[] = [];
    const plugin = objectCache<string, string>({
      dispose() {
        throw new Error('stuck');
      },
      onError: (error, key) => void errors.push([(error as Error).message, key]),
    });
    await using host = await createHost({ plugins: [plugin] });
    host.get(plugin).set('a', 'a').delete('a');
    await turns();
    expect(errors).toEqual([['stuck', 'a']]);
  });

  test('follows the host’s clock', async () => {
    let nowMs = 0;
    const timers: (() => void)[] = [];
    const plugin = objectCache<string, string>({ ttlMs: 10 });
    await using host = await createHost({
      plugins: [plugin],
      clock: { now: () => nowMs },
      scheduler: {
        nextTurn: (callback) => void setImmediate(callback),
        after(_, callback) {
          timers.push(callback);
          return { cancel() {} };
        },
      },
    });
    const cache = host.get(plugin);
    cache.set('a', 'a');
    nowMs = 10;
    for (const timer of timers.splice(0)) {
      timer();
    }
    expect(cache.get('a')).toBeUndefined();
  });

  test('a host that closes over guards says so, and what they hold follows', async () => {
    const ended: string[] = [];
    const plugin = objectCache<string, string>({ name: 'files', dispose: (value) => void ended.push(value) });
    const host = await createHost({ plugins: [plugin] });
    const cache = host.get(plugin);
    cache.set('a', 'a').set('b', 'b');
    const guard = cache.acquire('a') as ObjectGuard<string, string>;
    const failure = await host.close().then(
      () => null,
      (error: unknown) => error,
    );
    expect(FrameworkError.is(failure) && failure.code).toBe('ERR_CLOSE_FAILED');
    const [cause] = ((failure as FrameworkError).cause as AggregateError).errors as unknown[];
    expect(ObjectCacheError.is(cause) && cause.code).toBe('ERR_OBJECT_CACHE_HELD');
    expect((failure as FrameworkError).message).toContain('"files": 1 holds are open, of key "a"; release');
    expect(ended).toEqual(['b']);
    guard.release();
    await turns();
    expect(ended).toEqual(['b', 'a']);
  });

  test('a host closes while a load that ignores its signal goes on', async () => {
    let finish!: (value: string) => void;
    const ended: string[] = [];
    const plugin = objectCache<string, string>({
      load: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
      dispose: (value) => void ended.push(value),
    });
    const host = await createHost({ plugins: [plugin] });
    const loading = host.get(plugin).acquireOrLoad('a');
    await Promise.all([host.close(), expect(loading).rejects.toMatchObject({ code: 'ERR_OBJECT_CACHE_CLOSED' })]);
    finish('late');
    await turns();
    expect(ended).toEqual(['late']);
  });
});
