import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import type { StoreEntry } from '../../ordered-store.js';
import { bytes, del, entriesOf, keyOf, onStore, put, type StoreCase, utf8 } from './case.js';
import { sameBytes, sameEntries } from './checks.js';

export const basicCases: readonly StoreCase[] = [
  {
    name: 'says what it can',
    async run(place, supports) {
      const store = await place.open();
      const { maxKeyBytes, maxValueBytes, durable, snapshots } = store.caps;
      assert.ok(maxKeyBytes > 0 && maxValueBytes > 0);
      assert.equal(durable, supports.durable);
      assert.equal(snapshots, supports.snapshots);
      await store.close();
    },
  },
  onStore('is empty at first', async (store) => {
    sameBytes(await store.get(bytes(1)), undefined, 'a key');
    assert.deepEqual(await store.getMany([bytes(1), bytes(2)]), [undefined, undefined]);
    assert.deepEqual(await entriesOf(store), []);
    assert.equal(await store.mark(), 0);
  }),
  onStore('gets what was put, and not what was deleted', async (store) => {
    await store.batch([put(bytes(1), bytes(10)), put(bytes(2), bytes(20))]);
    sameBytes(await store.get(bytes(1)), bytes(10), 'put');
    await store.batch([put(bytes(1), bytes(11, 11))]);
    sameBytes(await store.get(bytes(1)), bytes(11, 11), 'put again');
    await store.batch([del(bytes(1))]);
    sameBytes(await store.get(bytes(1)), undefined, 'deleted');
    sameBytes(await store.get(bytes(2)), bytes(20), 'the other');
  }),
  onStore('gets at once, if it can, what a batch stored that has just been told', async (store) => {
    if (store.getSync === undefined) {
      return;
    }
    for (let round = 0; round < 20; round++) {
      // With it a snapshot may begin, which must not be what the next one reads.
      const before = store.getSync(bytes(1));
      sameBytes(before, round === 0 ? undefined : bytes(round - 1), 'before');
      await store.batch([put(bytes(1), bytes(round))]);
      const after = store.getSync(bytes(1));
      sameBytes(after, bytes(round), 'after');
      after?.fill(0);
      sameBytes(store.getSync(bytes(1)), bytes(round), 'it belongs to the caller');
    }
    assert.equal(store.getSync(bytes(2)), undefined);
    assert.throws(() => store.getSync?.(bytes()), { code: 'ERR_STORE_KEY_EMPTY' });
  }),
  onStore('deletes what is not there', async (store) => {
    await store.batch([del(bytes(1))]);
    await store.batch([del(bytes(1)), put(bytes(2), bytes(2)), del(bytes(3))]);
    sameEntries(await entriesOf(store), [[bytes(2), bytes(2)]], 'entries');
  }),
  onStore('can be emptied, and filled again', async (store) => {
    for (let round = 0; round < 20; round++) {
      await store.batch([put(bytes(0), bytes(round))]);
      await store.batch([del(bytes(0))]);
      assert.deepEqual(await entriesOf(store), []);
    }
  }),
  onStore('keeps bytes of every kind and size', async (store) => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    const values = [
      bytes(),
      bytes(0),
      all,
      ...[100, 4096, 5000, 40_000, 2 ** 20].map((size) => new Uint8Array(size).fill(7)),
    ];
    await store.batch(values.map((value, index) => put(keyOf(index), value)));
    await store.batch([put(all, all)], { durable: true });
    for (const [index, value] of values.entries()) {
      sameBytes(await store.get(keyOf(index)), value, `value ${index}`);
    }
    sameBytes(await store.get(all), all, 'a key of all bytes');
    const entries = [...values.map((value, index): StoreEntry => [keyOf(index), value]), [all, all] as const];
    sameEntries(
      await entriesOf(store),
      entries.toSorted(([one], [other]) => Buffer.compare(one, other)),
      'entries',
    );
  }),
  onStore('gets many in the order of the keys, each as often as it is asked for', async (store) => {
    await store.batch([put(bytes(1), bytes(10)), put(bytes(3), bytes(30))]);
    const values = await store.getMany([bytes(3), bytes(2), bytes(1), bytes(3)]);
    for (const [index, expected] of [bytes(30), undefined, bytes(10), bytes(30)].entries()) {
      sameBytes(values[index], expected, `value ${index}`);
    }
    assert.deepEqual(await store.getMany([]), []);
  }),
  onStore('has the last of a key that comes twice in a batch', async (store) => {
    await store.batch([
      put(bytes(1), bytes(1)),
      put(bytes(1), bytes(2)),
      put(bytes(2), bytes(1)),
      del(bytes(2)),
      del(bytes(3)),
      put(bytes(3), bytes(3)),
    ]);
    sameEntries(
      await entriesOf(store),
      [
        [bytes(1), bytes(2)],
        [bytes(3), bytes(3)],
      ],
      'entries',
    );
  }),
  onStore('takes batches of nothing', async (store) => {
    await store.batch([]);
    await store.batch([], { durable: true });
    assert.deepEqual(await entriesOf(store), []);
  }),
  onStore('keeps the mark until another is stored', async (store) => {
    await store.batch([], { mark: 5 });
    assert.equal(await store.mark(), 5);
    await store.batch([put(bytes(1), bytes(1))]);
    assert.equal(await store.mark(), 5);
    await store.batch([put(bytes(1), bytes(1))], { mark: Number.MAX_SAFE_INTEGER, durable: true });
    assert.equal(await store.mark(), Number.MAX_SAFE_INTEGER);
    await store.batch([del(bytes(1))], { mark: 0 });
    assert.equal(await store.mark(), 0);
    assert.deepEqual(await entriesOf(store), []);
  }),
  onStore('takes pieces of larger buffers', async (store) => {
    const large = utf8('..key.value..');
    await store.batch([put(large.subarray(2, 5), large.subarray(6, 11))]);
    sameBytes(await store.get(utf8('key')), utf8('value'), 'value');
    sameEntries(await entriesOf(store, { gte: large.subarray(2, 4) }), [[utf8('key'), utf8('value')]], 'entries');
  }),
  onStore('does not look at bytes again that it was handed', async (store) => {
    const key = bytes(1, 2);
    const value = new Uint8Array(500).fill(3);
    const stored = store.batch([put(key, value)]);
    key.fill(9);
    value.fill(9);
    await stored;
    sameEntries(await entriesOf(store), [[bytes(1, 2), new Uint8Array(500).fill(3)]], 'entries');

    const wanted = bytes(1, 2);
    const one = store.get(wanted);
    const many = store.getMany([wanted]);
    const bound = bytes(1, 2);
    const range = store.range({ gte: bound });
    wanted.fill(9);
    bound.fill(9);
    sameBytes(await one, new Uint8Array(500).fill(3), 'get');
    sameBytes((await many)[0], new Uint8Array(500).fill(3), 'getMany');
    assert.equal((await range.next()).done, false);
    await range.return?.();
  }),
  onStore('hands out bytes that nobody else has', async (store) => {
    for (const size of [3, 500, 5000, 100_000]) {
      await store.batch([put(bytes(1), new Uint8Array(size).fill(1)), put(bytes(2), new Uint8Array(size).fill(2))]);
      const expected = new Uint8Array(size).fill(1);
      const read = [await store.get(bytes(1)), (await store.getMany([bytes(1)]))[0], (await entriesOf(store))[0]?.[1]];
      await store.get(bytes(2));
      for (const value of read) {
        sameBytes(value, expected, 'after another read');
        value?.fill(9);
      }
      const range = store.range({});
      const { value: first } = (await range.next()) as IteratorYieldResult<[Uint8Array, Uint8Array]>;
      first[0].fill(9);
      first[1].fill(9);
      const { value: second } = (await range.next()) as IteratorYieldResult<[Uint8Array, Uint8Array]>;
      sameBytes(second[0], bytes(2), 'the next key');
      await range.return?.();
      sameBytes(await store.get(bytes(1)), expected, 'in the store');
    }
  }),
];
