import { expect, test } from 'vitest';
import { runTape, type TapeTest } from './tape.js';

const BODIES: Record<string, [body: (t: TapeTest) => unknown, fails: boolean]> = {
  'a promise that is fulfilled': [async (t) => t.ok(true), false],
  'a promise that is rejected': [async () => Promise.reject(new Error('broken')), true],
  'a value that is not the expected one': [async (t) => t.is(1, 2), true],
  'a value that only looks like the expected one': [async (t) => t.is({}, {}), true],
  'a value that is as it should not be': [async (t) => t.isNot(1, 1), true],
  'values that differ inside': [async (t) => t.same([{ a: 1 }], [{ a: 2 }]), true],
  'values that are the same inside': [async (t) => t.same([{ a: 1 }], [{ a: 1 }]), false],
  'a false value': [async (t) => t.ok(0), true],
  'a place that is never reached': [async (t) => t.fail('reached'), true],
  'a function that throws nothing': [async (t) => t.throws(() => {}), true],
  'a function that throws another error': [async (t) => t.throws(thrower, () => false), true],
  'a function that throws': [async (t) => t.throws(thrower, () => true), false],
  'a function that should not throw': [async (t) => t.doesNotThrow(thrower), true],
  'more than was planned': [
    async (t) => {
      t.plan(1);
      t.pass();
      t.pass();
    },
    true,
  ],
  'what was planned, after the promise': [
    async (t) => {
      t.plan(1);
      setImmediate(() => t.pass());
    },
    false,
  ],
  'an end with an error': [(t) => t.end(new Error('broken')), true],
  'an end': [(t) => t.end(), false],
};

function thrower(): never {
  throw new Error('thrown');
}

test.each(Object.entries(BODIES))('%s', async (_, [body, fails]) => {
  const ended = runTape(body, () => {});
  await (fails ? expect(ended).rejects.toThrow() : ended);
});

test('less than was planned has not ended', async () => {
  let ended = false;
  const never = runTape(
    async (t) => {
      t.plan(2);
      t.pass();
    },
    () => {},
  );
  void never.then(() => {
    ended = true;
  });
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(ended).toBe(false);
});
