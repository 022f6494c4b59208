import { describe, expect, it } from 'vitest';
import { Rcu, Srcu } from '../src/index.js';

describe.each([
  ['an Rcu', Rcu],
  ['an Srcu', Srcu],
] as const)('%s', (what, Domain) => {
  const create = (options: unknown) => () => new Domain(options as never);

  it('needs no options, and refuses what is no object of them', () => {
    expect(create(undefined)).not.toThrow();
    expect(create({ name: undefined, onError: undefined, clock: undefined })).not.toThrow();
    for (const wrong of [null, 'name', 5, [], () => {}]) {
      expect(create(wrong)).toThrow(TypeError);
    }
    expect(create(null)).toThrow(`Cannot create ${what} with null: pass an object with "name"`);
  });

  it('refuses an option that is none, and names the right one', () => {
    expect(create({ budget: 5 })).toThrow(
      new TypeError(`Cannot create ${what}: it has no option "budget"; did you mean "budgetMs"?`),
    );
    expect(create({ onerror() {} })).toThrow('did you mean "onError"?');
  });

  it.each([5, null, {}, 'log'])('refuses a channel for errors that would lose them: %j', (onError) => {
    expect(create({ onError })).toThrow(`Cannot use onError ${String(onError)}: it must be a function`);
  });

  it.each([
    [{ clock: null }, 'Cannot use clock null: it must have the method now()'],
    [{ clock: Date.now }, 'it must have the method now()'],
    [{ scheduler: {} }, 'Cannot use scheduler [object Object]: it must have the method nextTurn()'],
    [{ scheduler: setImmediate }, 'it must have the method nextTurn()'],
  ])('refuses a port that is none', (options, message) => {
    expect(create(options)).toThrow(TypeError);
    expect(create(options)).toThrow(message);
  });
});

it('a scheduler needs timers for the stalls of an Srcu, and only for these', () => {
  const scheduler = { nextTurn() {} } as never;
  expect(() => new Srcu({ scheduler })).toThrow('it must have the method after()');
  expect(() => new Rcu({ scheduler })).not.toThrow();
});

it('Srcu refuses a channel for reports that would lose them', () => {
  expect(() => new Srcu({ onReport: 'log' as never })).toThrow('Cannot use onReport log: it must be a function');
  expect(() => new Srcu({ stallms: 5 } as never)).toThrow('did you mean "stallMs"?');
});
