import { SeededRng } from '@core/base';
import { collectGarbage } from './collect-garbage.js';

const SEED = 20_260_101;
/** Spreads the popular keys over all of them. */
const SCATTER = 2_654_435_761;

/** `count` numbers in [0, bound), all as likely. */
export function uniform(count: number, bound: number): Int32Array {
  const rng = new SeededRng(SEED);
  return new Int32Array(count).map(() => rng.below(bound));
}

/** `count` numbers in [0, bound), the n-th most popular with a weight of 1/n^skew. */
export function zipf(count: number, bound: number, skew: number = 1, seed: number = SEED): Int32Array {
  return zipfRanks(count, bound, skew, seed).map((rank) => (rank * SCATTER) % bound);
}

/** As {@link zipf}, but that each number is its rank: 0 is the most popular. */
export function zipfRanks(count: number, bound: number, skew: number, seed: number): Int32Array {
  const rng = new SeededRng(seed);
  const upTo = new Float64Array(bound);
  let sum = 0;
  for (let rank = 0; rank < bound; rank++) {
    sum += (rank + 1) ** -skew;
    upTo[rank] = sum;
  }
  return new Int32Array(count).map(() => firstAbove(upTo, rng.next() * sum));
}

/**
 * `count` objects in an order that has nothing to do with where they are in memory.
 *
 * They are made and moved to the old space in order, and mixed after that: a young object would be moved next to the
 * one that refers to it, and be found there in the end.
 */
export function scattered<T>(count: number, create: (index: number) => T): T[] {
  const objects = Array.from({ length: count }, (_, index) => create(index));
  collectGarbage();
  collectGarbage();
  const rng = new SeededRng(SEED);
  for (let index = count - 1; index > 0; index--) {
    const other = rng.below(index + 1);
    const object = objects[index] as T;
    objects[index] = objects[other] as T;
    objects[other] = object;
  }
  return objects;
}

function firstAbove(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
