import { beforeEach, describe, expect, it } from 'vitest';
import { Srcu, type SrcuGuard, type SrcuOptions, type SrcuReport } from '../src/index.js';
import { warnOf } from '../src/srcu-report.js';
import { TestLoop } from './support/test-loop.js';

let loop: TestLoop;
let reports: SrcuReport[];

beforeEach(() => {
  loop = new TestLoop();
  reports = [];
});

function srcuOf(options: SrcuOptions = {}): Srcu {
  return new Srcu({
    name: 's',
    stallMs: 1_000,
    clock: loop,
    scheduler: loop,
    onReport: (report) => void reports.push(report),
    ...options,
  });
}

/** Who was reported, and at what age. */
function told(): (readonly [string, number])[] {
  return reports.map(({ label, ageMs }) => [label, ageMs]);
}

describe('stalls', () => {
  it('reports a guard once per period, with its label', () => {
    const srcu = srcuOf();
    const guard = srcu.guard('slow query');
    loop.advance(999);
    expect(reports).toEqual([]);
    loop.advance(1);
    expect(reports).toEqual([
      {
        kind: 'stall',
        domain: 's',
        label: 'slow query',
        ageMs: 1_000,
        more: 0,
        readers: 1,
        callbacksWaiting: 0,
        stack: null,
      },
    ]);
    loop.advance(2_500);
    expect(told()).toEqual([
      ['slow query', 1_000],
      ['slow query', 2_000],
      ['slow query', 3_000],
    ]);
    expect(srcu.stats().stalls).toBe(3);
    guard.release();
    loop.advance(10_000);
    expect(reports).toHaveLength(3);
    expect(loop.timersPending).toBe(0);
  });

  it('reports at the age of the reader, not of the timer', () => {
    const srcu = srcuOf();
    const first = srcu.guard('first');
    loop.advance(600);
    const second = srcu.guard('second');
    first.release();
    loop.advance(999);
    expect(reports).toEqual([]);
    loop.advance(1);
    expect(told()).toEqual([['second', 1_000]]);
    second.release();
  });

  it('reports asynchronous sections by their name', async () => {
    const srcu = srcuOf();
    let settle!: () => void;
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const named = srcu.read(async function lookup() {
      await settled;
    });
    const labelled = srcu.read(() => settled, 'given label');
    loop.advance(1_000);
    expect(told()).toEqual([
      ['lookup', 1_000],
      ['given label', 1_000],
    ]);
    expect(srcu.oldestReader()).toEqual({ label: 'lookup', ageMs: 1_000, stack: null });
    settle();
    await Promise.all([named, labelled]);
    expect(srcu.oldestReader()).toBe(null);
  });

  it('reports a raw pair by how long a grace period has waited for it', () => {
    const srcu = srcuOf();
    const index = srcu.readLock();
    loop.advance(5_000);
    expect(reports).toEqual([]);
    srcu.call(() => {});
    loop.advance(1_000);
    expect(reports).toEqual([
      {
        kind: 'stall',
        domain: 's',
        label: 'a raw read lock',
        ageMs: 1_000,
        more: 0,
        readers: 1,
        callbacksWaiting: 1,
        stack: null,
      },
    ]);
    srcu.readUnlock(index);
    loop.runTurn();
    loop.advance(5_000);
    expect(reports).toHaveLength(1);
  });

  it.each([false, true])('reports every reader that is overdue once per period, debug %s', (debug) => {
    const srcu = srcuOf({ debug });
    const first = srcu.guard('first');
    loop.advance(600);
    const second = srcu.guard('second');
    loop.advance(1_900);
    expect(told()).toEqual([
      ['first', 1_000],
      ['first', 2_000],
      ['second', 1_400],
    ]);
    first.release();
    loop.advance(500);
    expect(told().slice(3)).toEqual([['second', 2_400]]);
    expect(srcu.stats().stalls).toBe(4);
    second.release();
    loop.advance(5_000);
    expect([reports.length, loop.timersPending]).toEqual([4, 0]);
    srcu.checkInvariants();
  });

  it.each([
    [15, 0],
    [16, 0],
    [17, 1],
    [40, 24],
    [10_020, 10_000],
  ])('of %i readers that are overdue reports 16 at most, and that there are %i more', (count, more) => {
    const srcu = srcuOf();
    const guards = Array.from({ length: count }, (_, index) => srcu.guard(`reader ${index}`));
    loop.advance(1_000);
    expect(reports.map(({ label }) => label)).toEqual(
      Array.from({ length: Math.min(count, 16) }, (_, index) => `reader ${index}`),
    );
    expect(reports.map((report) => report.more)).toEqual([...reports.slice(1).map(() => 0), more]);
    for (const guard of guards) {
      guard.release();
    }
  });

  it('reports those found, though the channel ends readers meanwhile', () => {
    const guards: SrcuGuard[] = [];
    const srcu = srcuOf({
      onReport(report) {
        reports.push(report);
        for (const guard of guards) {
          guard.release();
        }
      },
    });
    guards.push(srcu.guard('a'), srcu.guard('b'), srcu.guard('c'));
    loop.advance(5_000);
    expect(told()).toEqual([
      ['a', 1_000],
      ['b', 1_000],
      ['c', 1_000],
    ]);
    expect([srcu.stats().readers, loop.timersPending]).toEqual([0, 0]);
  });

  it('reports a raw pair besides the guards that are open, and by a timer that was armed for these', () => {
    const srcu = srcuOf();
    const index = srcu.readLock();
    const old = srcu.guard('old');
    loop.advance(500);
    srcu.startPoll();
    const young = srcu.guard('young');
    // Nobody can know how long a raw pair has been open before a grace period waits for it.
    loop.advance(500);
    expect(told()).toEqual([['old', 1_000]]);
    old.release();
    loop.advance(1_000);
    expect(told().slice(1)).toEqual([
      ['young', 1_500],
      ['a raw read lock', 1_500],
    ]);
    srcu.readUnlock(index);
    loop.advance(1_000);
    expect(told().slice(3)).toEqual([['young', 2_500]]);
    young.release();
    srcu.checkInvariants();
  });

  it('does not take a guard that holds up a grace period for a raw pair', () => {
    const srcu = srcuOf();
    const guard = srcu.guard('guard');
    srcu.startPoll();
    const later = srcu.readLock();
    loop.advance(3_000);
    expect(new Set(told().map(([label]) => label))).toEqual(new Set(['guard']));
    guard.release();
    srcu.readUnlock(later);
  });

  it('arms no timer for a raw pair that nobody waits for', () => {
    const srcu = srcuOf();
    srcu.readLock();
    expect(loop.timersPending).toBe(0);
    srcu.startPoll();
    expect(loop.timersPending).toBe(1);
  });

  it('looks again when a later grace period waits', () => {
    const srcu = srcuOf();
    for (let round = 1; round <= 2; round++) {
      const index = srcu.readLock();
      srcu.startPoll();
      loop.advance(1_500);
      expect(reports).toHaveLength(round);
      srcu.readUnlock(index);
      loop.runTurn();
      loop.advance(5_000);
    }
  });

  it('knows in debug mode the label and the stack of each kind of reader', async () => {
    const srcu = srcuOf({ debug: true });
    const openers: Readonly<Record<string, () => () => void>> = {
      'read lock': function openRaw() {
        const index = srcu.readLock();
        return () => srcu.readUnlock(index);
      },
      'my guard': function openGuard() {
        const guard = srcu.guard('my guard');
        return () => guard.release();
      },
      'my section': function openSection() {
        let settle!: () => void;
        void srcu.read(
          () =>
            new Promise<void>((resolve) => {
              settle = resolve;
            }),
          'my section',
        );
        return settle;
      },
    };
    for (const [label, open] of Object.entries(openers)) {
      reports = [];
      const close = open();
      loop.advance(1_000);
      expect(reports.map((report) => report.label)).toEqual([label]);
      // The first frame is the caller's, not one of ours.
      expect(reports[0]?.stack?.split('\n')[1]).toContain(open.name);
      close();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      expect(srcu.stats().readers).toBe(0);
      srcu.checkInvariants();
    }
  });

  it('reports none when stallMs is Infinity, and overruns no timer', () => {
    const never = srcuOf({ stallMs: Infinity });
    const guard = never.guard();
    expect(loop.timersPending).toBe(0);
    guard.release();

    const delays: number[] = [];
    const scheduler = {
      nextTurn: loop.nextTurn.bind(loop),
      after(delayMs: number, callback: () => void) {
        delays.push(delayMs);
        return loop.after(delayMs, callback);
      },
    };
    const patient = srcuOf({ stallMs: 2 ** 40, scheduler });
    const other = patient.guard();
    loop.advance(2 ** 40);
    expect(Math.max(...delays)).toBeLessThan(2 ** 31);
    expect(told()).toEqual([['guard', 2 ** 40]]);
    other.release();
  });

  it('keeps watching when the channel for reports throws', async () => {
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.on('uncaughtException', note);
    let calls = 0;
    const srcu = srcuOf({
      onReport: () => {
        calls++;
        throw new Error('from the channel');
      },
    });
    const guard = srcu.guard();
    loop.advance(3_000);
    guard.release();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    process.removeListener('uncaughtException', note);
    for (const listener of listeners) {
      process.on('uncaughtException', listener);
    }
    expect([calls, uncaught.length]).toEqual([3, 3]);
  });
});

describe('warnOf', () => {
  it('is a warning of the process, with a code for each kind', async () => {
    const report = { domain: 's', label: 'r', ageMs: 1_234, more: 0, readers: 2, callbacksWaiting: 3 };
    const warnings: (Error & { code?: string; detail?: string })[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    warnOf({ ...report, kind: 'stall', stack: null });
    warnOf({ ...report, kind: 'leak', stack: 'where it was opened' });
    warnOf({ ...report, kind: 'abandoned', stack: null });
    warnOf({ ...report, kind: 'stall', stack: null, more: 5 });
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    process.removeListener('warning', note);
    expect(warnings.map(({ name, code }) => [name, code])).toEqual([
      ['ReclaimWarning', 'RECLAIM_SRCU_STALL'],
      ['ReclaimWarning', 'RECLAIM_SRCU_LEAK'],
      ['ReclaimWarning', 'RECLAIM_SRCU_ABANDONED'],
      ['ReclaimWarning', 'RECLAIM_SRCU_STALL'],
    ]);
    expect(warnings[0]?.message).toBe(
      'Reader "r" of "s" has been open too long (1.2 s): 2 readers open, 3 callbacks wait',
    );
    expect(warnings[1]?.detail).toBe('where it was opened');
    expect(warnings[3]?.message).toMatch(/3 callbacks wait; 5 more are overdue$/);
  });
});
