import { SeededRng } from '@core/base';
import { zipfRanks } from '../harness/workload.js';
import { type KeyStream, keyStream } from './key-stream.js';

/** The workloads that need no trace, about `length` requests each. The same ones each time. */
export function syntheticWorkloads(length: number): KeyStream[] {
  return [
    keyStream('zipf 0.8', zipf(length / 5, length, 0.8, 1)),
    keyStream('zipf 1.0', zipf(length / 5, length, 1, 2)),
    keyStream('scan', scan(length)),
    keyStream('loop', loop(length)),
    keyStream('mixed', mixed(length)),
    keyStream('drifting', drifting(length)),
    keyStream('shifting', shifting(length)),
    keyStream('pairwise', pairwise(length)),
  ];
}

/** Where the past says nothing but what was used last: nothing but an exact LRU order is right, so LRU is hard to beat. */
export function recencyWorkloads(length: number): KeyStream[] {
  return [keyStream('random walk', randomWalk(length)), keyStream('stack distances', stackDistances(length))];
}

/** Keys by popularity: the one of rank r is asked for in proportion to 1 / r^skew. */
function zipf(keys: number, length: number, skew: number, seed: number): Int32Array {
  return zipfRanks(length, Math.max(1, Math.floor(keys)), skew, seed);
}

/** Popular keys, and now and then a long run of keys that are asked for once. */
function* scan(length: number): Iterable<number> {
  const run = Math.ceil(length / 40);
  let once = length;
  let left = 0;
  for (const key of zipf(length / 20, length, 0.9, 3)) {
    yield key;
    left--;
    if (left < 0) {
      left = 2 * run;
      for (const end = once + run; once < end; once++) {
        yield once;
      }
    }
  }
}

/** All keys in turn, again and again. */
function* loop(length: number): Iterable<number> {
  const keys = Math.ceil(length / 60);
  for (let at = 0; at < length; at++) {
    yield at % keys;
  }
}

/** Popular keys which change now and then, a loop, and keys that are asked for once. */
function* mixed(length: number): Iterable<number> {
  const rng = new SeededRng(5);
  const keys = Math.ceil(length / 10);
  let at = 0;
  for (const key of zipf(keys, length, 0.9, 4)) {
    const kind = rng.next();
    if (kind < 0.6) {
      yield (key + 777 * Math.floor((6 * at) / length)) % keys;
    } else if (kind < 0.8) {
      yield length + (at % Math.ceil(keys / 16));
    } else {
      yield 2 * length + at;
    }
    at++;
  }
}

/** Popular keys that are always newer ones. */
function* drifting(length: number): Iterable<number> {
  let at = 0;
  for (const key of zipf(length / 20, length, 1, 6)) {
    yield key + Math.floor(at / 40);
    at++;
  }
}

/** Popular keys, and eight times all of them are others from one request to the next. */
function* shifting(length: number): Iterable<number> {
  const keys = Math.floor(length / 20);
  let at = 0;
  for (const key of zipf(keys, length, 1, 9)) {
    yield key + keys * Math.floor((8 * at) / length);
    at++;
  }
}

/** Keys that are asked for twice, the second time a little later, and among them popular ones. */
function* pairwise(length: number): Iterable<number> {
  const rng = new SeededRng(11);
  const popular = zipf(length / 20, length, 0.9, 12);
  const distance = Math.ceil(length / 200);
  const asked = new Int32Array(distance).fill(-1);
  let next = 0;
  for (let at = 0; at < length; at++) {
    if (rng.next() < 0.3) {
      yield -1 - (popular[at] as number);
      continue;
    }
    const before = asked[next % distance] as number;
    asked[next % distance] = next;
    yield next;
    if (before >= 0) {
      yield before;
    }
    next++;
  }
}

/** Small steps to and fro over all keys. */
function* randomWalk(length: number): Iterable<number> {
  const rng = new SeededRng(7);
  const keys = Math.ceil(length / 8);
  let key = 0;
  for (let at = 0; at < length; at++) {
    key += Math.floor((rng.next() - 0.5) * 200);
    yield ((key % keys) + keys) % keys;
  }
}

/** How many others were used since a key was used last is drawn from a power law; now and then comes a new key. */
function* stackDistances(length: number): Iterable<number> {
  const rng = new SeededRng(21);
  const stack: number[] = [];
  let next = 0;
  for (let at = 0; at < length; at++) {
    const depth = Math.floor((1 - rng.next()) ** (-1 / 0.9)) - 1;
    const isNew = rng.next() < 0.1 || depth >= stack.length;
    const key = isNew ? next : (stack.splice(stack.length - 1 - depth, 1)[0] as number);
    next += isNew ? 1 : 0;
    stack.push(key);
    yield key;
  }
}
