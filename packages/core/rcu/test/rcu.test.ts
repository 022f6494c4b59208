import { readFile } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Scheduler, systemScheduler } from '@core/base';
import { Rcu, RcuError, type RcuOptions, Srcu } from '../src/index.js';
import { TestLoop, microtasks } from './support/test-loop.js';

let loop: TestLoop;
let errors: unknown[];

beforeEach(() => {
  loop = new TestLoop();
  errors = [];
});

function rcuOf(options: RcuOptions = {}): Rcu {
  return new Rcu({ clock: loop, scheduler: loop, onError: (error) => void errors.push(error), ...options });
}

describe('Rcu', () => {
  it('needs no options', async () => {
    const rcu = new Rcu();
    await rcu.synchronize();
    expect(rcu.stats()).toEqual({
      name: 'rcu',
      gracePeriods: 1,
      expedited: 0,
      callbacksWaiting: 0,
      callbacksRun: 1,
      callbackErrors: 0,
      oldestAgeMs: 0,
      readers: 0,
      stalls: 0,
      leaks: 0,
    });
  });

  it.each([
    { budgetMs: 0 },
    { budgetMs: Number.NaN },
    { firstSequence: 2 },
    { firstSequence: -4 },
    { firstSequence: 0.5 },
    { firstSequence: 2 ** 53 - 8 },
    { firstSequence: Infinity },
  ])('refuses %o', (options) => {
    expect(() => new Rcu(options)).toThrow(RangeError);
  });

  it('refuses a callback that is none, before anything is queued', () => {
    const rcu = rcuOf();
    for (const callback of [undefined, null, 'no', {}]) {
      expect(() => rcu.call(callback as unknown as () => void)).toThrow(TypeError);
    }
    expect([rcu.stats().callbacksWaiting, loop.scheduled]).toEqual([0, 0]);
  });

  it.each([
    ['Rcu', (onError: (error: unknown) => void) => new Rcu({ clock: loop, scheduler: loop, onError })],
    ['Srcu', (onError: (error: unknown) => void) => new Srcu({ clock: loop, scheduler: loop, onError })],
  ] as const)('%s hears of an asynchronous callback that fails', async (_, create) => {
    const domain = create((error) => void errors.push(error));
    const error = new Error('rejected on purpose');
    const fails: () => unknown = async () => {
      await Promise.resolve();
      throw error;
    };
    domain.call(fails);
    await loop.runAll();
    expect([errors, domain.stats().callbackErrors, domain.stats().callbacksWaiting]).toEqual([[error], 1, 0]);
  });

  it('starts no grace period for getState, and one for startPoll', async () => {
    const rcu = rcuOf();
    const asked = rcu.getState();
    expect([loop.scheduled, rcu.poll(asked)]).toEqual([0, false]);
    const started = rcu.startPoll();
    expect(rcu.equal(asked, started)).toBe(true);
    expect(rcu.equal(started, rcu.getState())).toBe(false);
    loop.runTurn();
    expect([rcu.poll(asked), rcu.pollFirst([rcu.getState(), started])]).toEqual([true, 1]);
    expect(rcu.pollFirst([])).toBe(-1);
  });

  it('does not let the rest of a running grace period count', () => {
    const rcu = rcuOf();
    rcu.startPoll();
    const late = rcu.startPoll();
    loop.runTurn();
    expect(rcu.poll(late)).toBe(false);
    loop.runTurn();
    expect(rcu.poll(late)).toBe(true);
  });

  it('expedites at one turn boundary, whatever runs', async () => {
    const rcu = rcuOf();
    let resolved = false;
    rcu.startPoll();
    void rcu.synchronizeExpedited().then(() => {
      resolved = true;
    });
    loop.runTurn();
    await microtasks();
    expect(resolved).toBe(true);
  });

  it('has a barrier for the callbacks queued before it, and none for none', async () => {
    const rcu = rcuOf();
    await rcu.barrier();
    const order: string[] = [];
    rcu.call(() => order.push('a'));
    void rcu.barrier().then(() => order.push('barrier'));
    await microtasks();
    expect(order).toEqual([]);
    await loop.runAll();
    expect(order).toEqual(['a', 'barrier']);
  });

  it('names nothing twice near 2^53, and stops there loudly', () => {
    const rcu = rcuOf({ firstSequence: 2 ** 53 - 4 * 10 });
    const cookies = [];
    for (let i = 0; i < 8; i++) {
      cookies.push(rcu.startPoll());
      rcu.checkInvariants();
      loop.runTurn();
      expect(cookies.map((cookie) => rcu.poll(cookie))).toEqual(cookies.map(() => true));
      expect(rcu.poll(rcu.getState())).toBe(false);
    }
    expect(new Set(cookies).size).toBe(8);
    expect(() => rcu.startPoll()).toThrow(/2\^53/);
  });

  it('survives an error channel that throws', async () => {
    const uncaught = expectUncaught();
    const rcu = rcuOf({
      onError: () => {
        throw new Error('from the error channel');
      },
    });
    let ran = false;
    rcu.call(() => {
      throw new Error('from the callback');
    });
    rcu.call(() => {
      ran = true;
    });
    await loop.runAll();
    expect(ran).toBe(true);
    expect((await uncaught()).message).toBe('from the error channel');
  });

  it('reports errors of callbacks as uncaught when nobody asked for them', async () => {
    const uncaught = expectUncaught();
    const rcu = new Rcu({ scheduler: loop });
    rcu.call(() => {
      throw new Error('from the callback');
    });
    await loop.runAll();
    expect((await uncaught()).message).toBe('from the callback');
    expect(rcu.stats().callbackErrors).toBe(1);
  });
});

describe('Rcu, sections', () => {
  it('runs a section and returns what it returns', () => {
    const rcu = rcuOf();
    expect(rcu.read(() => 7)).toBe(7);
    expect(() =>
      rcu.read(() => {
        throw new Error('from the section');
      }),
    ).toThrow('from the section');
  });

  it.each([false, true])('refuses a section that returns a promise, debug %s', (debug) => {
    const rcu = rcuOf({ debug, name: 'r' });
    expect(codeOf(() => rcu.read(() => Promise.resolve()))).toBe('ERR_RCU_READER_AWAITS');
    expect(rcu.stats().readers).toBe(0);
  });

  it('counts and checks nothing outside of debug mode', () => {
    const rcu = rcuOf();
    rcu.readUnlock();
    rcu.readLock();
    expect([rcu.stats().readers, loop.scheduled]).toEqual([0, 0]);
  });

  it('reports a section that is open when its turn ends, once, and forgives its late end', () => {
    const rcu = rcuOf({ debug: true });
    rcu.readLock();
    rcu.readLock();
    expect(rcu.stats().readers).toBe(2);
    loop.runTurn();
    expect(errors.map((error) => (error as RcuError).code)).toEqual(['ERR_RCU_READER_AWAITS']);
    expect(rcu.stats()).toMatchObject({ readers: 0, stalls: 1, gracePeriods: 1 });
    rcu.readUnlock();
    rcu.readUnlock();
    expect(codeOf(() => rcu.readUnlock())).toBe('ERR_RCU_UNBALANCED');
    loop.runTurn();
    expect(errors).toHaveLength(1);
  });

  it('says nothing of sections that end in their turn', () => {
    const rcu = rcuOf({ debug: true });
    for (let i = 0; i < 3; i++) {
      rcu.read(() => rcu.read(() => {}));
      loop.runTurn();
    }
    expect(errors).toEqual([]);
  });
});

/** The ways in which a macrotask begins, or goes on. */
const BEGINNINGS: Readonly<Record<string, (reader: () => void) => void>> = {
  'in an immediate': (reader) => void setImmediate(reader),
  'in a timer': (reader) => void setTimeout(reader, 0),
  'in a microtask': queueMicrotask,
  'in a tick': (reader) => process.nextTick(reader),
  'in an I/O callback': (reader) => readFile(import.meta.filename, reader),
  'in a message': (reader) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener(
      'message',
      () => {
        port1.close();
        reader();
      },
      { once: true },
    );
    port1.start();
    port2.postMessage(null);
  },
};

/** A reader that awaits, but nothing that takes a turn, finds its cell as it was. Throws when it was freed. */
async function checkTurnReader(scheduler: Scheduler, begin: (reader: () => void) => void): Promise<void> {
  const rcu = new Rcu({ scheduler });
  const freed = await new Promise<boolean>((resolve) => {
    begin(() => {
      const cell = { freed: false };
      const read = async (): Promise<void> => {
        for (let hop = 0; hop < 1_000; hop++) {
          await Promise.resolve();
        }
        await new Promise<void>((next) => process.nextTick(next));
        await Promise.resolve();
        resolve(cell.freed);
      };
      void read();
      rcu.call(() => {
        cell.freed = true;
      });
    });
  });
  await rcu.barrier();
  if (freed) {
    throw new Error('Freed under a reader');
  }
}

describe('Rcu on the event loop', () => {
  it.each(Object.entries(BEGINNINGS))('waits for the microtasks of a reader that began %s', async (_name, begin) => {
    await checkTurnReader(systemScheduler, begin);
  });

  it.each([
    ['microtask', (callback: () => void) => queueMicrotask(callback)],
    ['tick', (callback: () => void) => process.nextTick(callback)],
  ])('would not with a %s for a turn', async (_name, nextTurn) => {
    const scheduler: Scheduler = { ...systemScheduler, nextTurn };
    await expect(checkTurnReader(scheduler, BEGINNINGS['in an immediate'] as () => void)).rejects.toThrow('Freed');
  });
});

/** Call it before, and what it returns after. The listeners of the test runner stand aside meanwhile. */
function expectUncaught(): () => Promise<Error> {
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const caught = new Promise<Error>((resolve) => {
    process.once('uncaughtException', resolve);
  });
  return async () => {
    try {
      return await caught;
    } finally {
      for (const listener of listeners) {
        process.on('uncaughtException', listener);
      }
    }
  };
}

function codeOf(faulty: () => unknown): string {
  try {
    faulty();
  } catch (error) {
    expect(RcuError.is(error)).toBe(true);
    return (error as RcuError).code;
  }
  throw new Error('Nothing was thrown');
}
