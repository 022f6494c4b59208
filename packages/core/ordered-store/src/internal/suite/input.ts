import assert from 'node:assert/strict';
import type { OrderedStore } from '../../ordered-store.js';
import { bytes, del, entriesOf, onStore, put, type StoreCase } from './case.js';
import { rejectsAs, rejectsWith, sameBytes } from './checks.js';

/** Above this, a value is not made only to be refused. */
const LARGEST_TRIED = 2 ** 31;

export const inputCases: readonly StoreCase[] = [
  onStore('refuses a key that is empty', async (store) => {
    await refusesKey(store, bytes(), 'ERR_STORE_KEY_EMPTY');
  }),
  onStore('has keys up to its limit, and refuses longer ones', async (store) => {
    const { maxKeyBytes } = store.caps;
    if (maxKeyBytes < LARGEST_TRIED) {
      const longest = new Uint8Array(maxKeyBytes).fill(255);
      await store.batch([put(longest, bytes(1))]);
      sameBytes(await store.get(longest), bytes(1), 'of the longest');
      assert.equal((await entriesOf(store, { lte: longest, reverse: true })).length, 1);
      await store.batch([del(longest)]);
      await refusesKey(store, new Uint8Array(maxKeyBytes + 1), 'ERR_STORE_KEY_TOO_LARGE');
    }
  }),
  onStore('refuses a value above its limit', async (store) => {
    const { maxValueBytes } = store.caps;
    if (maxValueBytes < LARGEST_TRIED) {
      const value = new Uint8Array(maxValueBytes + 1);
      await rejectsWith('ERR_STORE_VALUE_TOO_LARGE', store.batch([put(bytes(1), value)]), 'put');
      assert.deepEqual(await entriesOf(store), []);
    }
  }),
  onStore('refuses what is no bytes', async (store) => {
    for (const wrong of ['key', 5, null, undefined, [1], new ArrayBuffer(3)] as unknown as Uint8Array[]) {
      const what = `of ${typeof wrong}`;
      await rejectsAs(TypeError, store.get(wrong), `get ${what}`);
      await rejectsAs(TypeError, store.getMany([bytes(1), wrong]), `getMany ${what}`);
      await rejectsAs(TypeError, store.getMany(wrong as never), `getMany ${what} for the array`);
      await rejectsAs(TypeError, store.batch([put(bytes(1), bytes(1)), put(wrong, bytes(1))]), `put ${what}`);
      await rejectsAs(
        TypeError,
        store.batch([put(bytes(1), bytes(1)), put(bytes(2), wrong)]),
        `put of a value ${what}`,
      );
      await rejectsAs(TypeError, store.batch([put(bytes(1), bytes(1)), del(wrong)]), `del ${what}`);
      await rejectsAs(TypeError, store.batch(wrong as never), `batch ${what}`);
    }
    await rejectsAs(TypeError, store.batch([{ type: 'merge', key: bytes(1) } as never]), 'an unknown operation');
    assert.deepEqual(await entriesOf(store), []);
  }),
  onStore('refuses options that it does not know', async (store) => {
    const stored = (options: object): Promise<void> => store.batch([put(bytes(1), bytes(1))], options);
    await rejectsAs(TypeError, stored({ sync: true }), 'an unknown option');
    await rejectsAs(TypeError, stored({ durable: 1 }), 'durable that is no boolean');
    for (const mark of [-1, 1.5, Number.NaN, Infinity, 2 ** 53, '1']) {
      await rejectsAs(RangeError, stored({ mark }), `a mark of ${mark}`);
    }
    assert.deepEqual(await entriesOf(store), []);
    assert.equal(await store.mark(), 0);
  }),
  onStore('refuses ranges that it does not know', async (store) => {
    const read = async (range: object): Promise<unknown> => entriesOf(store, range);
    await rejectsAs(TypeError, read({ start: bytes(1) }), 'an unknown bound');
    await rejectsAs(TypeError, read({ gte: 'a' }), 'a bound that is no bytes');
    await rejectsAs(TypeError, read({ reverse: 1 }), 'reverse that is no boolean');
    for (const limit of [-1, 1.5, Number.NaN, '1']) {
      await rejectsAs(RangeError, read({ limit }), `a limit of ${limit}`);
    }
  }),
];

async function refusesKey(
  store: OrderedStore,
  key: Uint8Array,
  code: 'ERR_STORE_KEY_EMPTY' | 'ERR_STORE_KEY_TOO_LARGE',
): Promise<void> {
  const other = put(bytes(1), bytes(1));
  await rejectsWith(code, store.get(key), 'get');
  await rejectsWith(code, store.getMany([bytes(1), key]), 'getMany');
  await rejectsWith(code, store.batch([other, put(key, bytes(1))], { mark: 9 }), 'put');
  await rejectsWith(code, store.batch([other, del(key)], { mark: 9 }), 'del');
  assert.deepEqual(await entriesOf(store), [], 'nothing of a batch that was refused');
  assert.equal(await store.mark(), 0, 'nor its mark');
}
