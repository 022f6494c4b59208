import { Rcu } from '@core/rcu';
import { expect, test } from 'vitest';
import { asShrinker, CallRcu, KvFree, RcuPending } from '../src/index.js';

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

test.each([
  ['an RcuPending', RcuPending],
  ['a CallRcu', CallRcu],
  ['a KvFree', KvFree],
] as const)('%s refuses an option that is none, and names the right one', (what, Pending) => {
  const create = (options: object | null) => () => new Pending(options as never);
  const good = Pending === RcuPending ? { rcu: new Rcu(), process } : { rcu: new Rcu() };
  expect(create(good)).not.toThrow();
  expect(create({ ...good, node: undefined })).toThrow(
    new TypeError(`Cannot create ${what}: it has no option "node"; did you mean "nodes"?`),
  );
  expect(create(null)).toThrow(new RegExp(`^Cannot create ${what} with null: pass an object with "rcu"`));
  expect(() => new Pending(undefined as never)).toThrow(/rcu must be a grace-period flavour/);
});

test('an expediteAt with a mark that is none is refused', () => {
  expect(() => new RcuPending({ rcu: new Rcu(), process, expediteAt: { cont: 5 } as never })).toThrow(
    new TypeError('Cannot create an RcuPending with an expediteAt: it has no option "cont"; did you mean "count"?'),
  );
  expect(() => new RcuPending({ rcu: new Rcu(), process, expediteAt: null as never })).toThrow(TypeError);
});

test.each([-1, Number.NaN])('a KvFree refuses to keep %j boxes', (spareBoxes) => {
  expect(() => new KvFree({ rcu: new Rcu(), spareBoxes })).toThrow(
    new RangeError(`Cannot keep ${spareBoxes} spare boxes: it must be 0 or more`),
  );
});

test('a KvFree refuses a channel for errors that would lose them', () => {
  expect(() => new KvFree({ rcu: new Rcu(), onError: null as never })).toThrow(
    new TypeError('Cannot create a KvFree with onError null: it must be a function'),
  );
});

test.each([{ clock: {} }, { scheduler: { after() {} } }, { shards: {} }, { shards: null }, { clock: null }])(
  'a port that is none is refused: %o',
  (options) => {
    expect(() => new RcuPending({ rcu: new Rcu(), process, ...(options as object) })).toThrow(
      /^Cannot create a pending with (clock|scheduler|shards) .*: it must have the method /,
    );
  },
);
