import { expect, test } from 'vitest';
import { faultsOf, Tally } from '../src/tally.js';

function heard(...hits: [client: string, hits: number][]): Tally {
  const tally = new Tally();
  for (const [client, count] of hits) {
    tally.hear(200, JSON.stringify({ client, hits: count }));
  }
  return tally;
}

test('finds nothing wrong when all is there', () => {
  const tally = heard(['a', 1], ['b', 1], ['a', 2]);
  tally.hear(429, JSON.stringify({ client: 'a', hits: 3 }));
  const comparison = tally.compare(
    [
      { client: 'a', hits: 3 },
      { client: 'b', hits: 1 },
    ],
    0,
  );
  expect(comparison).toEqual({ total: 4, lost: 0, more: 0, mayBeMore: 0 });
  expect(faultsOf(comparison, tally)).toEqual([]);
});

test('finds what is missing, also where another has more', () => {
  const tally = heard(['a', 1], ['a', 2], ['b', 1]);
  const comparison = tally.compare([{ client: 'b', hits: 3 }], 2);
  expect(comparison).toEqual({ total: 3, lost: 2, more: 2, mayBeMore: 2 });
  expect(faultsOf(comparison, tally)).toEqual(['2 acknowledged hits are missing']);
});

test('finds a count that was once told as more', () => {
  // One hit of `a` was counted, and its answer lost with the process: the next answer told of it.
  const tally = heard(['a', 1], ['a', 3]);
  expect(tally.compare([{ client: 'a', hits: 2 }], 1)).toMatchObject({ lost: 1 });
  expect(tally.compare([{ client: 'a', hits: 3 }], 1)).toMatchObject({ lost: 0, more: 1 });
});

test('finds hits that nobody sent', () => {
  const tally = heard(['a', 1]);
  const service = [
    { client: 'a', hits: 2 },
    { client: 'b', hits: 2 },
  ];
  expect(faultsOf(tally.compare(service, 3), tally)).toEqual([]);
  expect(faultsOf(tally.compare(service, 2), tally)).toEqual([
    '3 hits were counted that nobody heard of, and at most 2 were under way',
  ]);
});

test('finds answers that are faults, and that there was nothing', () => {
  const tally = new Tally();
  expect(faultsOf(tally.compare([], 0), tally)).toEqual(['Not one hit was acknowledged']);
  tally.hear(500, 'broken');
  expect(faultsOf(tally.compare([], 0), tally)).toContain('1 answers were neither 200 nor 429');
});
