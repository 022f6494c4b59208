import { beforeEach, describe, expect, it } from 'vitest';
import { CallbackQueue } from '../../src/internal/callback-queue.js';
import { TestLoop, microtasks } from '../support/test-loop.js';

let clock: TestLoop;
let errors: unknown[];
let queue: CallbackQueue;
let ran: string[];

beforeEach(() => {
  clock = new TestLoop();
  errors = [];
  ran = [];
  queue = new CallbackQueue({ budgetMs: 1, clock, onError: (error) => void errors.push(error) });
});

function push(name: string, then: () => void = () => {}): void {
  queue.push(() => {
    ran.push(name);
    then();
  });
}

/** A callback that takes `ms`. */
function slow(ms: number): () => void {
  return () => {
    clock.timeMs += ms;
  };
}

function gracePeriod(): void {
  queue.gracePeriodStarted();
  queue.gracePeriodEnded();
}

function run(): void {
  queue.run();
  queue.checkInvariants();
}

/** How long each of the runs takes that it needs to empty the queue. */
function runLengths(): number[] {
  const lengths: number[] = [];
  while (queue.ready > 0) {
    const before = clock.timeMs;
    run();
    lengths.push(clock.timeMs - before);
  }
  return lengths;
}

describe('CallbackQueue', () => {
  it('runs what was there when a grace period started and has ended, in order', () => {
    push('a');
    queue.gracePeriodStarted();
    push('b');
    expect(queue.ready).toBe(0);
    queue.gracePeriodEnded();
    expect([queue.count, queue.ready]).toEqual([2, 1]);
    run();
    expect(ran).toEqual(['a']);
    gracePeriod();
    run();
    expect(ran).toEqual(['a', 'b']);
    expect([queue.count, queue.callbacksRun]).toEqual([0, 2]);
  });

  it('entrains behind the last callback that there is', () => {
    push('ready');
    gracePeriod();
    queue.entrain(() => ran.push('behind ready'));
    push('waiting');
    queue.gracePeriodStarted();
    queue.entrain(() => ran.push('behind waiting'));
    push('next');
    queue.entrain(() => ran.push('behind next'));
    expect(queue.count).toBe(6);
    queue.gracePeriodEnded();
    run();
    expect(ran).toEqual(['ready', 'behind ready', 'waiting', 'behind waiting']);
    gracePeriod();
    run();
    expect(ran.slice(4)).toEqual(['next', 'behind next']);
  });

  it('asserts that there is something to entrain behind', () => {
    expect(() => queue.entrain(() => {})).toThrow(/nothing is queued/);
  });

  it('does not count the callback that runs', () => {
    const counts: number[] = [];
    push('a', () => counts.push(queue.count, queue.ready, queue.callbacksRun));
    push('b', () => counts.push(queue.count, queue.ready, queue.callbacksRun));
    gracePeriod();
    run();
    expect(counts).toEqual([1, 1, 1, 0, 0, 2]);
  });

  it('runs what a callback entrains or makes ready in the same run', () => {
    push('a', () => queue.entrain(() => ran.push('entrained')));
    push('b', () => {
      push('c');
      gracePeriod();
    });
    gracePeriod();
    run();
    expect(ran).toEqual(['a', 'b', 'entrained', 'c']);
  });

  it('hands what a callback throws to the error channel, and goes on', () => {
    const error = new Error('thrown on purpose');
    push('a', () => {
      throw error;
    });
    push('b');
    gracePeriod();
    run();
    expect(ran).toEqual(['a', 'b']);
    expect(errors).toEqual([error]);
    expect(queue.callbackErrors).toBe(1);
  });

  it('hands the rejection of an asynchronous callback to the error channel, and waits for none', async () => {
    const error = new Error('rejected on purpose');
    queue.push(async () => {
      await Promise.resolve();
      throw error;
    });
    queue.push(async () => {});
    push('next');
    gracePeriod();
    run();
    expect([ran, errors, queue.count, queue.callbacksRun]).toEqual([['next'], [], 0, 3]);
    await microtasks();
    expect(errors).toEqual([error]);
    expect(queue.callbackErrors).toBe(1);
  });

  it('survives results of any kind', async () => {
    const broken = new Error('no then');
    const results: unknown[] = [
      null,
      0,
      'then',
      {},
      // oxlint-disable-next-line unicorn/no-thenable -- what is tested
      { then: 5 },
      {
        // oxlint-disable-next-line unicorn/no-thenable -- what is tested
        get then(): never {
          throw broken;
        },
      },
      {
        // oxlint-disable-next-line unicorn/no-thenable -- what is tested
        then(_: unknown, reject: (error: unknown) => void) {
          reject('at once');
        },
      },
    ];
    for (const result of results) {
      queue.push(() => result as undefined);
    }
    gracePeriod();
    run();
    await microtasks();
    expect(errors).toEqual([broken, 'at once']);
    expect([queue.count, queue.callbackErrors]).toEqual([0, 2]);
  });

  it('keeps no callback that has run', async () => {
    let callback: (() => void) | null = () => {};
    const ref = new WeakRef(callback);
    queue.push(callback);
    callback = null;
    gracePeriod();
    run();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    (globalThis as unknown as { gc(): void }).gc();
    expect(ref.deref()).toBeUndefined();
  });
});

describe('CallbackQueue, budget', () => {
  it('runs one callback a turn when each takes longer than the budget', () => {
    for (let i = 0; i < 5; i++) {
      push('slow', slow(3));
    }
    gracePeriod();
    expect(runLengths()).toEqual([3, 3, 3, 3, 3]);
  });

  it('stops after the budget, within the last few callbacks', () => {
    for (let i = 0; i < 1_000; i++) {
      push('light', slow(0.01));
    }
    gracePeriod();
    const lengths = runLengths();
    expect(Math.max(...lengths)).toBeLessThan(2);
    expect(lengths.length).toBeLessThanOrEqual(10);
  });

  it('looks at the clock across batches of one', () => {
    for (let i = 0; i < 300; i++) {
      push('batch of one', slow(0.5));
      gracePeriod();
    }
    expect(Math.max(...runLengths())).toBeLessThan(2);
  });

  it('starts small again in each turn, however light the last one was', () => {
    for (let i = 0; i < 2_000; i++) {
      push('light');
    }
    gracePeriod();
    run();
    for (let i = 0; i < 300; i++) {
      push('slow', slow(2));
    }
    gracePeriod();
    expect(Math.max(...runLengths())).toBe(2);
  });

  it('takes longer while a large backlog grows, up to a limit, and the normal time after that', () => {
    const lengths: number[] = [];
    for (let turn = 0; turn < 12; turn++) {
      for (let i = 0; i < 20_000; i++) {
        queue.push(slow(0.25));
      }
      gracePeriod();
      const before = clock.timeMs;
      run();
      lengths.push(clock.timeMs - before);
    }
    expect(lengths[0]).toBeLessThan(2);
    expect(lengths[2]).toBeGreaterThan(2);
    expect(lengths.at(-1)).toBeGreaterThanOrEqual(16);
    expect(Math.max(...lengths)).toBeLessThan(32);
    run();
    const before = clock.timeMs;
    run();
    expect(clock.timeMs - before).toBeLessThan(2);
  });
});
