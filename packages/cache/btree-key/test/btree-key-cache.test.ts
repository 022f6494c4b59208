import { describe, expect, test } from 'vitest';
import { BtreeKeyCache } from '../src/index.js';
import { add, bytes, collect, gate, makeCache, reopen, text, turns } from './support/make-cache.js';
import { TestJournal } from './support/test-journal.js';
import { TestStore } from './support/test-store.js';

const STORES = [
  { reads: 'waits', storeOf: (entries: Record<string, string>) => new TestStore().preset(entries) },
  {
    reads: 'reads at once',
    storeOf: (entries: Record<string, string>) => new TestStore().preset(entries).readsAtOnce(),
  },
];

describe('reading', () => {
  test.each(STORES)('a key of the store that $reads, once', async ({ storeOf }) => {
    const { cache, store } = await makeCache({ store: storeOf({ a: '1' }) });
    expect(cache.getSync('a')).toBeUndefined();
    expect(text(await cache.get('a'))).toBe('1');
    expect(text(await cache.get('a'))).toBe('1');
    expect(text(cache.getSync('a'))).toBe('1');
    expect(await cache.get('none')).toBeUndefined();
    expect(await cache.get('none')).toBeUndefined();
    expect(store.gets).toBe(2);
    expect(cache.stats()).toMatchObject({ keys: 2, hits: 3, misses: 2 });
    cache.checkInvariants();
    await cache.close();
  });

  test('what is handed out is the caller’s', async () => {
    const { cache } = await makeCache();
    const value = bytes('abc');
    await cache.put('a', value);
    value[0] = 0;
    const read = (await cache.get('a')) as Uint8Array;
    read[1] = 0;
    expect(text(cache.getSync('a'))).toBe('abc');
    await cache.close();
  });

  test('a value can be looked at where it is', async () => {
    const { cache } = await makeCache({ store: new TestStore().preset({ a: 'abc' }) });
    const look = (all: Uint8Array, length: number): string | undefined => text(all.subarray(0, length));
    expect(cache.peek('a', look)).toBeUndefined();
    await cache.get('a');
    expect(cache.peek('a', look)).toBe('abc');
    await cache.put('a', bytes('defgh'));
    expect(cache.peek(bytes('a'), look)).toBe('defgh');
    await cache.del('a');
    expect(cache.peek('a', look)).toBeUndefined();
    expect(() => cache.peek('', look)).toThrow(RangeError);
    expect(cache.stats().hits).toBe(3);
    await cache.close();
    expect(() => cache.peek('a', look)).toThrow('is closed');
  });

  test('what is handed in may be used again at once', async () => {
    const { cache } = await makeCache();
    const value = bytes('abc');
    const key = bytes('k');
    const writes = [
      cache.put('missing', value),
      cache.put(key, value),
      cache.batch([{ type: 'put', key: bytes('b'), value }]),
    ];
    value.fill(0);
    key.fill(0);
    await Promise.all(writes);
    expect(['missing', 'k', 'b'].map((name) => text(cache.getSync(name)))).toEqual(['abc', 'abc', 'abc']);
    await cache.close();
  });

  test('a miss is journaled within its call, where the store reads at once', async () => {
    const store = new TestStore().preset({ a: '1' }).readsAtOnce();
    const { cache, journal } = await makeCache({ store });
    const updating = cache.update('a', add(1));
    const putting = cache.put('b', bytes('3'));
    expect([journal.lastSequence, store.gets, text(cache.getSync('a')), text(cache.getSync('b'))]).toEqual([
      2,
      1,
      '2',
      '3',
    ]);
    cache.checkInvariants();
    expect(text(await updating)).toBe('2');
    await putting;
    await cache.close();
    expect(store.contents).toEqual({ a: '2', b: '3' });
  });

  test('a value that finds no room is read all the same, where the store reads at once', async () => {
    const large = 'x'.repeat(15_000);
    const store = new TestStore().preset({ a: large, b: large, c: large, d: large }).readsAtOnce();
    const { cache } = await makeCache({ store, maxBytes: 65_536 });
    await cache.transaction(async (transaction) => {
      for (const key of ['a', 'b', 'c', 'd']) {
        expect(text(await cache.get(key))).toBe(large);
        transaction.find(key);
        cache.checkInvariants();
      }
      expect(text(await cache.update('d', () => bytes('small')))).toBe('small');
    });
    const { misses, keys, bytes: used } = cache.stats();
    expect([misses, keys < 4, used <= 65_536]).toEqual([4, true, true]);
    await cache.close();
    expect(store.contents['d']).toBe('small');
  });

  test('callers that miss share one read', async () => {
    const { cache, store } = await makeCache({ store: new TestStore().preset({ a: '1' }) });
    const all = await Promise.all(Array.from({ length: 10 }, () => cache.get('a')));
    expect(all.map(text)).toEqual(Array.from({ length: 10 }, () => '1'));
    expect(store.gets).toBe(1);
    await cache.close();
  });

  test.each(STORES)(
    'a read that fails reaches who asked, and the next one tries again, $reads',
    async ({ storeOf }) => {
      const { cache, store } = await makeCache({ store: storeOf({ a: '1' }) });
      let failures = 1;
      store.before = (action) => {
        if (action === 'get' && failures-- > 0) {
          throw new Error('broken');
        }
      };
      const first = cache.get('a');
      const second = cache.get('a');
      await expect(first).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_STORE' });
      expect(text(await second)).toBe('1');
      cache.checkInvariants();
      await cache.close();
    },
  );

  test.each(STORES)('a write that must read first, and cannot, $reads', async ({ storeOf }) => {
    const { cache, store } = await makeCache({ store: storeOf({ a: '1', b: '1' }) });
    store.before = (action, key) => {
      if (action === 'get' && key === 'b') {
        throw new Error('broken');
      }
    };
    await expect(cache.update('b', add(1))).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_STORE' });
    const batch = cache.batch(['a', 'b'].map((key) => ({ type: 'update', key, update: add(1) })));
    await expect(batch).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_STORE' });
    // Neither half, and no lock is left.
    expect(text(await cache.update('a', add(1)))).toBe('2');
    cache.checkInvariants();
    await cache.close();
  });

  test('strings stand for their UTF-8 bytes', async () => {
    const { cache, store } = await makeCache();
    await cache.put('grün', bytes('1'));
    expect(text(cache.getSync(new TextEncoder().encode('grün')))).toBe('1');
    await cache.put(Uint8Array.of(0x61, 0x62), bytes('2'));
    expect(text(cache.getSync('ab'))).toBe('2');
    await cache.put(Uint8Array.of(0xe9), bytes('3'));
    // The character with that number has two bytes.
    expect(cache.getSync('é')).toBeUndefined();
    await cache.flush();
    expect(Object.keys(store.contents).sort()).toEqual(['ab', 'gr\u{c3}\u{bc}n', '\u{e9}']);
    await cache.close();
  });

  test('keys that are none', async () => {
    const { cache } = await makeCache();
    await expect(cache.get('')).rejects.toThrow(RangeError);
    await expect(cache.get(new Uint8Array())).rejects.toThrow(RangeError);
    await expect(cache.get(5 as never)).rejects.toThrow(TypeError);
    await expect(cache.get(null as never)).rejects.toThrow('Cannot use null as a key');
    await expect(cache.get('\u{d800}')).rejects.toThrow('half a surrogate pair');
    await expect(cache.put('x'.repeat(1001), bytes('1'))).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_TOO_LARGE' });
    expect(() => cache.getSync('')).toThrow(RangeError);
    cache.checkInvariants();
    await cache.close();
  });
});

describe('writing', () => {
  test('an update resolves when the journal has it, and the store hears of it with the flush', async () => {
    const { cache, store, journal } = await makeCache({ store: new TestStore().preset({ a: '1' }) });
    journal.manual = true;
    let done = false;
    const updated = cache.update('a', add(5)).then((value) => {
      done = true;
      return value;
    });
    await turns(3);
    expect([done, text(cache.getSync('a'))]).toEqual([false, '6']);
    journal.commit();
    expect(text(await updated)).toBe('6');
    expect(store.contents).toEqual({ a: '1' });
    journal.manual = false;
    await cache.flush();
    expect(store.contents).toEqual({ a: '6' });
    expect(cache.stats()).toMatchObject({ dirty: 0, flushedKeys: 1, unflushedRecords: 0 });
    expect(journal.kept).toBe(0);
    cache.checkInvariants();
    await cache.close();
  });

  test('one that need not be durable resolves at once', async () => {
    const { cache, journal } = await makeCache();
    journal.manual = true;
    expect(text(await cache.update('a', add(1), { durable: false }))).toBe('1');
    await cache.put('a', bytes('2'), { durable: false });
    await cache.del('b', { durable: false });
    await cache.batch([{ type: 'put', key: 'c', value: bytes('3') }], { durable: false });
    expect(journal.durableSequence).toBe(0);
    journal.manual = false;
    journal.commit();
    await cache.close();
  });

  test('many updates of one key at once are all counted, in order', async () => {
    const { cache, store } = await makeCache();
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        cache.update('a', async (value) => {
          await turns(index % 3);
          order.push(index);
          return add(1)(value);
        }),
      ),
    );
    expect(text(cache.getSync('a'))).toBe('100');
    expect(order).toEqual(Array.from({ length: 100 }, (_, index) => index));
    await cache.close();
    expect(store.contents).toEqual({ a: '100' });
  });

  test('put, del, and an update that deletes', async () => {
    const { cache, store } = await makeCache({ store: new TestStore().preset({ a: '1', b: '2' }) });
    await cache.put('c', bytes('3'));
    await cache.del('a');
    await cache.update('b', () => undefined);
    expect(await cache.update('none', () => undefined)).toBeUndefined();
    expect(await Promise.all(['a', 'b', 'c'].map((key) => cache.get(key)))).toEqual([undefined, undefined, bytes('3')]);
    // Neither put nor del has read the store.
    expect(store.gets).toBe(2);
    await cache.close();
    expect(store.contents).toEqual({ c: '3' });
  });

  test('what an update throws rejects, and changes nothing', async () => {
    const { cache, journal } = await makeCache({ store: new TestStore().preset({ a: '1' }) });
    const boom = (): never => {
      throw new Error('boom');
    };
    for (let time = 0; time < 2; time++) {
      await expect(cache.update('a', boom)).rejects.toThrow('boom');
      await expect(cache.update('a', async () => boom())).rejects.toThrow('boom');
      await expect(cache.update('a', (() => 'text') as never)).rejects.toThrow(TypeError);
      await expect(cache.update('b', boom)).rejects.toThrow('boom');
    }
    expect(journal.lastSequence).toBe(0);
    expect(text(await cache.update('a', add(1)))).toBe('2');
    await expect(cache.put('a', 'text' as never)).rejects.toThrow(TypeError);
    await expect(cache.put('a', undefined as never)).rejects.toThrow(TypeError);
    await expect(cache.update('a', 'text' as never)).rejects.toThrow(TypeError);
    cache.checkInvariants();
    await cache.close();
  });

  test('values that are too large', async () => {
    const { cache } = await makeCache({ maxBytes: 65_536 });
    await expect(cache.put('a', new Uint8Array(1_000_001))).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_TOO_LARGE' });
    await expect(cache.put('a', new Uint8Array(12_000))).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_TOO_LARGE' });
    await cache.put('a', new Uint8Array(5000));
    cache.checkInvariants();
    await cache.close();
  });

  test('an empty value is a value', async () => {
    const { cache, store } = await makeCache();
    await cache.put('a', new Uint8Array());
    expect(await cache.get('a')).toEqual(new Uint8Array());
    await cache.close();
    expect(store.contents).toEqual({ a: '' });
  });
});

describe('a batch', () => {
  test('is one record, and all or nothing', async () => {
    const { cache, store, journal } = await makeCache({ store: new TestStore().preset({ a: '10', b: '0' }) });
    const transfer = (amount: number) =>
      cache.batch([
        { type: 'update', key: 'a', update: add(-amount) },
        { type: 'update', key: 'b', update: add(amount) },
        { type: 'del', key: 'c' },
      ]);
    await Promise.all([transfer(1), transfer(2), transfer(3)]);
    expect(journal.lastSequence).toBe(3);
    expect([text(cache.getSync('a')), text(cache.getSync('b'))]).toEqual(['4', '6']);
    await expect(
      cache.batch([
        { type: 'put', key: 'a', value: bytes('lost') },
        {
          type: 'update',
          key: 'b',
          update: () => {
            throw new Error('boom');
          },
        },
      ]),
    ).rejects.toThrow('boom');
    expect([text(cache.getSync('a')), text(cache.getSync('b'))]).toEqual(['4', '6']);
    cache.checkInvariants();
    await cache.close();
    expect(store.contents).toEqual({ a: '4', b: '6' });
  });

  test('of the same keys in other orders does not wait for itself', async () => {
    const { cache } = await makeCache();
    const slow = async (value: Uint8Array | undefined): Promise<Uint8Array> => {
      await turns();
      return add(1)(value);
    };
    const batch = (...keys: string[]) => cache.batch(keys.map((key) => ({ type: 'update', key, update: slow })));
    await Promise.all([batch('a', 'b'), batch('b', 'a'), batch('b', 'c', 'a'), batch('a', 'a')]);
    expect(['a', 'b', 'c'].map((key) => text(cache.getSync(key)))).toEqual(['5', '3', '1']);
    await cache.close();
  });

  test('operations that are none', async () => {
    const { cache } = await makeCache();
    await expect(cache.batch({} as never)).rejects.toThrow(TypeError);
    await expect(cache.batch([{ type: 'move', key: 'a' } as never])).rejects.toThrow('of type "move"');
    await expect(cache.batch([{ type: 'put', key: 'a' } as never])).rejects.toThrow('use del');
    await expect(cache.batch([{ type: 'update', key: 'a' } as never])).rejects.toThrow(TypeError);
    await expect(cache.batch([{ type: 'del', key: '' }])).rejects.toThrow(RangeError);
    await cache.batch([]);
    await cache.close();
  });

  test('that is too large for the cache', async () => {
    const { cache } = await makeCache({ maxBytes: 65_536 });
    const operations = Array.from({ length: 100 }, (_, index) => ({
      type: 'put' as const,
      key: `k${index}`,
      value: bytes('1'),
    }));
    await expect(cache.batch(operations)).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_TOO_LARGE' });
    await cache.batch(operations.slice(0, 40));
    cache.checkInvariants();
    await cache.close();
  });
});

describe('trees', () => {
  test('keep the same keys apart', async () => {
    const { cache, store } = await makeCache({ trees: true });
    await cache.put('k', bytes('default'));
    await cache.tree('a').put('k', bytes('a'));
    await cache.tree('ab').put('k', bytes('ab'));
    await cache.tree(7).put('k', bytes('7'));
    await cache.batch([{ type: 'put', tree: 'a', key: 'l', value: bytes('more') }]);
    expect(cache.tree('a')).toBe(cache.tree('a'));
    expect(await collect(cache.tree('a').range())).toEqual([
      ['k', 'a'],
      ['l', 'more'],
    ]);
    await cache.flush();
    expect(store.contents).toEqual({
      '\0k': 'default',
      '\u{1}ak': 'a',
      '\u{1}al': 'more',
      '\u{2}abk': 'ab',
      '\u{ff}\0\u{7}k': '7',
    });
    expect(await collect(cache.range())).toEqual([['k', 'default']]);
    expect(await collect(cache.tree('a').range({ gt: 'k' }))).toEqual([['l', 'more']]);
    expect(await collect(cache.tree(7).range({ reverse: true }))).toEqual([['k', '7']]);
    cache.checkInvariants();
    await cache.close();
  });

  test('are refused without the option, and by name', async () => {
    const plain = await makeCache();
    expect(() => plain.cache.tree('a')).toThrow(expect.objectContaining({ code: 'ERR_BTREE_KEY_NO_TREES' }));
    await expect(plain.cache.batch([{ type: 'del', tree: 'a', key: 'k' }])).rejects.toMatchObject({
      code: 'ERR_BTREE_KEY_NO_TREES',
    });
    await plain.cache.close();
    const { cache } = await makeCache({ trees: true });
    expect(() => cache.tree(70_000)).toThrow(RangeError);
    expect(() => cache.tree('x'.repeat(255))).toThrow(RangeError);
    expect(() => cache.tree({} as never)).toThrow(TypeError);
    await cache.close();
  });
});

describe('after a crash', () => {
  test('everything acknowledged is there', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: '1', gone: 'x' }) });
    await made.cache.update('a', add(1));
    await made.cache.put('b', bytes('2'));
    await made.cache.del('gone');
    made.journal.manual = true;
    void made.cache.put('c', bytes('lost')).catch(() => {});
    const again = await reopen(made);
    expect(again.store.contents).toEqual({ a: '2', b: '2' });
    expect(again.cache.stats()).toMatchObject({ replayedRecords: 3, replayedKeys: 3 });
    expect(again.journal.kept).toBe(0);
    await again.cache.close();
  });

  test('a flushed delete is not undone by an older update of the key', async () => {
    const made = await makeCache();
    await made.cache.put('other', bytes('holds the journal'));
    await made.cache.put('a', bytes('1'));
    await made.cache.flush();
    await made.cache.put('other', bytes('holds it again'));
    await made.cache.put('a', bytes('2'));
    await made.cache.del('a');
    const again = await reopen(made);
    expect(again.store.contents).toEqual({ other: 'holds it again' });
    await again.cache.close();
  });

  test('a mark that is ahead of the journal goes back, so that later records count', async () => {
    const store = new TestStore().preset({ a: '1' });
    await store.batch([], { durable: true, mark: 100 });
    const made = await makeCache({ store });
    expect(store.currentMark).toBe(0);
    await made.cache.put('a', bytes('2'));
    const again = await reopen(made);
    expect(again.store.contents).toEqual({ a: '2' });
    await again.cache.close();
  });

  test('records that are none', async () => {
    for (const payload of [[], [2, 0], [1, 1, 7, 1, 97], [1, 1, 0, 1], [1, 0, 0], [1, 255, 255, 255, 255, 255, 255]]) {
      const journal = new TestJournal();
      journal.append(Uint8Array.from(payload));
      journal.commit();
      const opening = makeCache({ journal });
      await expect(opening).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_REPLAY' });
    }
  });

  test('a store that fails during the replay', async () => {
    const made = await makeCache();
    await made.cache.put('a', bytes('1'));
    const store = made.store.crash();
    const journal = made.journal.crash();
    store.before = (action) => {
      if (action === 'batch') {
        throw new Error('full');
      }
    };
    await expect(makeCache({ store, journal })).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_REPLAY' });
    const again = await makeCache({ store: store.crash(), journal: journal.crash() });
    expect(text(await again.cache.get('a'))).toBe('1');
    await again.cache.close();
  });
});

describe('closing', () => {
  test('flushes, lets go of everything, and leaves every total at 0', async () => {
    const { cache, store } = await makeCache();
    await Promise.all(Array.from({ length: 3000 }, (_, index) => cache.put(`k${index}`, bytes(`${index}`))));
    await cache.close();
    await cache.close();
    expect(Object.keys(store.contents)).toHaveLength(3000);
    expect(cache.stats()).toMatchObject({ keys: 0, dirty: 0, pending: 0, bytes: 0, dirtyBytes: 0 });
    await expect(cache.put('a', bytes('1'))).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_CLOSED' });
    await expect(cache.get('a')).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_CLOSED' });
    await expect(cache.batch([])).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_CLOSED' });
    await expect(cache.flush()).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_CLOSED' });
    await expect(collect(cache.range())).rejects.toMatchObject({ code: 'ERR_BTREE_KEY_CLOSED' });
    expect(() => cache.transaction(() => 1)).toThrow(expect.objectContaining({ code: 'ERR_BTREE_KEY_CLOSED' }));
  });

  test('waits for updates that are under way', async () => {
    const { cache, store } = await makeCache();
    const { promise, open } = gate();
    const updated = cache.update('a', async (value) => {
      await promise;
      return add(1)(value);
    });
    await turns(2);
    const closing = cache.close();
    await turns(2);
    open();
    await expect(Promise.all([updated, closing])).resolves.toBeDefined();
    expect(store.contents).toEqual({ a: '1' });
  });

  test('over a store that fails says how many and why, and loses nothing', async () => {
    const made = await makeCache();
    await made.cache.put('a', bytes('1'));
    await made.cache.put('b', bytes('2'));
    made.store.before = (action) => {
      if (action === 'batch') {
        throw new Error('disk full');
      }
    };
    await expect(made.cache.close()).rejects.toMatchObject({
      code: 'ERR_BTREE_KEY_DIRTY',
      message: expect.stringMatching(/2 keys are not in the store: .*disk full/) as string,
    });
    expect(made.cache.stats()).toMatchObject({ keys: 0, dirty: 0, pending: 0, bytes: 0 });
    const again = await reopen(made);
    expect(again.store.contents).toEqual({ a: '1', b: '2' });
    await again.cache.close();
  });

  test('closes what it has opened itself, and nothing else', async () => {
    const closed: string[] = [];
    const store = new TestStore();
    const journal = new TestJournal();
    store.close = async () => void closed.push('store');
    journal.close = async () => void closed.push('journal');
    await (await BtreeKeyCache.open({ store, journal })).close();
    expect(closed).toEqual([]);
    await (await BtreeKeyCache.open({ store: async () => store, journal: () => journal })).close();
    // The journal's lock goes last.
    expect(closed).toEqual(['store', 'journal']);
    closed.length = 0;
    store.mark = () => Promise.reject(new Error('broken'));
    await expect(BtreeKeyCache.open({ store: () => store, journal: () => journal })).rejects.toThrow('broken');
    expect(closed).toEqual(['store', 'journal']);
  });
});
