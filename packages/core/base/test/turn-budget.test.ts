import { expect, it } from 'vitest';
import { TurnBudget } from '../src/index.js';

const clock = { now: () => 0 };

it.each([0, -1, Number.NaN])('a budget of %d ms is refused: it would be none, or never spent', (baseMs) => {
  expect(() => new TurnBudget(baseMs, clock)).toThrow(
    new RangeError(`Cannot use a budget of ${baseMs} ms a turn: it must be above 0`),
  );
});

it('a budget may be without end', () => {
  const budget = new TurnBudget(Infinity, clock);
  budget.begin(1);
  expect(budget.look()).toBe(false);
});
