import { expect, it } from 'vitest';
import { atLeast, atMost, exactly } from '../src/harness/competitor.js';
import { verdictOf } from '../src/harness/verdict.js';

it('knows met, near and missed on both sides of a target', () => {
  const most = [1.5, 1.51, 1.875, 1.876].map((value) => verdictOf({ value, target: atMost(1.5) }));
  expect(most).toEqual(['met', 'near', 'near', 'missed']);
  const least = [5, 4.99, 4, 3.99].map((value) => verdictOf({ value, target: atLeast(5) }));
  expect(least).toEqual(['met', 'near', 'near', 'missed']);
});

it('gives no slack to what is counted, and none to what is no number', () => {
  expect(verdictOf({ value: 0, target: exactly('at most', 0) })).toBe('met');
  expect(verdictOf({ value: 1, target: exactly('at most', 0) })).toBe('missed');
  expect(verdictOf({ value: 99, target: exactly('at least', 100) })).toBe('missed');
  expect(verdictOf({ value: Number.NaN, target: atMost(1) })).toBe('missed');
  expect(verdictOf({ value: Number.NaN, target: atLeast(1) })).toBe('missed');
  expect(verdictOf({ value: 7, target: null })).toBe('none');
});
