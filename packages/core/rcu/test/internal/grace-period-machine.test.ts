import { beforeEach, describe, expect, it } from 'vitest';
import { GracePeriodMachine, type Readers } from '../../src/internal/grace-period-machine.js';
import { TestLoop } from '../support/test-loop.js';

/** Readers that are there or not, as the test says; remembered per grace period. */
class FakeReaders implements Readers {
  machine!: GracePeriodMachine;
  present = false;
  remembered = false;

  gracePeriodStarted(): void {
    this.remembered = this.present;
    this.present = false;
  }

  waitForReaders(): void {
    if (!this.remembered) {
      this.machine.arm();
    }
  }

  quiescent(): boolean {
    return !this.remembered;
  }

  gracePeriodEnded(): void {}

  leave(): void {
    this.remembered = false;
    this.machine.arm();
  }
}

let loop: TestLoop;
let readers: FakeReaders;
let machine: GracePeriodMachine;
let errors: unknown[];

beforeEach(() => {
  loop = new TestLoop();
  readers = new FakeReaders();
  errors = [];
  machine = new GracePeriodMachine({
    clock: loop,
    scheduler: loop,
    budgetMs: 1,
    onError: (error) => void errors.push(error),
    firstSequence: 0,
    readers,
  });
  readers.machine = machine;
});

function turn(): void {
  loop.runTurn();
  machine.checkInvariants();
}

describe('GracePeriodMachine, turns', () => {
  it('keeps at most one turn of each kind scheduled while weak work becomes strong again and again', () => {
    let cycles = 0;
    const rearm = (): void => {
      cycles++;
      machine.startPoll();
      machine.call(rearm);
    };
    machine.call(rearm);
    for (let i = 0; i < 500; i++) {
      turn();
      expect(loop.scheduled).toBeLessThanOrEqual(2);
    }
    expect(cycles).toBeGreaterThan(100);
  });

  it('keeps the process up for callbacks, and for nothing else', () => {
    machine.startPoll();
    expect([loop.scheduled, loop.isAlive]).toEqual([1, false]);
    machine.call(() => {});
    expect(loop.isAlive).toBe(true);
    while (loop.scheduled > 0) {
      turn();
    }
    expect(machine.callbacks.callbacksRun).toBe(1);
    machine.startPoll();
    expect(loop.isAlive).toBe(false);
  });

  it('keeps the process up for no callback that waits for a reader', () => {
    readers.present = true;
    machine.call(() => {});
    expect(loop.scheduled).toBe(0);
    readers.leave();
    expect(loop.isAlive).toBe(true);
  });

  it('schedules nothing for a grace period that ends on the spot', () => {
    const cookie = machine.cookie;
    machine.endNow();
    expect(machine.isOver(cookie)).toBe(true);
    expect(loop.scheduled).toBe(0);
    machine.checkInvariants();
  });

  it('ends a grace period at the first turn, whoever scheduled it', () => {
    machine.startPoll();
    machine.endNow();
    const cookie = machine.startPoll();
    expect(loop.scheduled).toBe(1);
    turn();
    expect(machine.isOver(cookie)).toBe(true);
  });
});

describe('GracePeriodMachine, expedited', () => {
  it('goes on from the running grace period to the one asked for, in one turn', () => {
    machine.startPoll();
    let done = false;
    machine.callExpedited(() => {
      done = true;
    });
    turn();
    expect(done).toBe(true);
    expect([machine.gracePeriods, machine.expedited]).toEqual([2, 2]);
  });

  it('needs two turns otherwise', () => {
    machine.startPoll();
    let done = false;
    machine.call(() => {
      done = true;
    });
    turn();
    expect(done).toBe(false);
    turn();
    expect(done).toBe(true);
    expect([machine.gracePeriods, machine.expedited]).toEqual([2, 0]);
  });

  it('asks for no second grace period when the first is the one', () => {
    machine.callExpedited(() => {});
    turn();
    expect(machine.gracePeriods).toBe(1);
  });

  it('still waits for the readers of the second', () => {
    machine.startPoll();
    readers.present = true;
    let done = false;
    machine.callExpedited(() => {
      done = true;
    });
    while (loop.scheduled > 0) {
      turn();
    }
    expect([done, machine.isRunning]).toEqual([false, true]);
    readers.leave();
    turn();
    expect(done).toBe(true);
  });

  it('does not expedite what comes after the one asked for', () => {
    machine.callExpedited(() => {});
    machine.endNow();
    machine.startPoll();
    const cookie = machine.startPoll();
    while (loop.scheduled > 0) {
      turn();
    }
    expect(machine.isOver(cookie)).toBe(true);
    expect([machine.gracePeriods, machine.expedited]).toEqual([4, 2]);
  });
});

describe('GracePeriodMachine, observers', () => {
  it('tells an observer once, before the cookie changes', () => {
    const { cookie } = machine;
    const seen: number[] = [];
    machine.observe({ cookieAdvanced: () => void seen.push(machine.cookie) });
    machine.startPoll();
    expect(seen).toEqual([cookie]);
    expect(machine.cookie).not.toBe(cookie);
    turn();
    machine.startPoll();
    expect(seen).toEqual([cookie]);
  });

  it('tells one that asks again from within of the next change, not of this one', () => {
    let told = 0;
    const observer = {
      cookieAdvanced() {
        told++;
        machine.observe(observer);
      },
    };
    machine.observe(observer);
    for (let i = 1; i <= 5; i++) {
      machine.startPoll();
      expect(told).toBe(i);
      turn();
    }
  });

  it('survives an observer that throws, and tells the others', () => {
    const error = new Error('thrown on purpose');
    let told = false;
    machine.observe({
      cookieAdvanced() {
        throw error;
      },
    });
    machine.observe({
      cookieAdvanced() {
        told = true;
      },
    });
    const cookie = machine.startPoll();
    turn();
    expect([errors, told, machine.isOver(cookie)]).toEqual([[error], true, true]);
  });

  it('runs what an observer queues when everything ends on the spot', () => {
    let ran = false;
    machine.observe({
      cookieAdvanced() {
        machine.call(() => {
          ran = true;
        });
      },
    });
    machine.endNow();
    machine.checkInvariants();
    expect([ran, loop.isAlive]).toEqual([false, true]);
    turn();
    expect(ran).toBe(true);
  });

  it('survives an observer that queues, polls, and ends everything on the spot', () => {
    let runs = 0;
    let told = 0;
    const late = { cookieAdvanced: () => void told++ };
    const cookies: number[] = [];
    machine.observe({
      cookieAdvanced() {
        machine.observe(late);
        machine.call(() => runs++);
        cookies.push(machine.startPoll());
        machine.endNow();
        machine.observe(late);
        machine.call(() => runs++);
      },
    });
    cookies.push(machine.startPoll());
    machine.checkInvariants();
    while (loop.scheduled > 0) {
      turn();
    }
    expect(runs).toBe(2);
    expect(told).toBe(2);
    expect(cookies.map((cookie) => machine.isOver(cookie))).toEqual([true, true]);
  });
});
