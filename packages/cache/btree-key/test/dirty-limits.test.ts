import { expect, test } from 'vitest';
import {
  flushMark,
  flushRate,
  flushWantedBytes,
  mustWait,
  mustWaitBytes,
  waitDone,
  waitDoneBytes,
} from '../src/internal/dirty-limits.js';

test.each([
  [0, 1024, 4096, 2048],
  [1001, 1524, 4846, 2673],
  [100_000, 51_024, 79_096, 64_548],
])('with %i keys: flush above %i, wait above %i, go on at %i', (keys, flush, wait, done) => {
  expect(flushMark(keys)).toBe(flush);
  const full = (done + wait) / 2;
  expect([flushRate(0, keys), flushRate(flush, keys), flushRate(full, keys), flushRate(wait, keys)]).toEqual([
    0, 0, 1, 1,
  ]);
  expect(flushRate(flush + 1, keys)).toBeGreaterThan(0);
  expect(flushRate(flush + (full - flush) / 2, keys)).toBeCloseTo(0.5, 6);
  expect(flushRate(full - 1, keys)).toBeLessThan(1);
  expect([mustWait(wait, keys), mustWait(wait + 1, keys)]).toEqual([false, true]);
  expect([waitDone(done, keys), waitDone(done + 1, keys)]).toEqual([true, false]);
});

test('by bytes: a half, three quarters, five eighths', () => {
  expect([flushWantedBytes(500, 1000), flushWantedBytes(501, 1000)]).toEqual([false, true]);
  expect([mustWaitBytes(750, 1000), mustWaitBytes(751, 1000)]).toEqual([false, true]);
  expect([waitDoneBytes(625, 1000), waitDoneBytes(626, 1000)]).toEqual([true, false]);
  expect([flushWantedBytes(1e12, Infinity), mustWaitBytes(1e12, Infinity)]).toEqual([false, false]);
});
