import { type Competitor, type Size, atLeast } from '../harness/competitor.js';
import { race } from '../harness/race.js';
import type { CaseResult, Question } from '../harness/result.js';
import { keysOf, Places } from './places.js';
import { zipf99 } from './zipf.js';

const MAX_BYTES = 2 ** 30;
/** So few that they stay in the processor's cache, values included. */
const HOT_KEYS = 1000;

/** @param read how many keys there are to be read, of which the most popular are read most */
async function hotReads(size: Size, read: number): Promise<CaseResult> {
  const count = size === 'real' ? 1_000_000 : 1000;
  const keys = keysOf(count);
  const bytes = keys.map((key) => Buffer.from(key));
  const order = zipf99(size === 'real' ? 100_000 : 2000, Math.min(read, count));
  const target = size === 'real' ? { target: atLeast(5) } : {};
  await using places = new Places();
  const cache = await places.cache(keys, MAX_BYTES);
  const lmdb = await places.lmdb(keys);
  for (const number of new Set(order)) {
    await cache.get(keys[number] as string);
  }
  return await race(
    {
      competitors: [
        inPlace(cache, keys, order),
        byString(cache, keys, order),
        byBytes(cache, bytes, order),
        awaited(cache, keys, order),
        byLmdb(lmdb, bytes, order),
      ],
      comparisons: [
        { what: 'a hot read', of: 'peek, string', against: 'lmdb.get', as: 'speedup', ...target },
        { what: 'a hot read', of: 'getSync, string', against: 'lmdb.get', as: 'speedup', ...target },
        { what: 'a hot read', of: 'getSync, bytes', against: 'lmdb.get', as: 'speedup' },
        { what: 'a hot read', of: 'await get, string', against: 'lmdb.get', as: 'speedup' },
      ],
    },
    size,
  );
}

/** Without a copy of the value. */
function inPlace(
  cache: { peek(key: string, read: (bytes: Uint8Array, length: number) => number): number | undefined },
  keys: readonly string[],
  order: Int32Array,
): Competitor {
  const sink = new Int32Array(1);
  const lengthOf = (_: Uint8Array, length: number): number => length;
  return {
    name: 'peek, string',
    operations: order.length,
    run() {
      let sum = 0;
      for (let at = 0; at < order.length; at++) {
        sum += cache.peek(keys[order[at] as number] as string, lengthOf) as number;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function byString(
  cache: { getSync(key: string): Uint8Array | undefined },
  keys: readonly string[],
  order: Int32Array,
): Competitor {
  const sink = new Int32Array(1);
  return {
    name: 'getSync, string',
    operations: order.length,
    run() {
      let sum = 0;
      for (let at = 0; at < order.length; at++) {
        sum += (cache.getSync(keys[order[at] as number] as string) as Uint8Array).length;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function byBytes(
  cache: { getSync(key: Uint8Array): Uint8Array | undefined },
  bytes: readonly Uint8Array[],
  order: Int32Array,
): Competitor {
  const sink = new Int32Array(1);
  return {
    name: 'getSync, bytes',
    operations: order.length,
    run() {
      let sum = 0;
      for (let at = 0; at < order.length; at++) {
        sum += (cache.getSync(bytes[order[at] as number] as Uint8Array) as Uint8Array).length;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

/** A promise and a microtask more. */
function awaited(
  cache: { get(key: string): Promise<Uint8Array | undefined> },
  keys: readonly string[],
  order: Int32Array,
): Competitor {
  const sink = new Int32Array(1);
  return {
    name: 'await get, string',
    operations: order.length,
    async run() {
      let sum = 0;
      for (let at = 0; at < order.length; at++) {
        sum += ((await cache.get(keys[order[at] as number] as string)) as Uint8Array).length;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

function byLmdb(
  lmdb: { get(key: Uint8Array): Uint8Array | undefined },
  bytes: readonly Uint8Array[],
  order: Int32Array,
): Competitor {
  const sink = new Int32Array(1);
  return {
    name: 'lmdb.get',
    operations: order.length,
    run() {
      let sum = 0;
      for (let at = 0; at < order.length; at++) {
        sum += (lmdb.get(bytes[order[at] as number] as Uint8Array) as Uint8Array).length;
      }
      sink[0] = sum;
    },
    hash: () => sink[0] as number,
  };
}

export const readsQuestion: Question = {
  id: 'reads',
  asks: 'What does it cost to read a key that is in the cache, beside a read of lmdb?',
  cases: [
    { name: 'hot reads, Zipf 0.99', run: (size) => hotReads(size, Infinity) },
    { name: 'hot reads, Zipf 0.99 over the first 1,000 keys', run: (size) => hotReads(size, HOT_KEYS) },
  ],
};
