import { SeededRng } from '@core/base';

const SEED = 20_260_102;
/** How uneven the keys are used, as YCSB has it. */
const SKEW = 0.99;
/** Spreads the popular keys over all of them. */
const SCATTER = 2_654_435_761;

/** `count` numbers in [0, bound), the n-th most popular with a weight of 1/n^0.99. */
export function zipf99(count: number, bound: number): Int32Array {
  const rng = new SeededRng(SEED);
  const upTo = new Float64Array(bound);
  let sum = 0;
  for (let rank = 0; rank < bound; rank++) {
    sum += (rank + 1) ** -SKEW;
    upTo[rank] = sum;
  }
  return new Int32Array(count).map(() => (firstAbove(upTo, rng.next() * sum) * SCATTER) % bound);
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
