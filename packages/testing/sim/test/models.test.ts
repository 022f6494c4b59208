import { describe, expect, test } from 'vitest';

import {
  explore,
  type ExploreOptions,
  PENDING_VARIANTS,
  pendingModel,
  QUIESCENT_STATES,
  replay,
  SHRINKER_BIT_VARIANTS,
  shrinkerBitModel,
  SRCU_VARIANTS,
  srcuModel,
  type SrcuVariant,
  turnModel,
} from '../src/index.js';

/** The model survives every schedule with three preemptions, and there are at least so many. */
function expectRight<R>(model: ExploreOptions<R>, least: number): void {
  const result = explore(model);
  expect(result.failure?.trace).toBeUndefined();
  expect(result.complete).toBe(true);
  expect(result.schedules).toBeGreaterThanOrEqual(least);
}

/** The model fails within so many schedules, in this way, and fails again when it is replayed. */
function expectBusted<R>(model: ExploreOptions<R>, within: number, message: RegExp): void {
  const { failure, schedules } = explore(model);
  expect(failure?.message).toMatch(message);
  expect(schedules).toBeLessThanOrEqual(within);
  expect(replay(model, failure!.schedule)).toEqual(failure);
}

const FREED = /holds object \d, which is freed/;

describe('SRCU model', () => {
  test('the kernel’s two scans, two readers that can be interrupted', () => {
    expectRight(srcuModel({ readers: 2, updates: 2 }), 90_000);
  });

  test('one flip and one scan, two readers that cannot: what Srcu does', () => {
    expectRight(srcuModel({ variant: 'one-thread', readers: 2, updates: 2 }), 30_000);
  });

  const busted: readonly [SrcuVariant, number, number, number][] = [
    ['no-flip', 1, 1, 50],
    ['wrong-epoch', 1, 1, 50],
    ['one-scan', 1, 2, 200],
    ['late-count', 1, 1, 100],
    ['locks-first', 2, 1, 3_000],
  ];

  test.each(busted)('%s', (variant, readers, updates, within) => {
    expectBusted(srcuModel({ variant, readers, updates }), within, FREED);
  });

  test('what the model needs to tell them: a second update for one-scan, a second reader for locks-first', () => {
    expectRight(srcuModel({ variant: 'one-scan', readers: 2, updates: 1 }), 10_000);
    expectRight(srcuModel({ variant: 'locks-first', readers: 1, updates: 2 }), 1_000);
  });

  test('every variant is tried here', () => {
    expect(new Set(SRCU_VARIANTS)).toEqual(new Set(['right', 'one-thread', ...busted.map(([variant]) => variant)]));
  });
});

describe('pending model', () => {
  test('right', () => {
    expectRight(pendingModel(), 60_000);
  });

  const busted = [
    ['early', 20_000, FREED],
    ['cookie-first', 30_000, FREED],
    ['newest-bucket', 40_000, FREED],
    ['lost-wakeup', 500, /1 objects are pending, and nobody will process them/],
    ['old-cookie-armed', 100, /1 objects are pending, and nobody will process them/],
    ['uncounted-dequeue', 10, /the count is 2, and 1 objects are pending/],
  ] as const;

  test.each(busted)('%s', (variant, within, message) => {
    expectBusted(pendingModel({ variant }), within, message);
  });

  test('every variant is tried here', () => {
    expect(new Set(PENDING_VARIANTS)).toEqual(new Set(['right', ...busted.map(([variant]) => variant)]));
  });
});

describe('S18: shrinker bit model', () => {
  test('one producer, all interleavings', () => {
    expectRight({ ...shrinkerBitModel({ objects: 3, passes: 4 }), preemptions: Infinity }, 1_000);
  });

  test('two producers', () => {
    expectRight(shrinkerBitModel({ producers: 2, passes: 4 }), 1_000);
  });

  const busted = [
    ['bit-first', 20],
    ['no-recount', 20],
    ['recount-first', 20],
    ['no-reset', 20],
  ] as const;

  test.each(busted)('%s', (variant, within) => {
    expectBusted(shrinkerBitModel({ variant, passes: 4 }), within, /\d objects, and no bit that tells of them/);
  });

  test('every variant is tried here', () => {
    expect(new Set(SHRINKER_BIT_VARIANTS)).toEqual(new Set(['right', ...busted.map(([variant]) => variant)]));
  });
});

describe('turn model', () => {
  test('the end of a turn is a quiescent state', () => {
    expectRight(turnModel(), 1_000);
  });

  test.each(['microtask', 'await'] as const)('%s is none', (quiescentState) => {
    expectBusted(turnModel({ quiescentState }), 20, FREED);
  });

  test('every variant is tried here', () => {
    expect(QUIESCENT_STATES).toHaveLength(3);
  });
});
