import { expect, it } from 'vitest';
import { median, quantile } from '../src/harness/statistics.js';
import { uniform, zipf } from '../src/harness/workload.js';

it('takes quantiles of numbers in any order, and leaves them in theirs', () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.25, 0.5, 0.75, 1].map((part) => quantile(values, part))).toEqual([1, 2, 3, 4, 5]);
  expect(median([10, 2, 4, 3])).toBe(3.5);
  expect(median([10, 9])).toBe(9.5);
  expect(values).toEqual([5, 1, 4, 2, 3]);
  expect(() => median([])).toThrow(RangeError);
});

it('draws all numbers of a uniform load alike, and few of a Zipf load often', () => {
  const flat = counts(uniform(100_000, 100), 100);
  expect(Math.min(...flat)).toBeGreaterThan(800);
  expect(Math.max(...flat)).toBeLessThan(1_200);
  const steep = counts(zipf(100_000, 100), 100).sort((a, b) => b - a);
  // The first has 1 of the 5.19 that 1 + 1/2 + … + 1/100 comes to, the tenth a tenth of that.
  expect((steep[0] as number) / 100_000).toBeCloseTo(1 / 5.187, 1);
  expect((steep[0] as number) / (steep[9] as number)).toBeCloseTo(10, -1);
  expect(Math.min(...steep)).toBeGreaterThan(0);
});

function counts(numbers: Int32Array, bound: number): number[] {
  const found = Array.from({ length: bound }, () => 0);
  for (const number of numbers) {
    found[number] = (found[number] as number) + 1;
  }
  return found;
}
