import { SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';

import { SimClock, SimError, SimScheduler } from '../src/index.js';

describe('SimClock', () => {
  test('moves only by hand, and never backwards', () => {
    const clock = new SimClock(5);
    clock.advance(2.5);
    clock.advance(0);
    expect(clock.now()).toBe(7.5);
    expect(() => clock.advance(-1)).toThrow(RangeError);
    expect(() => clock.advance(Number.NaN)).toThrow(RangeError);
    expect(() => clock.advance(Infinity)).toThrow(RangeError);
    expect(() => new SimClock(Number.NaN)).toThrow(RangeError);
    expect(clock.now()).toBe(7.5);
  });

  test('with a step moves on at each look', () => {
    const clock = new SimClock(10, 0.5);
    expect([clock.now(), clock.now(), clock.peek(), clock.peek(), clock.now()]).toEqual([10.5, 11, 11, 11, 11.5]);
    expect(() => new SimClock(0, -1)).toThrow(RangeError);
  });
});

describe('SimScheduler', () => {
  test('runs one turn at a time, in order, and never on the stack of nextTurn', () => {
    const scheduler = new SimScheduler();
    const ran: number[] = [];
    scheduler.nextTurn(() => {
      ran.push(1);
      scheduler.nextTurn(() => ran.push(3), false);
    }, true);
    scheduler.nextTurn(() => ran.push(2), false);
    expect(ran).toEqual([]);
    expect(scheduler.owed).toBe(1);
    expect(scheduler.runTurn()).toBe(true);
    expect(ran).toEqual([1]);
    expect(scheduler.owed).toBe(0);
    expect([scheduler.runTurn(), scheduler.runTurn(), scheduler.runTurn()]).toEqual([true, true, false]);
    expect(ran).toEqual([1, 2, 3]);
    expect(scheduler.turn).toBe(3);
  });

  test('runs timers when the clock has reached them, in the order of their times', async () => {
    const scheduler = new SimScheduler();
    const ran: string[] = [];
    scheduler.after(20, () => ran.push('20'));
    scheduler.after(10, () => ran.push('10a'));
    scheduler.after(10, () => ran.push('10b'));
    const cancelled = scheduler.after(10, () => ran.push('never'));
    expect(scheduler.timers).toBe(4);
    cancelled.cancel();
    cancelled.cancel();
    expect(scheduler.timers).toBe(3);
    expect(scheduler.runTurn()).toBe(false);
    scheduler.clock.advance(9.9);
    expect(scheduler.ready).toBe(false);
    scheduler.clock.advance(0.1);
    expect(await scheduler.runUntilIdle()).toBe(2);
    expect(ran).toEqual(['10a', '10b']);
    expect(scheduler.advanceToNextTimer()).toBe(true);
    expect(scheduler.clock.now()).toBe(20);
    expect(scheduler.runTurn()).toBe(true);
    expect(scheduler.advanceToNextTimer()).toBe(false);
    expect(ran).toEqual(['10a', '10b', '20']);
  });

  test('a timer cancelled by one that is due with it does not run', () => {
    const scheduler = new SimScheduler();
    let ran = 0;
    scheduler.after(1, () => other.cancel());
    const other = scheduler.after(1, () => ran++);
    scheduler.clock.advance(1);
    expect([scheduler.runTurn(), scheduler.runTurn()]).toEqual([true, false]);
    expect(ran).toBe(0);
  });

  test('runUntilIdle lets all microtasks of a turn run before the next', async () => {
    const scheduler = new SimScheduler();
    const order: string[] = [];
    scheduler.nextTurn(() => {
      void (async () => {
        for (let hop = 0; hop < 100; hop++) {
          await Promise.resolve();
        }
        order.push('end of the first turn');
        scheduler.nextTurn(() => order.push('third turn'), false);
      })();
    }, false);
    scheduler.nextTurn(() => order.push('second turn'), false);
    expect(await scheduler.runUntilIdle()).toBe(3);
    expect(order).toEqual(['end of the first turn', 'second turn', 'third turn']);
  });

  test('runFor lets time pass, each timer at its own time', async () => {
    const scheduler = new SimScheduler();
    const times: number[] = [];
    const again = (): void => {
      times.push(scheduler.clock.now());
      scheduler.after(10, again);
    };
    scheduler.after(10, again);
    expect(await scheduler.runFor(35)).toBe(3);
    expect(times).toEqual([10, 20, 30]);
    expect(scheduler.clock.now()).toBe(35);
    expect(
      await scheduler.runUntilIdle({ advanceClock: true, maxTurns: 5 }).catch((error: unknown) => error),
    ).toSatisfy(SimError.is);
    expect(times).toEqual([10, 20, 30, 40, 50, 60, 70, 80]);
  });

  test('says when it does not become idle', async () => {
    const scheduler = new SimScheduler();
    const forever = (): void => scheduler.nextTurn(forever, false);
    forever();
    await expect(scheduler.runUntilIdle({ maxTurns: 10 })).rejects.toMatchObject({ code: 'ERR_SIM_NOT_IDLE' });
    expect(scheduler.turn).toBe(10);
  });

  test('with a seed sources mix and turns keep their order', async () => {
    const orders = [1, 2, 3, 1].map((seed) => {
      const scheduler = new SimScheduler({ rng: new SeededRng(seed) });
      const ran: string[] = [];
      for (let index = 0; index < 8; index++) {
        scheduler.nextTurn(() => ran.push(`turn${index}`), false);
        scheduler.post(() => ran.push(`post${index}`));
        scheduler.after(index, () => ran.push(`timer${index}`));
      }
      scheduler.clock.advance(8);
      while (scheduler.runTurn()) {
        // All of them.
      }
      return ran;
    });
    for (const ran of orders) {
      expect(ran).toHaveLength(24);
      for (const source of ['turn', 'timer']) {
        expect(ran.filter((name) => name.startsWith(source))).toEqual(Array.from({ length: 8 }, (_, i) => source + i));
      }
    }
    expect(orders[0]).toEqual(orders[3]);
    expect(new Set(orders.map((ran) => ran.join())).size).toBe(3);
  });

  test('a callback that throws throws out of runTurn, and the rest still runs', () => {
    const scheduler = new SimScheduler();
    scheduler.nextTurn(() => {
      throw new Error('mine');
    }, true);
    scheduler.nextTurn(() => {}, true);
    expect(() => scheduler.runTurn()).toThrow('mine');
    expect(scheduler.owed).toBe(1);
    expect(scheduler.runTurn()).toBe(true);
    expect(scheduler.owed).toBe(0);
  });
});
