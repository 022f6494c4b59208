import type { SrcuReport } from '@core/rcu';
import { ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { bytes, gate, insides, makeCache, text, turns } from './support/make-cache.js';
import { control } from './support/shrink.js';
import { TestStore } from './support/test-store.js';

describe('writers', () => {
  test('wait above three quarters of dirty keys, and go on below five eighths', async () => {
    const made = await makeCache({ maxBytes: Infinity });
    const { cache, store } = made;
    const { promise, open } = gate();
    store.before = (action) => (action === 'batch' ? promise : undefined);
    const { core } = insides(cache);
    const writes = Array.from({ length: 17_000 }, (_, index) => cache.put(`k${index}`, bytes('1'), { durable: false }));
    await turns(10);
    const { dirty } = cache.stats();
    // One above the mark of as many keys as there were in that moment.
    expect(dirty).toBeGreaterThan(16_384);
    expect(dirty).toBeLessThanOrEqual(4096 + (17_000 * 3) / 4 + 1);
    expect(core.mustWait).toBe(true);
    const before = dirty;
    let went = 0;
    writes.at(-1)?.then(() => {
      went = cache.stats().dirty;
    });
    open();
    await Promise.all(writes);
    expect(went).toBeLessThanOrEqual(2048 + (before * 5) / 8 + 700);
    expect(cache.stats().throttled).toBeGreaterThan(0);
    cache.checkInvariants();
    await cache.close();
  });

  test('that wait hear when the cache is closed', async () => {
    const made = await makeCache({ maxBytes: 65_536 });
    const { cache, store } = made;
    const { promise, open } = gate();
    store.before = (action) => (action === 'batch' ? promise : undefined);
    const writing = Promise.allSettled(Array.from({ length: 300 }, (_, index) => cache.put(`k${index}`, bytes('1'))));
    await turns(5);
    const closing = cache.close();
    await turns(2);
    open();
    const results = await writing;
    await closing;
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ reason }) => (reason as { code: string }).code === 'ERR_BTREE_KEY_CLOSED')).toBe(true);
    expect(Object.keys(store.contents)).toHaveLength(300 - refused.length);
  });
});

describe('memory', () => {
  test('stays within its limit under churn, while a reader is open, and keys are used again', async () => {
    const made = await makeCache({ maxBytes: 200_000 });
    const { cache } = made;
    await cache.transaction(async () => {
      for (let key = 0; key < 20_000; key++) {
        if (key % 3 === 0) {
          await cache.get(`k${key}`);
        } else {
          await cache.put(`k${key}`, new Uint8Array(key % 90), { durable: false });
        }
        expect(cache.stats().bytes).toBeLessThanOrEqual(200_000);
      }
    });
    const { fromPending, recycled, fresh, stolen } = cache.stats();
    expect((fromPending + recycled + stolen) / (fromPending + recycled + stolen + fresh)).toBeGreaterThan(0.8);
    expect(fromPending).toBeGreaterThan(stolen);
    cache.checkInvariants();
    await cache.close();
  });

  test('in a group, within its max, and given back as a whole', async () => {
    await using registry = new ShrinkerRegistry({
      onError: (error) => {
        throw error;
      },
    });
    const group = registry.root.child('tenant', { max: 150_000 });
    const made = await makeCache({ group });
    const { cache } = made;
    const shrinker = registry.alloc(cache.asShrinker());
    registry.register(shrinker);
    cache.attach(shrinker);
    for (let key = 0; key < 3000; key++) {
      await (key % 2 === 0 ? cache.get(`k${key}`) : cache.put(`k${key}`, new Uint8Array(100)));
      expect(group.usage()).toBeLessThanOrEqual(150_000);
      expect(group.usage()).toBe(cache.stats().chargedBytes);
      if (key % 100 === 0) {
        cache.checkInvariants();
      }
    }
    expect(cache.stats().keys).toBeGreaterThan(150);
    await cache.flush();
    expect(registry.shrinkSlabSync({ group, priority: 0 })).toBeGreaterThan(0);
    await registry.free(shrinker);
    await cache.close();
    expect(group.usage()).toBe(0);
  });

  test('a group that has no room for a single key', async () => {
    const group = new ShrinkerRegistry().root.child('tenant', { max: 100 });
    const { cache } = await makeCache({ group, store: new TestStore().preset({ a: '1' }) });
    expect(text(await cache.get('a'))).toBe('1');
    await expect(cache.put('a', bytes('2'))).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_TOO_LARGE' });
    await cache.close();
  });

  test('a value that grows beyond what its group takes', async () => {
    const group = new ShrinkerRegistry().root.child('tenant', { max: 20_000 });
    const { cache } = await makeCache({ group });
    await cache.put('a', bytes('1'));
    const grown = Promise.allSettled([
      cache.put('a', new Uint8Array(100_000)),
      cache.update('b', () => new Uint8Array(200_000)),
      cache.batch([{ type: 'update', key: 'a', update: () => new Uint8Array(100_000) }]),
    ]);
    const codes = (await grown).map((result) => (result as { reason?: { code: string } }).reason?.code);
    expect(codes).toEqual(Array.from({ length: 3 }, () => 'ERR_BTREE_KEY_TOO_LARGE'));
    expect(text(await cache.get('a'))).toBe('1');
    await cache.put('c', bytes('3'));
    cache.checkInvariants();
    await cache.close();
    expect(group.usage()).toBe(0);
  });

  test('a transaction that stays too long is reported', async () => {
    const reports: SrcuReport[] = [];
    let nowMs = 0;
    const timers: (() => void)[] = [];
    const made = await makeCache({
      stallMs: 10,
      onReport: (report) => void reports.push(report),
      clock: { now: () => nowMs },
      scheduler: {
        nextTurn: (callback) => void setImmediate(callback),
        after(_, callback) {
          timers.push(callback);
          return { cancel() {} };
        },
      },
    });
    await made.cache.get('a');
    const { promise, open } = gate();
    const reading = made.cache.transaction(async function summing() {
      await promise;
    });
    made.cache.asShrinker().scan(control(10));
    await turns(2);
    nowMs = 11;
    for (const timer of timers.splice(0)) {
      timer();
    }
    expect(reports.map(({ label }) => label)).toContain('summing');
    open();
    await reading;
    await made.cache.close();
  });

  test('counters as text', async () => {
    const { cache } = await makeCache();
    await cache.put('a', bytes('1'));
    expect(cache.describe()).toMatch(/^name:\tbtree-key\nkeys:\t1\ndirty:\t1\n/);
    expect(cache.describe()).toContain('skipped_lock_fail:\t0\n');
    await cache.close();
  });
});
