import { describe, expect, test } from 'vitest';
import { SHRINK_STOP, ShrinkerRegistry } from '@core/shrinker';
import type { SrcuReport } from '@core/rcu';
import { KeyHandle } from '../src/index.js';
import { add, bytes, collect, gate, insides, type Made, makeCache, reopen, text, turns } from './support/make-cache.js';
import { TestStore } from './support/test-store.js';
import { TurnScheduler } from './support/turn-scheduler.js';

const control = (nrToScan: number) => ({
  zone: 'heap' as const,
  group: null,
  nrToScan,
  nrScanned: nrToScan,
  priority: 0,
  mode: 'background' as const,
});

async function readAll({ cache }: Made, count: number, prefix = 'k'): Promise<void> {
  for (let key = 0; key < count; key++) {
    await cache.get(`${prefix}${key}`);
  }
}

/** Until the table is at rest. */
async function rested({ cache }: Made): Promise<void> {
  while (insides(cache).core.table.rehashing) {
    await turns();
  }
}

// Each of these was a bug of the kernel's cache, by the commit that fixed it.
describe('the shrinker', () => {
  test('c3c991c55: what waits for readers is not scanned in place of keys', async () => {
    const made = await makeCache();
    await readAll(made, 1000);
    const { cache } = made;
    const spec = cache.asShrinker();
    await rested(made);
    await cache.transaction(async () => {
      spec.scan(control(500));
      await rested(made);
      const { pending } = cache.stats();
      expect(pending).toBeGreaterThan(0);
      // Its bits are clear now.
      const before = cache.stats().keys;
      const sc = control(100);
      const freed = spec.scan(sc);
      expect(freed).toBeGreaterThan(0);
      expect(before - cache.stats().keys).toBe(freed);
    });
    cache.checkInvariants();
    await cache.close();
  });

  test('11e953487: says what it has freed and scanned, each key as one thing', async () => {
    const made = await makeCache();
    await readAll(made, 600);
    const { cache } = made;
    await Promise.all(Array.from({ length: 40 }, (_, key) => cache.put(`d${key}`, bytes('1'))));
    const { promise, open } = gate();
    const locked = cache.update('k0', async (value) => {
      await promise;
      return value;
    });
    for (let key = 0; key < 50; key++) {
      cache.getSync(`k${key}`);
    }
    await rested(made);
    const sc = control(10_000);
    const freed = cache.asShrinker().scan(sc);
    const stats = cache.stats();
    expect(freed).toBe(550);
    expect(sc.nrScanned).toBe(640);
    expect(stats).toMatchObject({
      freed: 550,
      requestedToFree: 10_000,
      skippedDirty: 40,
      skippedAccessed: 50,
      skippedLockFail: 0,
      keys: 90,
    });
    await rested(made);
    cache.asShrinker().scan(control(10_000));
    // Only the one that is locked, and those that are dirty, are left.
    expect(cache.stats()).toMatchObject({ keys: 41, skippedLockFail: 1, freed: 599 });
    open();
    await locked;
    cache.checkInvariants();
    await cache.close();
  });

  test('349ba07a2: a table that has become sparse is not walked for ever', async () => {
    const made = await makeCache();
    await readAll(made, 5000);
    const { table, walker } = insides(made.cache).core;
    await rested(made);
    expect(table.buckets).toBe(8192);
    const spec = made.cache.asShrinker();
    spec.scan(control(4900));
    await rested(made);
    expect(table.buckets).toBeLessThanOrEqual(1024);
    walker.visited = 0;
    spec.scan(control(50));
    expect(walker.visited).toBeLessThanOrEqual(1024);
    made.cache.checkInvariants();
    await made.cache.close();
  });

  test('02ab0dcc7: a cache that is nearly empty is left alone', async () => {
    const made = await makeCache();
    const spec = made.cache.asShrinker();
    await readAll(made, 128);
    expect(spec.count(control(0))).toBe(0);
    await readAll(made, 130);
    expect(spec.count(control(0))).toBe(2);
    await made.cache.put('k0', bytes('1'));
    expect(spec.count(control(0))).toBe(1);
    await made.cache.close();
  });

  test('19959d991: a key costs a read to have again, and is scanned in large batches', async () => {
    const { cache } = await makeCache({ name: 'counters' });
    expect(cache.asShrinker()).toMatchObject({ name: 'counters', seeks: 1, batch: 16_384 });
    await cache.close();
  });

  test('stops while the table is rehashed, and goes on afterwards', async () => {
    const made = await makeCache();
    const { table } = insides(made.cache).core;
    let key = 0;
    while (!table.rehashing) {
      await made.cache.get(`k${key++}`);
    }
    const sc = control(100);
    expect([made.cache.asShrinker().scan(sc), sc.nrScanned]).toEqual([SHRINK_STOP, 0]);
    await rested(made);
    expect(made.cache.asShrinker().scan(control(100))).toBeGreaterThan(0);
    await made.cache.close();
  });

  test('goes round by bucket: each key is met once before any is met twice', async () => {
    const made = await makeCache();
    await readAll(made, 2000);
    for (let key = 0; key < 2000; key++) {
      made.cache.getSync(`k${key}`);
    }
    await rested(made);
    const spec = made.cache.asShrinker();
    while (made.cache.stats().skippedAccessed < 1900) {
      expect(spec.scan(control(100))).toBe(0);
    }
    await made.cache.close();
  });

  test('under a registry, by priority', async () => {
    const made = await makeCache();
    await readAll(made, 20_000);
    await rested(made);
    await using registry = new ShrinkerRegistry();
    const shrinker = registry.alloc(made.cache.asShrinker());
    registry.register(shrinker);
    expect(await registry.shrinkSlab({ priority: 0 })).toBeGreaterThan(16_000);
    await registry.free(shrinker);
    made.cache.checkInvariants();
    await made.cache.close();
  });
});

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

describe('ranges', () => {
  test('0eaca8c0e: deleted keys that are still in the cache, and new ones, are where they belong', async () => {
    const { cache } = await makeCache({ store: new TestStore().preset({ a: '1', b: '2', c: '3', d: '4' }) });
    await cache.del('b');
    await cache.put('bb', bytes('new'));
    await cache.put('c', bytes('33'));
    const all = [
      ['a', '1'],
      ['bb', 'new'],
      ['c', '33'],
      ['d', '4'],
    ];
    expect(await collect(cache.range())).toEqual(all);
    expect(await collect(cache.range({ reverse: true }))).toEqual(all.toReversed());
    expect(await collect(cache.range({ limit: 2 }))).toEqual(all.slice(0, 2));
    expect(await collect(cache.range({ gt: 'a', limit: 1 }))).toEqual([['bb', 'new']]);
    expect(await collect(cache.range({ gte: 'bb', lt: 'd' }))).toEqual(all.slice(1, 3));
    expect(await collect(cache.range({ gt: 'bb', lte: 'd', reverse: true, limit: 1 }))).toEqual([['d', '4']]);
    expect(await collect(cache.range({ limit: 0 }))).toEqual([]);
    expect(await collect(cache.range({ gte: 'x' }))).toEqual([]);
    expect(await collect(cache.range({ lt: '' }))).toEqual([]);
    expect(await collect(cache.range({ gte: '', lte: Uint8Array.of(0xff) }))).toEqual(all);
    await cache.close();
  });

  test('are of one moment, whatever is flushed, evicted and written while they go on', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: '1', b: '2', c: '3' }) });
    const { cache } = made;
    await cache.put('b', bytes('20'));
    await cache.put('bb', bytes('25'));
    const entries = cache.range()[Symbol.asyncIterator]();
    const first = await entries.next();
    await cache.put('b', bytes('200'));
    await cache.del('bb');
    await cache.put('c', bytes('300'));
    await cache.flush();
    await rested(made);
    cache.asShrinker().scan(control(100));
    cache.asShrinker().scan(control(100));
    const rest = await collect({ [Symbol.asyncIterator]: () => entries });
    expect([first.value, ...rest].map((entry) => text(entry?.[1] as Uint8Array) ?? entry?.[1])).toEqual([
      '1',
      ...rest.map(([, value]) => value),
    ]);
    expect(rest).toEqual([
      ['b', '20'],
      ['bb', '25'],
      ['c', '3'],
    ]);
    await cache.close();
  });

  test('no flush begins while a store takes its snapshot', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: '1', b: '2' }) });
    const { cache, store } = made;
    const { promise, open } = gate();
    store.before = (action) => (action === 'range' ? promise : undefined);
    const reading = collect(cache.range());
    await cache.put('b', bytes('20'));
    const flushed = cache.flush();
    await turns(5);
    expect(store.contents).toEqual({ a: '1', b: '2' });
    open();
    expect(await reading).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    await flushed;
    expect(store.contents).toEqual({ a: '1', b: '20' });
    await cache.close();
  });

  test('busted: a flush at that moment is seen', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: '1', b: '2' }) });
    const { cache, store } = made;
    insides(cache).flusher.holdOff = (take: () => Promise<unknown>) => take();
    const { promise, open } = gate();
    store.before = (action) => (action === 'range' ? promise : undefined);
    const reading = collect(cache.range());
    await cache.put('b', bytes('20'));
    await cache.flush();
    open();
    expect(await reading).toEqual([
      ['a', '1'],
      ['b', '20'],
    ]);
    await cache.close();
  });

  test('that are left early, that fail, and that are none', async () => {
    const { cache, store } = await makeCache({ store: new TestStore().preset({ a: '1', b: '2' }) });
    for await (const [key] of cache.range()) {
      expect(text(key)).toBe('a');
      break;
    }
    store.before = (action) => {
      if (action === 'range') {
        throw new Error('broken');
      }
    };
    await expect(collect(cache.range())).rejects.toThrow('broken');
    store.before = null;
    expect(() => cache.range({ limit: -1 })).toThrow(RangeError);
    expect(() => cache.range({ limit: 1.5 })).toThrow(RangeError);
    expect(() => cache.range({ gte: 5 as never })).toThrow(TypeError);
    expect(() => cache.range({ reverse: 'yes' as never })).toThrow(TypeError);
    // A flush is not held off for ever by the one that failed.
    await cache.put('c', bytes('3'));
    await cache.flush();
    await cache.close();
  });
});

describe('flushing', () => {
  test('2e7f2a15c: a fill beside a write and its flush leaves no old value', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: 'old' }) });
    const { cache, store } = made;
    const { promise, open } = gate();
    store.before = (action) => (action === 'get' ? promise : undefined);
    const reading = cache.get('a');
    const writing = cache.put('a', bytes('new'));
    await turns(3);
    open();
    await Promise.all([reading, writing]);
    await cache.flush();
    expect(text(await cache.get('a'))).toBe('new');
    expect(store.contents).toEqual({ a: 'new' });
    await cache.close();
  });

  test('d376f98b1: a key with a newer record lets go of the old one only when the new one is on disk', async () => {
    const made = await makeCache();
    const { cache, journal } = made;
    await cache.put('hot', bytes('1'));
    // Into another epoch.
    await Promise.all(Array.from({ length: 600 }, (_, index) => cache.put(`k${index % 10}`, bytes(`${index}`))));
    journal.manual = true;
    void cache.put('hot', bytes('2')).catch(() => {});
    const { flusher } = insides(cache);
    const flushing: Promise<number> = flusher.flush(128, Infinity, true);
    await turns(3);
    expect(journal.oldestPinned).toBe(1);
    const crashed = await reopen(made);
    expect(text(await crashed.cache.get('hot'))).toBe('1');
    flushing.catch(() => {});
    await crashed.cache.close();
  });

  test('busted: moved at once, the pin holds neither of them', async () => {
    const made = await makeCache();
    const { cache, journal } = made;
    await cache.put('hot', bytes('1'));
    journal.manual = true;
    // Into another epoch.
    void Promise.all(Array.from({ length: 300 }, () => cache.put('hot', bytes('2')))).catch(() => {});
    await turns();
    const { core } = insides(cache);
    const key = core.find(core.space(null), 'hot');
    core.pins.move(key, key.sequence);
    const crashed = await reopen(made);
    expect(await crashed.cache.get('hot')).toBeUndefined();
    await crashed.cache.close();
  });

  test('a key with a newer record is put off, and its old records can go', async () => {
    const made = await makeCache();
    const { cache, journal, store } = made;
    await cache.put('hot', bytes('1'));
    await Promise.all(Array.from({ length: 600 }, (_, index) => cache.put(`k${index}`, bytes(`${index}`))));
    await cache.put('hot', bytes('2'));
    await insides(cache).flusher.flush(400, Infinity, true);
    expect(cache.stats()).toMatchObject({ movedPins: 1, flushedKeys: 400 });
    expect(store.contents).not.toHaveProperty('hot');
    expect(journal.oldestPinned).toBeGreaterThan(1);
    cache.checkInvariants();
    const crashed = await reopen(made);
    expect(text(await crashed.cache.get('hot'))).toBe('2');
    expect(Object.keys(crashed.store.contents)).toHaveLength(601);
    await crashed.cache.close();
  });

  test('d9737be80: the last flush writes all that is there, and pins nothing', async () => {
    const made = await makeCache();
    const { cache, journal, store } = made;
    const writes = Array.from({ length: 3000 }, (_, index) => cache.update(`k${index % 1500}`, add(1)));
    await Promise.all(writes);
    let pins = 0;
    const { pin } = journal;
    journal.pin = (one, sequence) => {
      pins++;
      pin.call(journal, one, sequence);
    };
    await cache.close();
    expect(pins).toBe(0);
    expect(new Set(Object.values(store.contents))).toEqual(new Set(['2']));
    expect([Object.keys(store.contents).length, store.currentMark]).toEqual([1500, 3000]);
  });

  test('0df7f4271: an update in the middle of a flush is not lost', async () => {
    const made = await makeCache();
    const { cache, store } = made;
    await cache.put('a', bytes('1'));
    const { promise, open } = gate();
    store.before = (action) => (action === 'batch' ? promise : undefined);
    const flushed: Promise<number> = insides(cache).flusher.flush(128, Infinity, true);
    await turns(3);
    await cache.update('a', add(1));
    open();
    await flushed;
    expect(store.contents).toEqual({ a: '1' });
    expect(cache.stats().dirty).toBe(1);
    cache.checkInvariants();
    const crashed = await reopen(made);
    expect(crashed.store.contents).toEqual({ a: '2' });
    await crashed.cache.close();
  });

  test('the journal first: nothing is in the store that the journal has not', async () => {
    const made = await makeCache();
    const { cache, journal, store } = made;
    journal.manual = true;
    const written = cache.put('a', bytes('1'));
    await turns();
    const flushed = cache.flush();
    await turns(5);
    expect(store.batches).toEqual([]);
    journal.commit();
    await Promise.all([written, flushed]);
    expect(store.contents).toEqual({ a: '1' });
    journal.manual = false;
    await cache.close();
  });

  test('busted: without waiting for the journal, the store is ahead of it', async () => {
    const made = await makeCache();
    const { cache, journal, store } = made;
    journal.manual = true;
    journal.sync = async () => {};
    const written = cache.put('a', bytes('1'));
    await turns();
    const flushed = cache.flush();
    await turns(5);
    expect(store.contents).toEqual({ a: '1' });
    journal.commit();
    await Promise.all([written, flushed]);
    await cache.close();
  });

  test('a flush of nothing writes nothing', async () => {
    const { cache, store } = await makeCache();
    await cache.put('a', bytes('1'));
    await cache.put('b', bytes('1'));
    await cache.flush();
    await cache.update('none', () => undefined);
    await cache.del('none');
    await cache.flush();
    expect(store.batches.map(({ operations, options }) => [operations.length, options.mark])).toEqual([[2, 2]]);
    await cache.close();
  });

  test('the mark stays below what another key still needs', async () => {
    const made = await makeCache();
    const { cache, store } = made;
    await Promise.all(Array.from({ length: 1000 }, (_, index) => cache.put(`k${index}`, bytes('1'))));
    await insides(cache).flusher.flush(300, Infinity, true);
    // The keys of an epoch share its oldest record.
    expect(store.currentMark).toBeGreaterThan(0);
    expect(store.currentMark).toBeLessThanOrEqual(300);
    const crashed = await reopen(made);
    expect(Object.keys(crashed.store.contents)).toHaveLength(1000);
    await crashed.cache.close();
  });

  test('sorted by key, in batches of at least 128', async () => {
    const { cache, store } = await makeCache();
    await Promise.all(Array.from({ length: 3000 }, (_, index) => cache.put(`k${(index * 7) % 3000}`, bytes('1'))));
    await turns(10);
    expect(store.batches.length).toBeGreaterThan(0);
    for (const { operations, options } of store.batches) {
      const keys = operations.map(({ key }) => text(key) as string);
      expect(keys).toEqual(keys.toSorted());
      expect(keys.length).toBeGreaterThanOrEqual(128);
      expect(options.durable).toBe(true);
    }
    // Down to the mark, and not much further.
    expect(cache.stats().dirty).toBeLessThanOrEqual(1024 + 1500);
    expect(cache.stats().dirty).toBeGreaterThan(1500);
    await cache.close();
  });

  test('a store that fails: keys stay dirty and pinned, it is reported, and tried again', async () => {
    const made = await makeCache({ scheduler: new TurnScheduler() });
    const { cache, store, journal, errors } = made;
    let failures = 3;
    store.before = (action) => {
      if (action === 'batch' && failures-- > 0) {
        throw new Error('disk full');
      }
    };
    await Promise.all(Array.from({ length: 2500 }, (_, index) => cache.put(`k${index}`, bytes('1'))));
    expect(journal.oldestPinned).toBe(1);
    cache.checkInvariants();
    while (cache.stats().flushedKeys === 0) {
      await turns();
    }
    expect(errors.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'ERR_BTREE_KEY_STORE'));
    expect(errors[0]?.message).toMatch(/Cannot flush \d+ keys: disk full; they stay dirty/);
    expect(cache.stats().flushErrors).toBe(3);
    await cache.close();
    expect(Object.keys(store.contents)).toHaveLength(2500);
  });

  test('a store that tore nothing and failed afterwards: written again, to the same effect', async () => {
    const made = await makeCache();
    await made.cache.put('a', bytes('1'));
    let failures = 1;
    made.store.before = (action) => {
      if (action === 'batched' && failures-- > 0) {
        throw new Error('no answer');
      }
    };
    await expect(made.cache.flush()).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_STORE' });
    expect(made.cache.stats().dirty).toBe(1);
    await made.cache.flush();
    expect([made.cache.stats().dirty, made.store.contents]).toEqual([0, { a: '1' }]);
    await made.cache.close();
  });

  test('a journal that is dead: updates reject, reads go on, and nothing acknowledged is lost', async () => {
    const made = await makeCache({ store: new TestStore().preset({ z: 'cold' }) });
    const { cache, journal, store } = made;
    await cache.put('a', bytes('1'));
    await cache.put('b', bytes('1'));
    journal.failure = new Error('EIO');
    await expect(cache.update('a', add(1))).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_JOURNAL' });
    await expect(cache.put('c', bytes('3'))).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_JOURNAL' });
    await expect(cache.batch([{ type: 'del', key: 'a' }])).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_JOURNAL' });
    expect([text(await cache.get('b')), text(await cache.get('z'))]).toEqual(['1', 'cold']);
    await expect(cache.flush()).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_JOURNAL' });
    // What the journal has may go to the store; the update that failed may not.
    expect(store.contents).toEqual({ b: '1', z: 'cold' });
    await expect(cache.close()).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_DIRTY' });
    const again = await reopen(made);
    expect(again.store.contents).toEqual({ a: '1', b: '1', z: 'cold' });
    await again.cache.close();
  });

  test('a journal that dies when all is flushed', async () => {
    const { cache, journal, store } = await makeCache();
    await cache.put('a', bytes('1'));
    store.before = (action) => {
      if (action === 'batched') {
        journal.sync = () => Promise.reject(new Error('EIO'));
      }
    };
    await expect(cache.flush()).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_JOURNAL' });
    await expect(cache.put('b', bytes('1'))).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_JOURNAL' });
    expect(store.contents).toEqual({ a: '1' });
    await expect(cache.close()).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_JOURNAL' });
    expect(cache.stats().bytes).toBe(0);
  });

  test('a batch that was asked for before the cache was closed', async () => {
    const { cache, store } = await makeCache();
    const { promise, open } = gate();
    const slowly = async (value: Uint8Array | undefined): Promise<Uint8Array> => {
      await promise;
      return add(1)(value);
    };
    const batch = cache.batch(['a', 'b'].map((key) => ({ type: 'update', key, update: slowly })));
    await turns(2);
    const closing = cache.close();
    await turns(2);
    open();
    await Promise.all([batch, closing]);
    expect(store.contents).toEqual({ a: '1', b: '1' });
  });

  test('a journal that dies while keys are to be put off: nobody tries for ever', async () => {
    const made = await makeCache();
    const { cache, journal } = made;
    await Promise.all(Array.from({ length: 600 }, (_, index) => cache.put(`k${index}`, bytes('1'))));
    journal.manual = true;
    const late = Promise.allSettled(Array.from({ length: 600 }, (_, index) => cache.put(`k${index}`, bytes('2'))));
    await turns(2);
    journal.failure = new Error('EIO');
    journal.commit();
    const { flusher } = insides(cache);
    await flusher.progress();
    await flusher.progress();
    await late;
    expect(cache.stats().dirty).toBe(600);
    await expect(cache.close()).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_DIRTY' });
    const again = await reopen(made);
    expect(new Set(Object.values(again.store.contents))).toEqual(new Set(['1']));
    await again.cache.close();
  });

  test('a long journal is made shorter, though few keys are dirty', async () => {
    const { cache, store, journal } = await makeCache({ maxJournalRecords: 1000 });
    await cache.put('cold', bytes('1'));
    for (let round = 0; round < 60; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => cache.update(`k${index % 5}`, add(1))));
    }
    expect(cache.stats().unflushedRecords).toBeLessThan(1500);
    expect(journal.kept).toBeLessThan(1500);
    expect(store.contents).toHaveProperty('cold');
    await cache.close();
  });
});

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
