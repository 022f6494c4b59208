import { beforeEach, describe, expect, it } from 'vitest';
import { type RcuFlavor, RcuError, Srcu, type SrcuIndex, type SrcuOptions } from '../src/index.js';
import { TestLoop, microtasks } from './support/test-loop.js';

let loop: TestLoop;
let errors: unknown[];

beforeEach(() => {
  loop = new TestLoop();
  errors = [];
});

function srcuOf(options: SrcuOptions = {}): Srcu {
  return new Srcu({ clock: loop, scheduler: loop, onError: (error) => void errors.push(error), ...options });
}

/** Whether `promise` has settled when every turn that is scheduled has run. */
async function settles(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await microtasks();
  await loop.runAll();
  return settled;
}

describe('Srcu', () => {
  it('needs no options', async () => {
    const srcu = new Srcu();
    const index = srcu.readLock();
    srcu.readUnlock(index);
    await srcu.synchronize();
    expect(srcu.stats()).toEqual({
      name: 'srcu',
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

  it.each([{ stallMs: 0 }, { stallMs: Number.NaN }, { budgetMs: -1 }, { firstSequence: 1 }])(
    'refuses %o',
    (options) => {
      expect(() => new Srcu(options)).toThrow(RangeError);
    },
  );

  it('waits for the readers that were there, in whatever order they end', async () => {
    const srcu = srcuOf();
    const indices = [srcu.readLock(), srcu.readLock(), srcu.readLock()] as const;
    const cookie = srcu.startPoll();
    for (const at of [1, 0, 2] as const) {
      await loop.runAll();
      expect(srcu.poll(cookie)).toBe(false);
      srcu.readUnlock(indices[at]);
    }
    expect(srcu.poll(cookie)).toBe(false);
    await loop.runAll();
    expect(srcu.poll(cookie)).toBe(true);
  });

  it('runs nothing in unlock', async () => {
    const srcu = srcuOf();
    const index = srcu.readLock();
    let ran = false;
    srcu.call(() => {
      ran = true;
    });
    srcu.readUnlock(index);
    await microtasks();
    expect(ran).toBe(false);
    await loop.runAll();
    expect(ran).toBe(true);
  });

  it('lets a callback do what it likes', async () => {
    const srcu = srcuOf();
    const index = srcu.readLock();
    const order: string[] = [];
    srcu.call(() => {
      order.push('unlocks');
      const inner = srcu.readLock();
      srcu.call(() => {
        order.push('runs after inner');
      });
      srcu.startPoll();
      srcu.readUnlock(inner);
      void srcu.barrier().then(() => order.push('barrier'));
      throw new Error('thrown on purpose');
    });
    srcu.call(() => order.push('second'));
    srcu.readUnlock(index);
    await loop.runAll();
    expect(order).toEqual(['unlocks', 'second', 'runs after inner', 'barrier']);
    expect(errors).toHaveLength(1);
  });
});

/** An expedited wait ends with the readers that began before it. Throws when it waits for one that began later. */
async function checkWaitsForNoLaterReader(wait: (srcu: Srcu) => Promise<void>): Promise<void> {
  for (const runsAlready of [false, true]) {
    const srcu = srcuOf();
    const earlier = srcu.readLock();
    if (runsAlready) {
      srcu.startPoll();
    }
    let waited = false;
    void wait(srcu).then(() => {
      waited = true;
    });
    const later = runsAlready ? null : srcu.readLock();
    await loop.runAll();
    expect(waited).toBe(false);
    srcu.readUnlock(earlier);
    await loop.runAll();
    if (!waited) {
      throw new Error('It waits for a reader that began later');
    }
    if (later !== null) {
      srcu.readUnlock(later);
    }
  }
}

describe('Srcu, expedited', () => {
  it('waits for no reader that began later', async () => {
    await checkWaitsForNoLaterReader((srcu) => srcu.synchronize());
    await checkWaitsForNoLaterReader((srcu) => srcu.synchronizeExpedited());
  });

  it('would, if its callback were queued after the grace period had started', async () => {
    const busted = (srcu: Srcu): Promise<void> => {
      srcu.startPoll();
      return srcu.synchronizeExpedited();
    };
    await expect(checkWaitsForNoLaterReader(busted)).rejects.toThrow('began later');
  });

  it.each([
    ['idle', () => {}],
    ['a grace period is due', (srcu: Srcu) => void srcu.startPoll()],
    ['callbacks wait', (srcu: Srcu) => srcu.call(() => {})],
  ])('is over at once without a reader: %s', async (_name, prepare) => {
    const srcu = srcuOf();
    prepare(srcu);
    const cookies = [srcu.getState(), srcu.startPoll()];
    const { scheduled } = loop;
    const done = srcu.synchronizeExpedited();
    expect(cookies.map((cookie) => srcu.poll(cookie))).toEqual([true, true]);
    expect(loop.scheduled).toBeLessThanOrEqual(Math.max(scheduled, 1));
    await done;
    srcu.checkInvariants();
  });

  it('runs the callbacks in a turn, never on the spot', async () => {
    const srcu = srcuOf();
    let ran = false;
    srcu.call(() => {
      ran = true;
    });
    await srcu.synchronizeExpedited();
    expect([ran, loop.isAlive]).toEqual([false, true]);
    await loop.runAll();
    expect(ran).toBe(true);
  });

  it('is not over at once inside a reader, not even with its counter the only one', async () => {
    const srcu = srcuOf();
    const index = srcu.readLock();
    const cookie = srcu.getState();
    const expedited = srcu.synchronizeExpedited();
    expect(await settles(expedited)).toBe(false);
    srcu.readUnlock(index);
    expect(await settles(expedited)).toBe(true);
    expect(srcu.poll(cookie)).toBe(true);
  });

  it('works inside a callback, with and without a reader', async () => {
    const srcu = srcuOf();
    const cookies: boolean[] = [];
    srcu.call(() => {
      const cookie = srcu.startPoll();
      void srcu.synchronizeExpedited();
      cookies.push(srcu.poll(cookie));
      const index = srcu.readLock();
      const second = srcu.startPoll();
      void srcu.synchronizeExpedited().then(() => cookies.push(srcu.poll(second)));
      cookies.push(srcu.poll(second));
      srcu.readUnlock(index);
    });
    await loop.runAll();
    expect(cookies).toEqual([true, false, true]);
  });
});

describe('Srcu, faults', () => {
  it.each([false, true])('refuses a foreign index, debug %s', (debug) => {
    const srcu = srcuOf({ debug, name: 's' });
    const own = srcu.readLock();
    const foreign = [srcuOf({ debug: true }).readLock(), srcuOf().readLock(), null, undefined, {}, 0, { domain: srcu }];
    for (const index of foreign) {
      expect(codeOf(() => srcu.readUnlock(index as SrcuIndex))).toBe('ERR_SRCU_FOREIGN_INDEX');
    }
    expect(srcu.stats().readers).toBe(1);
    srcu.readUnlock(own);
    srcu.checkInvariants();
  });

  it('notices a second unlock when no other reader hides it', () => {
    const srcu = srcuOf();
    const index = srcu.readLock();
    srcu.readUnlock(index);
    expect(codeOf(() => srcu.readUnlock(index))).toBe('ERR_SRCU_UNBALANCED');
    expect(srcu.stats().readers).toBe(0);
  });

  it('notices every second unlock in debug mode', () => {
    const srcu = srcuOf({ debug: true });
    const index = srcu.readLock();
    const other = srcu.readLock();
    srcu.readUnlock(index);
    expect(codeOf(() => srcu.readUnlock(index))).toBe('ERR_SRCU_UNBALANCED');
    expect(srcu.stats().readers).toBe(1);
    srcu.readUnlock(other);
    srcu.checkInvariants();
  });

  it('refuses a callback that is none', () => {
    const srcu = srcuOf();
    expect(() => srcu.call(undefined as unknown as () => void)).toThrow(TypeError);
    expect(srcu.stats().callbacksWaiting).toBe(0);
  });
});

describe('Srcu, read', () => {
  it('stays synchronous for what is', () => {
    const srcu = srcuOf();
    const result = srcu.read(() => {
      expect(srcu.stats().readers).toBe(1);
      return 7;
    });
    expect([result, srcu.stats().readers]).toEqual([7, 0]);
  });

  it('ends when the promise settles, either way', async () => {
    for (const rejects of [false, true]) {
      const srcu = srcuOf();
      let settle!: () => void;
      const result = srcu.read(
        () =>
          new Promise<string>((resolve, reject) => {
            settle = () => (rejects ? reject(new Error('from the section')) : resolve('done'));
          }),
      );
      const cookie = srcu.startPoll();
      await loop.runAll();
      expect(srcu.poll(cookie)).toBe(false);
      settle();
      await (rejects ? expect(result).rejects.toThrow('from the section') : expect(result).resolves.toBe('done'));
      await loop.runAll();
      expect([srcu.poll(cookie), srcu.stats().readers, srcu.oldestReader()]).toEqual([true, 0, null]);
    }
  });

  it('takes any thenable', async () => {
    const srcu = srcuOf();
    // oxlint-disable-next-line unicorn/no-thenable
    const thenable: PromiseLike<number> = { then: (resolve) => Promise.resolve(7).then(resolve) };
    expect(await srcu.read(() => thenable)).toBe(7);
    expect(srcu.stats().readers).toBe(0);
  });

  it('ends when the section, or the result, throws', () => {
    const srcu = srcuOf();
    // oxlint-disable-next-line unicorn/no-thenable
    const hostile = Object.defineProperty({}, 'then', {
      get() {
        throw new Error('from then');
      },
    });
    expect(() => srcu.read(() => hostile)).toThrow('from then');
    expect(() =>
      srcu.read(() => {
        throw new Error('from the section');
      }),
    ).toThrow('from the section');
    expect(srcu.stats().readers).toBe(0);
    srcu.checkInvariants();
  });
});

describe('Srcu, closing', () => {
  it('refuses readers and callbacks at once, and waits for those there are', async () => {
    const srcu = srcuOf({ name: 'closing' });
    const index = srcu.readLock();
    let ran = false;
    srcu.call(() => {
      ran = true;
    });
    const cookie = srcu.getState();
    const closed = srcu[Symbol.asyncDispose]();
    expect(srcu[Symbol.asyncDispose]()).toBe(closed);
    for (const use of [
      () => srcu.readLock(),
      () => srcu.guard(),
      () => srcu.read(() => {}),
      () => srcu.startPoll(),
      () => srcu.call(() => {}),
    ]) {
      expect(codeOf(use)).toBe('ERR_SRCU_CLOSED');
    }
    await expect(srcu.synchronize()).rejects.toMatchObject({ code: 'ERR_SRCU_CLOSED' });
    await expect(srcu.synchronizeExpedited()).rejects.toMatchObject({ code: 'ERR_SRCU_CLOSED' });
    expect(await settles(closed)).toBe(false);
    srcu.readUnlock(index);
    expect(await settles(closed)).toBe(true);
    expect([ran, srcu.poll(cookie), srcu.stats().readers]).toEqual([true, true, 0]);
    await srcu.barrier();
    srcu.checkInvariants();
  });

  it('waits for callbacks without a reader', async () => {
    const srcu = srcuOf();
    const order: string[] = [];
    srcu.call(() => order.push('callback'));
    const closed = srcu[Symbol.asyncDispose]().then(() => order.push('closed'));
    expect(await settles(closed)).toBe(true);
    expect(order).toEqual(['callback', 'closed']);
  });

  it('waits for a reader that no grace period waits for', async () => {
    const srcu = srcuOf();
    srcu.startPoll();
    const index = srcu.readLock();
    const closed = srcu[Symbol.asyncDispose]();
    expect(await settles(closed)).toBe(false);
    srcu.readUnlock(index);
    expect(await settles(closed)).toBe(true);
  });

  it('leaves no timer, no turn, and no cookie that is never over', async () => {
    const srcu = srcuOf();
    const cookie = srcu.getState();
    srcu.guard().release();
    const closed = srcu[Symbol.asyncDispose]();
    expect(await settles(closed)).toBe(true);
    expect([loop.scheduled, loop.timersPending, srcu.poll(cookie)]).toEqual([0, 0, true]);
  });

  it('hands ERR_SRCU_CLOSED to the error channel when a callback goes on queueing', async () => {
    const srcu = srcuOf();
    srcu.call(() => srcu.call(() => {}));
    expect(await settles(srcu[Symbol.asyncDispose]())).toBe(true);
    expect(errors).toMatchObject([{ code: 'ERR_SRCU_CLOSED' }]);
  });

  it('can be closed from within a callback', async () => {
    const srcu = srcuOf();
    let closed: Promise<void> = new Promise(() => {});
    srcu.call(() => {
      closed = srcu[Symbol.asyncDispose]();
    });
    await loop.runAll();
    expect(await settles(closed)).toBe(true);
  });
});

describe('Srcu as a flavour', () => {
  it('has two live cookies at most, and shows both', async () => {
    const srcu: RcuFlavor = srcuOf();
    const before = srcu.startPoll();
    const during = srcu.startPoll();
    expect([srcu.maxLiveCookies, srcu.poll(before), srcu.poll(during)]).toEqual([2, false, false]);
    expect(srcu.equal(before, during)).toBe(false);
    expect(srcu.equal(during, srcu.getState())).toBe(true);
  });

  it('moves on between getState and the use of what it returned', async () => {
    // P13: a cookie is not stable, it may be over before it is stored; then it must say so.
    const srcu = srcuOf();
    const cookie = srcu.getState();
    srcu.startPoll();
    srcu.startPoll();
    await loop.runAll();
    expect(srcu.poll(cookie)).toBe(true);
    expect(srcu.equal(cookie, srcu.getState())).toBe(false);
  });

  it('includes in the barrier what was queued while a grace period waited', async () => {
    // P20: callbacks in every stage count, not only those handed over.
    const srcu = srcuOf();
    const ran: string[] = [];
    const index = srcu.readLock();
    srcu.call(() => ran.push('first'));
    srcu.call(() => ran.push('second'));
    const barrier = srcu.barrier().then(() => ran.push('barrier'));
    srcu.call(() => ran.push('after'));
    srcu.readUnlock(index);
    await loop.runAll();
    await barrier;
    expect(ran).toEqual(['first', 'second', 'after', 'barrier']);
  });
});

function codeOf(faulty: () => unknown): string {
  try {
    faulty();
  } catch (error) {
    expect(RcuError.is(error)).toBe(true);
    return (error as RcuError).code;
  }
  throw new Error('Nothing was thrown');
}
