import assert from 'node:assert/strict';
import type { StoreEntry } from '../../ordered-store.js';
import { bytes, del, keyOf, onStore, put, type StoreCase } from './case.js';
import { sameEntries } from './checks.js';

const COUNT = 300;

export const snapshotCases: readonly StoreCase[] = [
  onStore(
    'ranges over one snapshot, whatever is written meanwhile',
    async (store) => {
      const entries = Array.from({ length: COUNT }, (_, index): StoreEntry => [keyOf(index * 2), bytes(1)]);
      await store.batch(entries.map(([key, value]) => put(key, value)));
      for (const reverse of [false, true]) {
        const range = store.range({ reverse });
        const seen = [await oneOf(range)];
        await store.batch([
          ...entries.map(([key]) => put(key, bytes(2))),
          ...entries.map((_, index) => put(keyOf(index * 2 + 1), bytes(2))),
        ]);
        seen.push(await oneOf(range));
        await store.batch(Array.from({ length: COUNT * 2 }, (_, index) => del(keyOf(index))));
        for await (const entry of range) {
          seen.push(entry);
        }
        sameEntries(seen, reverse ? entries.toReversed() : entries, 'the snapshot');
        await store.batch(entries.map(([key, value]) => put(key, value)));
      }
    },
    'snapshots',
  ),
  onStore(
    'takes the snapshot at the first next()',
    async (store) => {
      const range = store.range({});
      await store.batch([put(bytes(1), bytes(1))]);
      sameEntries([await oneOf(range)], [[bytes(1), bytes(1)]], 'written before it');
      await range.return?.();
    },
    'snapshots',
  ),
  onStore(
    'has several snapshots at once',
    async (store) => {
      const ranges = [];
      for (let round = 0; round < 10; round++) {
        await store.batch(Array.from({ length: 20 }, (_, index) => put(keyOf(index), bytes(round))));
        const range = store.range({});
        sameEntries([await oneOf(range)], [[keyOf(0), bytes(round)]], `the first of ${round}`);
        ranges.push(range);
      }
      for (const [round, range] of ranges.entries()) {
        let index = 0;
        for await (const [, value] of range) {
          assert.equal(value[0], round, `entry ${++index} of snapshot ${round}`);
        }
        assert.equal(index, 19);
      }
    },
    'snapshots',
  ),
];

async function oneOf(range: AsyncIterableIterator<StoreEntry>): Promise<StoreEntry> {
  const { done, value } = await range.next();
  assert.notEqual(done, true, 'the range has ended');
  return value as StoreEntry;
}
