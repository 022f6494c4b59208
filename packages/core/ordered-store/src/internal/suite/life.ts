import assert from 'node:assert/strict';
import { bytes, del, entriesOf, keyOf, onStore, put, type StoreCase } from './case.js';
import { rejectsWith, sameEntries } from './checks.js';

export const lifeCases: readonly StoreCase[] = [
  onStore('closes once, however often it is told', async (store) => {
    await Promise.all([store.close(), store.close()]);
    await store.close();
  }),
  onStore('does nothing more when it is closed', async (store) => {
    await store.batch([put(bytes(1), bytes(1))]);
    const closing = store.close();
    for (const moment of ['while it closes', 'when it is closed']) {
      await rejectsWith('ERR_STORE_CLOSED', store.get(bytes(1)), `get ${moment}`);
      await rejectsWith('ERR_STORE_CLOSED', store.getMany([bytes(1)]), `getMany ${moment}`);
      if (store.getSync !== undefined) {
        assert.throws(() => store.getSync?.(bytes(1)), { code: 'ERR_STORE_CLOSED' }, `getSync ${moment}`);
      }
      await rejectsWith('ERR_STORE_CLOSED', store.batch([del(bytes(1))]), `batch ${moment}`);
      await rejectsWith('ERR_STORE_CLOSED', store.batch([]), `empty batch ${moment}`);
      await rejectsWith('ERR_STORE_CLOSED', store.mark(), `mark ${moment}`);
      await rejectsWith('ERR_STORE_CLOSED', entriesOf(store), `range ${moment}`);
      await rejectsWith('ERR_STORE_CLOSED', entriesOf(store, { limit: 0 }), `empty range ${moment}`);
      await closing;
    }
  }),
  onStore('ends open ranges when it closes', async (store) => {
    await store.batch(Array.from({ length: 300 }, (_, index) => put(keyOf(index), bytes(1))));
    const ranges = Array.from({ length: 5 }, (_, index) => store.range({ reverse: index % 2 === 0 }));
    await Promise.all(ranges.map(async (range) => range.next()));
    const running = (ranges[0] as (typeof ranges)[0]).next();
    await store.close();
    await Promise.allSettled([running]);
    for (const range of ranges) {
      await rejectsWith('ERR_STORE_CLOSED', range.next(), 'next');
      assert.equal((await range.return?.())?.done, true);
    }
  }),
  {
    name: 'waits for what was begun when it closes, and has it when it is opened again',
    needs: 'reopen',
    async run(place) {
      const first = await place.open();
      const stored = Array.from({ length: 10 }, async (_, index) =>
        first.batch([put(keyOf(index), bytes(index))], { mark: index }),
      );
      const read = first.get(keyOf(0));
      await first.close();
      await Promise.all([...stored, read]);

      const second = await place.open();
      sameEntries(
        await entriesOf(second),
        Array.from({ length: 10 }, (_, index) => [keyOf(index), bytes(index)] as const),
        'entries',
      );
      assert.equal(await second.mark(), 9);
      await second.batch([del(keyOf(0))], { durable: true });
      await second.close();

      const third = await place.open();
      assert.equal((await entriesOf(third)).length, 9);
      assert.equal(await third.mark(), 9);
      await third.close();
    },
  },
];
