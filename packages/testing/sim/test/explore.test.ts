import { describe, expect, test } from 'vitest';

import { explore, type ExploreOptions, replay, type Step, type ThreadBody } from '../src/index.js';

interface Log {
  readonly order: string[];
}

function stepper(name: string, steps: number): ThreadBody<Log> {
  return function* (r): Generator<Step | string, void, void> {
    for (let step = 0; step < steps; step++) {
      yield `step ${step}`;
      r.order.push(name);
    }
  };
}

/** All orders that a model has shown, each once. */
function ordersOf(threads: Record<string, number>, preemptions: number): { orders: Set<string>; schedules: number } {
  const orders = new Set<string>();
  const result = explore<Log>({
    registers: () => ({ order: [] }),
    threads: Object.fromEntries(Object.entries(threads).map(([name, steps]) => [name, stepper(name, steps)])),
    preemptions,
    final: (r) => {
      orders.add(r.order.join(''));
      return undefined;
    },
  });
  expect(result).toMatchObject({ ok: true, complete: true, failure: null });
  return { orders, schedules: result.schedules };
}

/** Switches away from a thread that has steps left. */
function preemptionsOf(order: string, threads: Record<string, number>): number {
  const left = { ...threads };
  let preemptions = 0;
  for (let at = 0; at < order.length; at++) {
    const name = order[at]!;
    left[name]!--;
    preemptions += at + 1 < order.length && order[at + 1] !== name && left[name]! > 0 ? 1 : 0;
  }
  return preemptions;
}

describe('explore', () => {
  test.each([
    [{ a: 3, b: 3 }, 20],
    [{ a: 2, b: 2, c: 2 }, 90],
    [{ a: 1, b: 4 }, 5],
    [{ a: 1, b: 1, c: 1, d: 1 }, 24],
  ])('%o without a bound: every interleaving, once (%i)', (threads, count) => {
    const { orders, schedules } = ordersOf(threads, Infinity);
    expect(orders.size).toBe(count);
    expect(schedules).toBe(count);
  });

  test('with a bound: exactly the interleavings within it', () => {
    const threads = { a: 3, b: 3, c: 2 };
    const all = [...ordersOf(threads, Infinity).orders];
    expect(all).toHaveLength(560);
    for (const preemptions of [0, 1, 2, 3, 4]) {
      const within = all.filter((order) => preemptionsOf(order, threads) <= preemptions);
      const { orders, schedules } = ordersOf(threads, preemptions);
      expect(orders).toEqual(new Set(within));
      expect(schedules).toBe(within.length);
    }
  });

  /** Two increments that load and store in two steps. */
  const increments = (atomic: boolean): ExploreOptions<{ value: number }> => {
    function* increment(r: { value: number }): Generator<Step | string, void, void> {
      yield 'load';
      let loaded = r.value;
      if (!atomic) {
        yield 'store';
      } else {
        loaded = r.value;
      }
      r.value = loaded + 1;
    }
    return {
      registers: () => ({ value: 0 }),
      threads: { left: increment, right: increment },
      final: (r) => (r.value === 2 ? undefined : `two increments gave ${r.value}`),
    };
  };

  test('finds a lost update, and replays it', () => {
    expect(explore(increments(true))).toMatchObject({ ok: true, complete: true, schedules: 2 });
    const model = increments(false);
    expect(explore({ ...model, preemptions: 0 })).toMatchObject({ ok: true, complete: true, schedules: 2 });
    const result = explore(model);
    expect(result).toMatchObject({ ok: false, complete: false });
    const failure = result.failure!;
    expect(failure).toMatchObject({ reason: 'final', message: 'two increments gave 1' });
    expect(failure.schedule).toEqual(['left', 'right', 'right', 'left']);
    expect(failure.trace.split('\n')).toEqual([
      '   1  left   load  {"value":0}',
      '   2  right  load  {"value":0}',
      '   3  right  store  {"value":1}',
      '   4  left   store  {"value":1}',
      '      final: two increments gave 1',
    ]);
    expect(replay(model, failure.schedule)).toEqual(failure);
    expect(replay(model, ['left', 'left', 'right', 'right'])).toBeNull();
    expect(explore(model)).toEqual(result);
  });

  test('a schedule of another model is refused', () => {
    const model = increments(false);
    expect(() => replay(model, ['left', 'left', 'left'])).toThrow(
      expect.objectContaining({ code: 'ERR_SIM_SCHEDULE_MISMATCH' }),
    );
    expect(() => replay(model, ['middle'])).toThrow(expect.objectContaining({ code: 'ERR_SIM_SCHEDULE_MISMATCH' }));
  });

  /** Two locks, taken in one order or in both. */
  const locks = (ordered: boolean): ExploreOptions<boolean[]> => {
    const locker = (first: number, second: number): ThreadBody<boolean[]> =>
      function* (held): Generator<Step | string, void, void> {
        for (const lock of [first, second]) {
          yield { label: `lock ${lock}`, when: () => !held[lock] };
          held[lock] = true;
        }
        yield 'unlock both';
        held[first] = false;
        held[second] = false;
      };
    return {
      registers: () => [false, false],
      threads: { up: locker(0, 1), down: ordered ? locker(0, 1) : locker(1, 0) },
    };
  };

  test('finds a deadlock, and none where there is none', () => {
    expect(explore(locks(true))).toMatchObject({ ok: true, complete: true });
    const { failure } = explore(locks(false));
    expect(failure).toMatchObject({
      reason: 'deadlock',
      message: 'up waits for "lock 1", down waits for "lock 0"',
    });
  });

  test('a daemon may wait for ever; another thread may not', () => {
    function* waiting(r: { wanted: boolean }): Generator<Step | string, void, void> {
      for (;;) {
        yield { label: 'wait', when: () => r.wanted };
        r.wanted = false;
      }
    }
    const model: ExploreOptions<{ wanted: boolean }> = {
      registers: () => ({ wanted: true }),
      threads: { waiting },
    };
    expect(explore({ ...model, daemons: ['waiting'] })).toMatchObject({ ok: true, complete: true });
    expect(explore(model).failure).toMatchObject({ reason: 'deadlock' });
  });

  test('invariants are asked after each step, and a thread may throw', () => {
    const model: ExploreOptions<Log> = {
      registers: () => ({ order: [] }),
      threads: { a: stepper('a', 2), b: stepper('b', 2) },
    };
    expect(
      explore({ ...model, invariant: (r) => (r.order.join('') === 'ab' ? 'ab' : undefined) }).failure,
    ).toMatchObject({
      reason: 'invariant',
      schedule: ['a', 'b'],
    });
    const threads: Record<string, ThreadBody<Log>> = {
      ...model.threads,
      *b(r) {
        yield 'look';
        if (r.order.length === 1) {
          throw new Error('one');
        }
      },
    };
    expect(explore({ ...model, threads }).failure).toMatchObject({
      reason: 'threw',
      message: 'one',
      schedule: ['a', 'b'],
    });
  });

  test('schedules that never end, and models with too many of them', () => {
    const endless: ExploreOptions<Log> = {
      registers: () => ({ order: [] }),
      threads: { a: stepper('a', Infinity) },
    };
    const { failure } = explore({ ...endless, maxSteps: 7 });
    expect(failure).toMatchObject({ reason: 'steps' });
    expect(failure?.schedule).toHaveLength(7);
    expect(replay({ ...endless, maxSteps: 7 }, failure!.schedule)).toEqual(failure);
    expect(explore({ ...endless, threads: { a: stepper('a', 7) }, maxSteps: 7 })).toMatchObject({ ok: true });
    const many = { ...endless, threads: { a: stepper('a', 3), b: stepper('b', 3) }, preemptions: Infinity };
    expect(explore({ ...many, maxSchedules: 19 })).toMatchObject({ ok: true, complete: false, schedules: 19 });
    expect(explore({ ...many, maxSchedules: 20 })).toMatchObject({ ok: true, complete: true, schedules: 20 });
  });

  test('faults of the arguments', () => {
    const model = increments(true);
    expect(() => explore({ ...model, preemptions: -1 })).toThrow(RangeError);
    expect(() => explore({ ...model, maxSchedules: 0 })).toThrow(RangeError);
    expect(() => explore({ ...model, maxSteps: 0 })).toThrow(RangeError);
    expect(() => explore({ ...model, threads: {} })).toThrow(RangeError);
    expect(() => explore({ ...model, daemons: ['nobody'] })).toThrow(RangeError);
  });
});
