import { type Scheduler, systemScheduler } from '@core/base';
import { Rcu, type RcuStats, Srcu } from '@core/rcu';
import { describe, expect, test } from 'vitest';

import {
  formatReport,
  guardReader,
  HOPS_WITHIN_A_TURN,
  NoFlipSrcu,
  ObjectCookieRcu,
  ReferenceRcu,
  ReferenceSrcu,
  RealLoop,
  SimLoop,
  spansTurns,
  torture,
  type TorturePorts,
  type TortureReport,
  type TortureSubject,
  turnReader,
  ZeroCookieRcu,
} from '../src/index.js';

const SEEDS = [1, 2];
const OPERATIONS = 2_500;
const STALL_MS = 500;

const FLAVORS: readonly [string, (ports: Partial<TorturePorts>) => TortureSubject][] = [
  ['ReferenceRcu', (ports) => ({ flavor: new ReferenceRcu(ports), reader: turnReader })],
  ['ObjectCookieRcu', (ports) => ({ flavor: new ObjectCookieRcu(ports), reader: turnReader })],
  ['ZeroCookieRcu', (ports) => ({ flavor: new ZeroCookieRcu(ports), reader: turnReader })],
  ['ReferenceSrcu', (ports) => guarded(new ReferenceSrcu({ ...ports, stallMs: STALL_MS }))],
  ['Rcu', (ports) => ({ flavor: new Rcu(ports), reader: turnReader })],
  ['Srcu', (ports) => guarded(new Srcu({ ...ports, stallMs: STALL_MS, onReport() {} }))],
  ['Srcu in debug mode', (ports) => guarded(new Srcu({ ...ports, stallMs: STALL_MS, onReport() {}, debug: true }))],
];

function guarded<F extends Srcu | ReferenceSrcu>(flavor: F): TortureSubject {
  return { flavor, reader: guardReader<unknown>(flavor as never), stallMs: STALL_MS };
}

/** Where a flavour keeps its turns and its time. */
function portsOf({ clock, scheduler }: SimLoop): TorturePorts {
  return { clock, scheduler };
}

function expectSuccess(report: TortureReport, guards: boolean): void {
  expect(report.ok, formatReport(report)).toBe(true);
  expect(report.reads).toBe(OPERATIONS);
  expect(report.readerAges.slice(2).every((count) => count === 0)).toBe(true);
  expect(report.readerBatches.slice(2)).toEqual([]);
  // Everything that left came back: as many objects of each age.
  expect(new Set(report.circulation.slice(1))).toEqual(new Set([report.updates]));
  expect(report.updates).toBeGreaterThan(40);
  expect(report.gracePeriods).toBeGreaterThan(80);
  expect(report.barriers).toBeGreaterThan(5);
  expect(Math.min(...Object.values(report.primitives))).toBeGreaterThan(10);
  expect(report.maxLiveCookies).toBe(2);
  if (guards) {
    // Only a reader that stays beyond its turn can see a grace period end.
    expect(report.readerBatches[1]).toBeGreaterThan(50);
  }
}

describe.each(FLAVORS)('%s', (name, make) => {
  test('survives the real loop', async () => {
    expectSuccess(await torture({ ...make({}), operations: OPERATIONS }), name.includes('Srcu'));
  });

  test.each(SEEDS)('survives the simulated loop, seed %i', async (seed) => {
    const loop = new SimLoop({ seed });
    const report = await torture({ ...make(portsOf(loop)), loop, seed, operations: OPERATIONS });
    expectSuccess(report, name.includes('Srcu'));
    if (name.includes('Srcu')) {
      expect(report.stallReports).toBeGreaterThan(0);
    }
  });
});

describe('a run', () => {
  const run = async (seed: number): Promise<TortureReport> => {
    const loop = new SimLoop({ seed });
    return torture({ ...guarded(new Srcu({ ...portsOf(loop), stallMs: STALL_MS, onReport() {} })), loop, seed });
  };

  test('repeats with the same seed on a simulated loop, and differs with another', async () => {
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect((await run(8)).turns).not.toBe(first.turns);
  });

  test('a failure repeats too', async () => {
    const fail = async (): Promise<TortureReport> => {
      const loop = new SimLoop({ seed: 7 });
      return torture({ ...guarded(new NoFlipSrcu(portsOf(loop))), loop, seed: 7 });
    };
    const first = await fail();
    expect(first.ok).toBe(false);
    expect(await fail()).toEqual(first);
  });

  test('leaves a loop that it was given open', async () => {
    const loop = new RealLoop();
    expect((await torture({ flavor: new ReferenceRcu(), reader: turnReader, loop, operations: 1_000 })).ok).toBe(true);
    expect((await torture({ flavor: new ReferenceRcu(), reader: turnReader, loop, operations: 1_000 })).ok).toBe(true);
    loop.close();
  });

  test('refuses counts that are none', async () => {
    const subject = { flavor: new ReferenceRcu(), reader: turnReader };
    await expect(torture({ ...subject, readers: 0 })).rejects.toThrow(RangeError);
    await expect(torture({ ...subject, operations: 1.5 })).rejects.toThrow(RangeError);
    await expect(torture({ ...subject, fakeWriters: -1 })).rejects.toThrow(RangeError);
  });

  test('knows which readers span turns', () => {
    expect(spansTurns(turnReader)).toBe(false);
    expect(spansTurns({ hops: [...HOPS_WITHIN_A_TURN, 'message'] })).toBe(true);
  });
});

describe('readers that stay longer than the flavour allows are caught', () => {
  test('a classic flavour under readers that await I/O, timers, messages and immediates', async () => {
    for (const hop of ['io', 'timer', 'message', 'immediate'] as const) {
      const report = await torture({
        flavor: new Rcu(),
        reader: { ...turnReader, hops: [...HOPS_WITHIN_A_TURN, hop] },
        stopOnFailure: false,
        operations: 1_000,
      });
      // Whichever is first to see it: messages come so fast that few readers hold an object for two grace periods.
      expect(report.failures[0]?.check).toMatch(/^reader-(age|batch|reuse)$/);
    }
  });

  test('freed objects are seen as reused, and batches as broken', async () => {
    const report = await torture({
      ...guarded(new NoFlipSrcu({ scheduler: systemScheduler })),
      pipeLength: 4,
      stopOnFailure: false,
      operations: 1_000,
    });
    expect(report.failures.map((failure) => failure.check)).toEqual(
      expect.arrayContaining(['reader-age', 'reader-batch', 'reader-reuse']),
    );
    expect(formatReport(report)).toMatch(/Reader ages .* !!!\n/);
    expect(formatReport(report)).toContain('Verdict: FAILURE\n  !!! ');
  });
});

describe('a flavour that throws fails, and does not break the torture', () => {
  const methods = ['getState', 'startPoll', 'poll', 'pollFirst', 'equal', 'call', 'synchronize', 'barrier'] as const;

  test.each([...methods, 'synchronizeExpedited', 'readLock', 'readUnlock', 'stats'] as const)('%s', async (method) => {
    for (const good of [0, 5, 10]) {
      const loop = new SimLoop();
      const flavor = new ReferenceSrcu({ ...portsOf(loop), stallMs: STALL_MS });
      const right = flavor[method].bind(flavor) as (...args: unknown[]) => unknown;
      let calls = 0;
      Object.defineProperty(flavor, method, {
        value: (...args: unknown[]) => {
          if (++calls > good + 1) {
            throw new Error(`${method} is broken`);
          }
          return right(...args);
        },
      });
      const report = await torture({ ...guarded(flavor), loop, operations: 1_000, drainTurns: 300 }).catch(
        (error: unknown) => String(error),
      );
      if (method === 'stats') {
        // The report itself needs it.
        expect(report).toContain('stats is broken');
      } else {
        const failures = (report as TortureReport).failures.map(({ message }) => message);
        expect(failures.join(), `${method} after ${good}`).toContain(`${method} is broken`);
      }
    }
  });
});

describe('a run in which nothing could go wrong fails as vacuous', () => {
  const checksOf = async (
    options: Partial<Parameters<typeof torture>[0]>,
    scheduler?: Scheduler,
  ): Promise<string[]> => {
    const flavor = new ReferenceRcu(scheduler === undefined ? {} : { scheduler });
    const report = await torture({ flavor, reader: turnReader, operations: 1_000, ...options });
    expect(report.ok).toBe(false);
    return report.failures.map((failure) => failure.check);
  };

  test('an empty free list', async () => {
    expect(await checksOf({ objects: 3 })).toEqual(['vacuous-free-list']);
  });

  test('readers that never hold an object for long enough to see it removed', async () => {
    expect(await checksOf({ maxHops: 0 })).toEqual(['vacuous-age']);
  });

  test('primitives that never completed', async () => {
    // A run as short as that ends at once where its one reader begins in a microtask.
    const checks: string[] = [];
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const loop = new SimLoop({ seed });
      checks.push(...(await checksOf({ operations: 1, readers: 1, fakeWriters: 0, loop, seed }, loop.scheduler)));
    }
    expect(checks).toContain('vacuous-primitive');
  });

  test('no grace period', async () => {
    class Uncounted extends ReferenceRcu {
      override stats(): RcuStats {
        return { ...super.stats(), gracePeriods: 0 };
      }
    }
    expect(await checksOf({ flavor: new Uncounted() })).toEqual(['vacuous-grace-periods']);
  });
});
