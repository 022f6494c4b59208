import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { SeededRng } from '@core/base';
import type { OrderedStore, StoreEntry, StoreOperation, StoreRange } from '../../ordered-store.js';
import { del, entriesOf, put, type StoreCase } from './case.js';
import { sameBytes, sameEntries } from './checks.js';
import { expectedOf } from './ranges.js';

const STEPS = 200;

/** Random operations on the store and on a sorted array. */
export function modelCases(seeds: readonly number[]): StoreCase[] {
  return seeds.map((seed) => ({
    name: `does what a sorted array does, seed ${seed}`,
    async run(place, supports) {
      const rng = new SeededRng(seed);
      const model = new Model();
      let store = await place.open();
      const ranges: { range: AsyncIterableIterator<StoreEntry>; expected: StoreEntry[] }[] = [];
      for (let step = 0; step < STEPS; step++) {
        const choice = rng.below(20);
        if (choice < 9) {
          await storeSome(store, model, rng);
        } else if (choice < 12) {
          const keys = Array.from({ length: rng.below(6) }, () => randomKey(rng));
          const values = await store.getMany(keys);
          assert.equal(values.length, keys.length);
          for (const [index, key] of keys.entries()) {
            sameBytes(values[index], model.get(key), `step ${step}: one of many`);
            sameBytes(await store.get(key), model.get(key), `step ${step}: one`);
          }
        } else if (choice < 17) {
          const range = randomRange(rng);
          sameEntries(await entriesOf(store, range), expectedOf(model.entries, range), `step ${step}: a range`);
        } else if (choice < 19 && supports.snapshots) {
          if (ranges.length > 3) {
            await finish(ranges.shift() as (typeof ranges)[0], rng.below(3) > 0);
          }
          const bounds = randomRange(rng);
          const expected = expectedOf(model.entries, bounds);
          const range = store.range(bounds);
          // From now on it has its snapshot.
          await takeOne({ range, expected });
          ranges.push({ range, expected });
        } else if (choice === 19 && supports.reopen && rng.below(3) === 0) {
          await store.close();
          ranges.length = 0;
          store = await place.open();
        }
        assert.equal(await store.mark(), model.mark, `step ${step}: the mark`);
      }
      for (const range of ranges) {
        await finish(range, true);
      }
      sameEntries(await entriesOf(store), model.entries, 'all entries');
      await store.close();
    },
  }));
}

class Model {
  entries: StoreEntry[] = [];
  mark = 0;

  get(key: Uint8Array): Uint8Array | undefined {
    return this.entries.find(([other]) => Buffer.compare(key, other) === 0)?.[1];
  }

  apply(operations: readonly StoreOperation[]): void {
    for (const operation of operations) {
      this.entries = this.entries.filter(([key]) => Buffer.compare(key, operation.key) !== 0);
      if (operation.type === 'put') {
        this.entries.push([operation.key, operation.value]);
      }
    }
    this.entries.sort(([one], [other]) => Buffer.compare(one, other));
  }
}

async function storeSome(store: OrderedStore, model: Model, rng: SeededRng): Promise<void> {
  const operations = Array.from({ length: rng.below(rng.below(4) === 0 ? 100 : 6) }, () => {
    const key = randomKey(rng);
    return rng.below(3) === 0 ? del(key) : put(key, randomValue(rng));
  });
  const mark = rng.below(3) === 0 ? rng.below(1000) : undefined;
  await store.batch(operations, { durable: rng.below(4) === 0, ...(mark === undefined ? {} : { mark }) });
  model.apply(operations);
  model.mark = mark ?? model.mark;
}

/** Few keys, of few bytes, so that they meet; some share long prefixes. */
function randomKey(rng: SeededRng): Uint8Array {
  const key = Uint8Array.from({ length: 1 + rng.below(3) }, () => rng.pick([0, 1, 127, 128, 255]));
  return rng.below(8) === 0 ? Uint8Array.from([...new Uint8Array(100), ...key]) : key;
}

function randomValue(rng: SeededRng): Uint8Array {
  return new Uint8Array(rng.pick([0, 1, 20, 300, 5000])).fill(rng.below(256));
}

function randomRange(rng: SeededRng): StoreRange {
  const bound = (name: string): object => (rng.below(3) === 0 ? { [name]: randomKey(rng) } : {});
  return {
    ...bound('gte'),
    ...bound('gt'),
    ...bound('lte'),
    ...bound('lt'),
    ...(rng.below(2) === 0 ? {} : { reverse: true }),
    ...(rng.below(3) === 0 ? { limit: rng.below(20) } : {}),
  };
}

interface OpenRange {
  readonly range: AsyncIterableIterator<StoreEntry>;
  /** What is still to come. */
  readonly expected: StoreEntry[];
}

async function takeOne({ range, expected }: OpenRange): Promise<void> {
  const { done, value } = await range.next();
  sameEntries(done === true ? [] : [value], expected.splice(0, 1), 'the next of a snapshot');
}

async function finish(open: OpenRange, toTheEnd: boolean): Promise<void> {
  if (toTheEnd) {
    while (open.expected.length > 0) {
      await takeOne(open);
    }
    await takeOne(open);
  }
  await open.range.return?.();
}
