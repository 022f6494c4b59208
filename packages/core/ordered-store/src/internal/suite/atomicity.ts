import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { OrderedStore } from '../../ordered-store.js';
import { bytes, entriesOf, keyOf, onStore, put, type StoreCase } from './case.js';
import { rejectsWith, sameBytes, sameEntries } from './checks.js';

const ROUNDS = 60;
const KEYS = 40;

export const atomicityCases: readonly StoreCase[] = [
  onStore('stores nothing of a batch that fails', async (store) => {
    await store.batch([put(keyOf(1), bytes(1))], { mark: 1 });
    const operations = Array.from({ length: KEYS }, (_, index) => put(keyOf(index), bytes(2)));
    for (const at of [0, 1, KEYS / 2, KEYS]) {
      await rejectsWith(
        'ERR_STORE_KEY_EMPTY',
        store.batch(operations.toSpliced(at, 0, put(bytes(), bytes(2))), { mark: 2, durable: true }),
        `with a bad operation at ${at}`,
      );
      sameEntries(await entriesOf(store), [[keyOf(1), bytes(1)]], 'entries');
      assert.equal(await store.mark(), 1);
    }
  }),
  onStore(
    'shows a batch as a whole or not at all',
    async (store) => {
      await storeRound(store, 0);
      const writing = storeRounds(store);
      for (let seen = 0; seen < ROUNDS;) {
        const values = (await entriesOf(store)).map(([, value]) => Number(value[0]));
        assert.equal(values.length, KEYS);
        seen = values[0] as number;
        assert.deepEqual([...new Set(values)], [seen], 'the values of one moment');
        // Lets those come through that write in turns of their own.
        await setImmediate();
      }
      await writing;
    },
    'snapshots',
  ),
  onStore('stores the mark together with its batch', async (store) => {
    await storeRound(store, 0);
    const writing = storeRounds(store);
    for (let seen = 0; seen < ROUNDS;) {
      const before = await store.mark();
      const value = Number((await store.get(keyOf(0)))?.[0]);
      const after = await store.mark();
      assert.ok(before <= value, `mark ${before} is stored before its batch: the value is of ${value}`);
      assert.ok(value <= after, `mark ${after} is stored after its batch: the value was of ${value}`);
      seen = after;
      await setImmediate();
    }
    await writing;
  }),
  onStore('stores batches in the order of the calls', async (store) => {
    const stored = Array.from({ length: 50 }, async (_, index) =>
      store.batch([put(bytes(1), bytes(index)), put(keyOf(index), bytes(index))], {
        mark: index,
        durable: index % 3 === 0,
      }),
    );
    await Promise.all(stored);
    sameBytes(await store.get(bytes(1)), bytes(49), 'the last');
    assert.equal(await store.mark(), 49);
    assert.equal((await entriesOf(store)).length, 51);
  }),
];

async function storeRounds(store: OrderedStore): Promise<void> {
  for (let round = 1; round <= ROUNDS; round++) {
    await storeRound(store, round);
  }
}

async function storeRound(store: OrderedStore, round: number): Promise<void> {
  await store.batch(
    Array.from({ length: KEYS }, (_, index) => put(keyOf(index), bytes(round))),
    { mark: round },
  );
}
