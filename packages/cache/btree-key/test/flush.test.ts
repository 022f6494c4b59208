import { describe, expect, test } from 'vitest';
import { add, bytes, gate, insides, makeCache, reopen, text, turns } from './support/make-cache.js';
import { TestStore } from './support/test-store.js';
import { TurnScheduler } from './support/turn-scheduler.js';

// Tests named by a commit are of what the kernel's cache had to fix.
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
    // Well before writers would have to wait, and not below the mark.
    expect(cache.stats().dirty).toBeLessThan(2048 + (3000 * 5) / 8);
    expect(cache.stats().dirty).toBeGreaterThan(1024 + 1500 - 375);
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
    await Promise.all(Array.from({ length: 3000 }, (_, index) => cache.put(`k${index}`, bytes('1'))));
    expect(journal.oldestPinned).toBe(1);
    cache.checkInvariants();
    while (cache.stats().flushedKeys === 0) {
      await turns();
    }
    expect(errors.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'ERR_BTREE_KEY_STORE'));
    expect(errors[0]?.message).toMatch(/Cannot flush \d+ keys: disk full; they stay dirty/);
    expect(cache.stats().flushErrors).toBe(3);
    await cache.close();
    expect(Object.keys(store.contents)).toHaveLength(3000);
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

  test.each([
    [100_000, true],
    [100_000_000, false],
  ])('one of large records, too: %i bytes', async (maxJournalBytes, isShorter) => {
    const { cache, journal } = await makeCache({ maxJournalBytes });
    await cache.put('cold', bytes('1'));
    for (let round = 0; round < 60; round++) {
      const value = new Uint8Array(1000).fill(round);
      await Promise.all(Array.from({ length: 50 }, (_, index) => cache.put(`k${index % 5}`, value)));
    }
    // A mean over a thousand records lags behind.
    expect(journal.kept < 1000).toBe(isShorter);
    await cache.close();
  });
});
