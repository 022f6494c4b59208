import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import type { StoreEntry, StoreRange } from '../../ordered-store.js';
import { bytes, entriesOf, keyOf, onStore, put, type StoreCase } from './case.js';
import { hex, sameEntries } from './checks.js';

const KEYS: readonly Uint8Array[] = [
  bytes(0),
  bytes(0, 0),
  bytes(0, 1),
  bytes(1),
  bytes(127, 255),
  bytes(128),
  bytes(255),
  bytes(255, 255),
];
/** Some that are there, and what lies before, between and after them. */
const PROBES: readonly Uint8Array[] = [
  bytes(0),
  bytes(0, 0, 0),
  bytes(1),
  bytes(2),
  bytes(128),
  bytes(255, 255),
  bytes(255, 255, 0),
];
const COUNT = 700;

export const rangeCases: readonly StoreCase[] = [
  onStore('ranges by every combination of bounds', async (store) => {
    const entries = KEYS.map((key, index): StoreEntry => [key, bytes(index)]);
    await store.batch(entries.toReversed().map(([key, value]) => put(key, value)));
    const lowers: StoreRange[] = [{}, ...PROBES.flatMap((key) => [{ gte: key }, { gt: key }])];
    const uppers: StoreRange[] = [{}, ...PROBES.flatMap((key) => [{ lte: key }, { lt: key }])];
    for (const lower of lowers) {
      for (const upper of uppers) {
        for (const rest of [{}, { reverse: true }, { limit: 2 }, { reverse: true, limit: 1 }]) {
          const range = { ...lower, ...upper, ...rest };
          sameEntries(await entriesOf(store, range), expectedOf(entries, range), wordsOf(range));
        }
      }
    }
  }),
  onStore('takes the narrower of two bounds at one end', async (store) => {
    const entries = KEYS.map((key): StoreEntry => [key, key]);
    await store.batch(entries.map(([key, value]) => put(key, value)));
    for (const one of PROBES) {
      for (const other of PROBES) {
        for (const range of [
          { gte: one, gt: other },
          { lte: one, lt: other, reverse: true },
        ]) {
          sameEntries(await entriesOf(store, range), expectedOf(entries, range), wordsOf(range));
        }
      }
    }
  }),
  onStore('has bounds that no key could have', async (store) => {
    const entries = KEYS.map((key): StoreEntry => [key, key]);
    await store.batch(entries.map(([key, value]) => put(key, value)));
    const long = new Uint8Array(Math.min(store.caps.maxKeyBytes, 5000) + 100).fill(255, 0, 2);
    for (const bound of [bytes(), long]) {
      for (const name of ['gte', 'gt', 'lte', 'lt']) {
        for (const reverse of [false, true]) {
          const range = { [name]: bound, reverse };
          sameEntries(
            await entriesOf(store, range),
            expectedOf(entries, range),
            `${wordsOf(range)}, ${bound.length} bytes`,
          );
        }
      }
    }
    const inside = { gt: bytes(), lt: long, limit: 0 };
    assert.deepEqual(await entriesOf(store, inside), []);
  }),
  onStore('ranges over more than it reads at once', async (store) => {
    const entries = Array.from({ length: COUNT }, (_, index): StoreEntry => [keyOf(index), keyOf(index * 2)]);
    await store.batch(entries.map(([key, value]) => put(key, value)));
    for (const limit of [1, 3, 4, 5, 27, 28, 29, 64, 127, 128, 129, COUNT - 1, COUNT, COUNT + 1, Infinity]) {
      for (const range of [{ limit }, { limit, reverse: true }, { limit, gt: keyOf(2), lt: keyOf(COUNT - 2) }]) {
        sameEntries(await entriesOf(store, range), expectedOf(entries, range), wordsOf(range));
      }
    }
  }),
  onStore('ends a range that is left early', async (store) => {
    await store.batch(Array.from({ length: COUNT }, (_, index) => put(keyOf(index), bytes(1))));
    const never = store.range({});
    assert.equal((await never.return?.())?.done, true);
    assert.equal((await never.next()).done, true);
    for (const count of [1, 4, 5, 200]) {
      let seen = 0;
      for await (const entry of store.range({ reverse: count === 5 })) {
        assert.equal(entry.length, 2);
        if (++seen === count) {
          break;
        }
      }
    }
    const thrown = store.range({});
    await thrown.next();
    await assert.rejects(async () => thrown.throw?.(new Error('enough')), /enough/);
    assert.equal((await thrown.next()).done, true);
  }),
  onStore('stays at the end of a range', async (store) => {
    await store.batch([put(bytes(1), bytes(1))]);
    const range = store.range({});
    assert.equal(range[Symbol.asyncIterator](), range);
    assert.equal((await range.next()).done, false);
    for (let again = 0; again < 3; again++) {
      assert.deepEqual(await range.next(), { done: true, value: undefined });
    }
  }),
  onStore('answers calls of next() in order, also when they do not wait', async (store) => {
    await store.batch(Array.from({ length: 20 }, (_, index) => put(keyOf(index), keyOf(index))));
    const range = store.range({});
    const results = await Promise.all(Array.from({ length: 22 }, async () => range.next()));
    const keys = results.map(({ done, value }) => (done === true ? null : hex(value[0])));
    assert.deepEqual(keys, [...Array.from({ length: 20 }, (_, index) => hex(keyOf(index))), null, null]);
  }),
];

/** What a range should have, by looking at every entry. */
export function expectedOf(entries: readonly StoreEntry[], range: StoreRange): StoreEntry[] {
  const { gte, gt, lte, lt, reverse = false, limit = Infinity } = range;
  const inside = entries.filter(
    ([key]) =>
      (gte === undefined || Buffer.compare(key, gte) >= 0) &&
      (gt === undefined || Buffer.compare(key, gt) > 0) &&
      (lte === undefined || Buffer.compare(key, lte) <= 0) &&
      (lt === undefined || Buffer.compare(key, lt) < 0),
  );
  return (reverse ? inside.toReversed() : inside).slice(0, limit);
}

function wordsOf(range: StoreRange): string {
  return Object.entries(range)
    .map(
      ([name, value]: [string, unknown]) =>
        `${name} ${value instanceof Uint8Array ? hex(value.subarray(0, 8)) : String(value)}`,
    )
    .join(', ');
}
