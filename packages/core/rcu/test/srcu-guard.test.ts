import { describe, expect, it } from 'vitest';
import { Srcu, type SrcuGuard, type SrcuReport } from '../src/index.js';
import { TestLoop, microtasks } from './support/test-loop.js';

const gc = (globalThis as unknown as { gc(): void }).gc;

/** Collects garbage until `done` says so, and gives up after a while. */
async function collectUntil(done: () => boolean): Promise<boolean> {
  for (let round = 0; round < 20; round++) {
    gc();
    await microtasks();
    if (done()) {
      return true;
    }
    // Asking a WeakRef keeps its target until the turn is over.
    await microtasks();
  }
  return false;
}

function releasedGuard(srcu: Srcu): WeakRef<SrcuGuard> {
  const guard = srcu.guard();
  guard.release();
  return new WeakRef(guard);
}

/** A guard that nobody holds any more. Not inlined, so that no register keeps it. */
function forget(srcu: Srcu, label: string): void {
  srcu.guard(label);
}

describe('SrcuGuard', () => {
  it.each([false, true])('ends its section once, debug %s', async (debug) => {
    const loop = new TestLoop();
    const srcu = new Srcu({ clock: loop, scheduler: loop, debug });
    const guard = srcu.guard();
    const cookie = srcu.startPoll();
    await loop.runAll();
    expect([guard.released, srcu.poll(cookie), srcu.stats().readers]).toEqual([false, false, 1]);
    guard.release();
    guard.release();
    guard[Symbol.dispose]();
    await loop.runAll();
    expect([guard.released, srcu.poll(cookie), srcu.stats().readers]).toEqual([true, true, 0]);
    srcu.checkInvariants();
  });

  it('ends with its block', () => {
    const srcu = new Srcu();
    {
      using guard = srcu.guard();
      expect([guard.released, srcu.stats().readers]).toEqual([false, 1]);
    }
    expect(srcu.stats().readers).toBe(0);
  });

  it.each([false, true])('is reported and released when it was collected, debug %s', async (debug) => {
    const loop = new TestLoop();
    const reports: SrcuReport[] = [];
    const srcu = new Srcu({
      name: 's',
      clock: loop,
      scheduler: loop,
      debug,
      onReport: (report) => void reports.push(report),
    });
    forget(srcu, 'forgotten');
    let ran = false;
    srcu.call(() => {
      ran = true;
    });
    await loop.runAll();
    expect(ran).toBe(false);
    loop.timeMs = 70;
    expect(await collectUntil(() => reports.length > 0)).toBe(true);
    expect(reports).toMatchObject([
      { kind: 'leak', domain: 's', label: 'forgotten', ageMs: 70, readers: 0, callbacksWaiting: 1 },
    ]);
    if (debug) {
      expect(reports[0]?.stack).toContain('forget');
    }
    await loop.runAll();
    expect([ran, srcu.stats().leaks, srcu.stats().readers]).toEqual([true, 1, 0]);
    srcu.checkInvariants();
  });

  it('is not reported when it was released, or while an await still needs it', async () => {
    const reports: SrcuReport[] = [];
    const srcu = new Srcu({ onReport: (report) => void reports.push(report) });
    const released = releasedGuard(srcu);
    let go!: () => void;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const reading = (async () => {
      const guard = srcu.guard('suspended');
      await gate;
      guard.release();
    })();
    expect(await collectUntil(() => released.deref() === undefined)).toBe(true);
    expect([reports, srcu.stats().readers]).toEqual([[], 1]);
    go();
    await reading;
    expect(srcu.stats().readers).toBe(0);
  });

  it('keeps a domain no longer than its readers do', async () => {
    const open = (): WeakRef<Srcu> => {
      const srcu = new Srcu({ onReport: () => {}, stallMs: Infinity });
      srcu.guard();
      srcu.call(() => {});
      return new WeakRef(srcu);
    };
    const ref = open();
    expect(await collectUntil(() => ref.deref() === undefined)).toBe(true);
  });
});
