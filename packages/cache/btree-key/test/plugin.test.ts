import { createHost, type ErroredEvent, FrameworkError, HostEventEmitter, TOKENS } from '@core/framework';
import { ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { BtreeKeyCache, BtreeKeyError, btreeKeyCache } from '../src/index.js';
import { bytes, turns } from './support/make-cache.js';
import { TestJournal } from './support/test-journal.js';
import { TestStore } from './support/test-store.js';

describe('btreeKeyCache', () => {
  test('gives the host a cache, and closes it', async () => {
    const store = new TestStore();
    const journal = new TestJournal();
    const closed: string[] = [];
    store.close = async () => void closed.push('store');
    const host = await createHost({ plugins: [btreeKeyCache({ store: () => store, journal })] });
    const cache = host.get(BtreeKeyCache);
    await cache.put('a', bytes('1'));
    expect(cache.name).toBe('btree-key');
    expect(JSON.stringify(host.stats())).toContain('"dirty":1');
    await host.close();
    expect(store.contents).toEqual({ a: '1' });
    expect(closed).toEqual(['store']);
    expect(cache.stats()).toMatchObject({ keys: 0, pending: 0, bytes: 0, chargedBytes: 0 });
  });

  test('several in one host', async () => {
    const make = (name: string) => btreeKeyCache({ name, store: new TestStore(), journal: new TestJournal() });
    const counters = make('counters');
    const sessions = make('sessions');
    await using host = await createHost({ plugins: [counters, sessions] });
    await host.get(counters).put('a', bytes('1'));
    expect(await host.get(sessions).get('a')).toBeUndefined();
    expect([host.get(counters).name, host.get(sessions).name]).toEqual(['counters', 'sessions']);
  });

  test('gives back under host.reclaim, and is charged to the host’s root or to a group below', async () => {
    const plugin = btreeKeyCache({
      store: new TestStore(),
      journal: new TestJournal(),
      group: (root) => root.child('tenant', { max: 2_000_000 }),
    });
    await using host = await createHost({ plugins: [plugin] });
    const cache = host.get(plugin);
    for (let key = 0; key < 1000; key++) {
      await cache.get(`k${key}`);
    }
    const root = host.get(TOKENS.MemoryGroup);
    const [group] = root.children();
    expect(group?.usage()).toBe(cache.stats().chargedBytes);
    expect(group?.usage()).toBeGreaterThan(300_000);
    for (let pass = 0; pass < 10 && cache.stats().keys > 200; pass++) {
      await host.reclaim();
      await turns(2);
    }
    expect(cache.stats().keys).toBeLessThanOrEqual(200);
    await turns(2);
    cache.checkInvariants();
    await cache.close();
    expect(root.usage()).toBe(0);
  });

  test('one that cannot start says why, and leaves nothing open', async () => {
    const foreign = btreeKeyCache({
      store: new TestStore(),
      journal: new TestJournal(),
      group: new ShrinkerRegistry().root,
    });
    await expect(createHost({ plugins: [foreign] })).rejects.toMatchObject({ code: 'ERR_START_FAILED' });
    const wrong = btreeKeyCache({ store: new TestStore(), journal: new TestJournal(), maxBytes: 1 });
    await expect(createHost({ plugins: [wrong] })).rejects.toMatchObject({
      cause: expect.any(RangeError) as RangeError,
    });
  });

  test('tells the host of flushes that failed, and of keys that it could not flush', async () => {
    const events = new HostEventEmitter();
    const errors: ErroredEvent[] = [];
    events.on('errored', (event) => void errors.push(event));
    const store = new TestStore();
    const plugin = btreeKeyCache({ store, journal: new TestJournal() });
    const host = await createHost({ plugins: [plugin], events });
    const cache = host.get(plugin);
    store.before = (action) => {
      if (action === 'batch') {
        throw new Error('disk full');
      }
    };
    await Promise.all(Array.from({ length: 3000 }, (_, key) => cache.put(`k${key}`, bytes('1'))));
    await turns(3);
    expect(errors.map(({ error }) => (error as BtreeKeyError).code)).toContain('ERR_BTREE_KEY_STORE');
    const failure: unknown = await host.close().catch((error: unknown) => error);
    expect(FrameworkError.is(failure) && failure.code).toBe('ERR_CLOSE_FAILED');
    const [cause] = ((failure as FrameworkError).cause as AggregateError).errors as unknown[];
    expect(BtreeKeyError.is(cause) && cause.code).toBe('ERR_BTREE_KEY_DIRTY');
    expect((failure as Error).message).toContain('3000 keys are not in the store');
  });
});
