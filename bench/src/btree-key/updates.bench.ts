import type { BtreeKeyCache } from '@cache/btree-key';
import { wallClock } from '../harness/clocks.js';
import { type Competitor, type Size, atLeast, exactly } from '../harness/competitor.js';
import { race } from '../harness/race.js';
import type { CaseResult, Question } from '../harness/result.js';
import { keysOf, Places, VALUE_BYTES } from './places.js';
import { zipf99 } from './zipf.js';

const WRITERS = 64;
/** Room for every key: nothing is evicted here. */
const MAX_BYTES = 2 ** 30;

/** Runs of a race, and a little more. */
const RUNS = 12;

type Put = (key: string, bytes: Uint8Array, value: Uint8Array) => Promise<unknown>;

/** Keys, and the order of their updates. */
interface Workload {
  readonly keys: readonly string[];
  readonly bytes: readonly Uint8Array[];
  readonly order: Int32Array;
}

function workload(updates: number, count: number): Workload {
  const keys = keysOf(count);
  return { keys, bytes: keys.map((key) => Buffer.from(key)), order: zipf99(updates, count) };
}

/** So many writers take the next update each, when their last one was acknowledged. */
async function write({ keys, bytes, order }: Workload, from: number, to: number, put: Put): Promise<number> {
  let next = from;
  let acknowledged = 0;
  const writer = async (): Promise<void> => {
    while (next < to) {
      const number = order[next % order.length] as number;
      const value = new Uint8Array(VALUE_BYTES);
      value[0] = next++;
      await put(keys[number] as string, bytes[number] as Uint8Array, value);
      acknowledged++;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return acknowledged;
}

/** Each run goes on in the order where the one before it ended, so that it meets keys that are new, as Zipf has it. */
function competitor(name: string, run: number, work: Workload, put: Put, facts?: Competitor['facts']): Competitor {
  let acknowledged = 0;
  let from = 0;
  return {
    name,
    operations: run,
    async run() {
      acknowledged = await write(work, from, from + run, put);
      from += run;
    },
    hash: () => acknowledged,
    ...(facts === undefined ? {} : { facts }),
  };
}

async function durable(size: Size): Promise<CaseResult> {
  const count = size === 'real' ? 1_000_000 : 10_000;
  const run = size === 'real' ? 50_000 : 500;
  const work = workload(RUNS * run, count);
  await using places = new Places();
  const cache = await places.cache(work.keys, MAX_BYTES);
  const lmdb = await places.lmdb(work.keys);
  const level = await places.level(work.keys);
  const target = size === 'real' ? { target: atLeast(5) } : {};
  return await race(
    {
      competitors: [
        competitor(
          'BtreeKeyCache over lmdb',
          run,
          work,
          (key, _, value) => cache.update(key, () => value),
          () => factsOf(cache),
        ),
        competitor('lmdb', run, work, async (_, key, value) => {
          lmdb.get(key);
          await lmdb.put(key, value);
        }),
        competitor('classic-level', run, work, async (_, key, value) => {
          level.getSync(key);
          await level.put(key, value, { sync: true });
        }),
      ],
      comparisons: [
        { what: 'durable updates', of: 'BtreeKeyCache over lmdb', against: 'lmdb', as: 'speedup', ...target },
        { what: 'durable updates', of: 'BtreeKeyCache over lmdb', against: 'classic-level', as: 'speedup', ...target },
      ],
      clock: wallClock,
      rounds: 5,
      runs: 1,
    },
    size,
  );
}

function factsOf(cache: BtreeKeyCache): Readonly<Record<string, number>> {
  const { updates, flushedKeys, movedPins, flushes, dirty, throttled } = cache.stats();
  return { updates, flushedKeys, movedPins, flushes, dirty, throttled };
}

/** How many keys the store was given, for each 100 updates; until then, and with what is flushed at the end. */
async function storeWrites(size: Size): Promise<CaseResult> {
  const updates = size === 'real' ? 5_000_000 : 20_000;
  const work = workload(updates, size === 'real' ? 1_000_000 : 1000);
  await using places = new Places();
  const cache = await places.cache(work.keys, MAX_BYTES);
  await write(work, 0, updates, (key, _, value) => cache.update(key, () => value));
  const working = (100 * cache.stats().flushedKeys) / updates;
  await cache.flush();
  const inAll = (100 * cache.stats().flushedKeys) / updates;
  const figure = (what: string, value: number, target: number | null) => ({
    what,
    of: 'BtreeKeyCache',
    against: null,
    value,
    low: value,
    high: value,
    unit: '%' as const,
    target: target === null ? null : exactly('at most', target),
  });
  return {
    timings: [],
    figures: [
      figure('writes of the store for an update, under load', working, size === 'real' ? 10 : null),
      figure('the same, with the last flush', inAll, null),
    ],
  };
}

export const updatesQuestion: Question = {
  id: 'updates',
  asks: 'How fast are acknowledged updates of hot keys by 64 writers, and what does the store see of them?',
  cases: [
    { name: '64 writers, Zipf 0.99, durable', run: durable },
    { name: 'writes of the store', run: storeWrites },
  ],
};
