import { systemScheduler } from '@core/base';
import { describe, expect, test } from 'vitest';

import { BUSTED_FLAVORS, formatReport, SimLoop, torture, type TortureReport } from '../src/index.js';

/** Operations within which each is caught, where the storm catches it; the others show in the quiet after it. */
const BUDGET = 1_000;
const SHOWN_AFTER_THE_STORM = new Set(['endless', 'starting-get-state', 'uncounted', 'impatient', 'silent']);
const DRAIN_TURNS = 500;
const SEEDS = [1, 2, 3];

function expectCaught(report: TortureReport, check: string): void {
  expect(
    report.failures.map((failure) => failure.check),
    formatReport(report),
  ).toContain(check);
}

describe.each(BUSTED_FLAVORS)('busted: $name, simulated loop', ({ name, check, make }) => {
  test.each(SEEDS)(`fails by ${check}, seed %i`, async (seed) => {
    const loop = new SimLoop({ seed });
    const report = await torture({
      ...make(loop.scheduler),
      loop,
      seed,
      operations: BUDGET,
      drainTurns: DRAIN_TURNS,
      stopOnFailure: false,
    });
    expectCaught(report, check);
    if (check.startsWith('vacuous') || SHOWN_AFTER_THE_STORM.has(name)) {
      expect(report.failures).toHaveLength(1);
    }
  });
});

const FOR_REAL = BUSTED_FLAVORS.filter(({ needsClock }) => !needsClock);

describe.each(FOR_REAL)('busted: $name, real loop', ({ check, make }) => {
  test(`fails by ${check}`, async () => {
    // Here the order of turns is the machine's, so there is more time to meet the fault.
    const report = await torture({
      ...make(systemScheduler),
      operations: 2 * BUDGET,
      drainTurns: DRAIN_TURNS,
      stopOnFailure: false,
    });
    expectCaught(report, check);
  });
});

test('the first failure ends the storm', async () => {
  for (const busted of BUSTED_FLAVORS.filter(({ name }) => !SHOWN_AFTER_THE_STORM.has(name))) {
    const loop = new SimLoop();
    const report = await torture({ ...busted.make(loop.scheduler), loop, drainTurns: DRAIN_TURNS });
    expect(report.ok).toBe(false);
    expect(report.reads, busted.name).toBeLessThan(BUDGET);
  }
});
