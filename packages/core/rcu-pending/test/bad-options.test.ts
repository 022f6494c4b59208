import { Rcu } from '@core/rcu';
import { expect, test } from 'vitest';
import { asShrinker, KvFree, RcuPending } from '../src/index.js';

const process = (): void => {};

test.each([5, {}, null])('nodes that are no pool are refused at once: %j', (nodes) => {
  expect(() => new RcuPending({ rcu: new Rcu(), process, nodes: nodes as never })).toThrow(
    /^Cannot create a pending with nodes /,
  );
});

test('expediteAt that is no object is refused', () => {
  expect(() => new RcuPending({ rcu: new Rcu(), process, expediteAt: 10 as never })).toThrow(
    'Cannot create a pending with expediteAt 10: pass { count, bytes }',
  );
});

test('a KvFree without a flavour says what is missing', () => {
  expect(() => new KvFree(undefined as never)).toThrow(/rcu must be a grace-period flavour/);
  expect(() => new KvFree({} as never)).toThrow(/rcu must be a grace-period flavour/);
});

test('asShrinker of anything but a pending is refused before it is registered', () => {
  for (const wrong of [undefined, null, {}, new KvFree({ rcu: new Rcu() })]) {
    expect(() => asShrinker(wrong as never)).toThrow(TypeError);
  }
});
