import { zipf } from '../harness/workload.js';

const SEED = 20_260_102;
/** How uneven the keys are used, as YCSB has it. */
const SKEW = 0.99;

/** `count` numbers in [0, bound), the n-th most popular with a weight of 1/n^0.99. */
export function zipf99(count: number, bound: number): Int32Array {
  return zipf(count, bound, SKEW, SEED);
}
