import { type Clock, type Scheduler, systemClock, systemScheduler } from '@core/base';

import type { EventLoop } from './event-loop.js';
import type { PendingHooks, PendingObject, PendingUnderTest } from './pending-under-test.js';
import { SimError } from './sim-error.js';
import { SimLoop } from './sim-loop.js';
import { torture, type TortureSubject } from './torture.js';
import { torturePending } from './torture-pending.js';
import { formatPendingReport, type PendingReport } from './torture-pending-report.js';
import { formatReport, type TortureReport } from './torture-report.js';

/** What a flavour of a suite is to use for time and turns: the real ones, or those of a simulation. */
export interface TorturePorts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** What the factory of a suite makes, anew for each test. */
export interface TortureSuiteSubject extends TortureSubject {
  /** Makes a pending over the flavour. Needed when the suite `supports.pending`. */
  readonly pending?: (hooks: PendingHooks<PendingObject>) => PendingUnderTest<PendingObject>;
  /** Options of {@link torturePending} that say what the pending does not do. Default true. */
  readonly checksBytes?: boolean;
  readonly checksCookies?: boolean;
  /** Called when the test is over. */
  readonly close?: () => void | Promise<void>;
}

export interface TortureSuiteOptions {
  /** Registers a test: `test` of node:test, of vitest, or your own. */
  readonly test: (name: string, body: () => Promise<void>) => unknown;
  readonly factory: (ports: TorturePorts) => TortureSuiteSubject | Promise<TortureSuiteSubject>;
  readonly supports?: {
    /** The flavour keeps to the ports that it is given, so that runs repeat and time can be moved. Default true. */
    readonly simulation?: boolean;
    /** The factory also makes a pending. Default false. */
    readonly pending?: boolean;
  };
  /** One run on a simulated loop for each. Default 1, 2, 3. */
  readonly seeds?: readonly number[];
  /** Of each run. Default 5,000. */
  readonly operations?: number;
}

/**
 * Registers the whole torture as tests of your own runner, against your own flavour.
 *
 * A test fails by a rejection with a {@link SimError} ERR_SIM_TORTURE_FAILED, whose message is the report.
 */
export function tortureSuite(options: TortureSuiteOptions): void {
  const { supports, seeds = [1, 2, 3] } = options;
  const suite = new Suite(options);
  options.test('torture, real loop', () => suite.flavor(null, 1));
  if (supports?.pending === true) {
    options.test('torture of the pending, real loop', () => suite.pending(null, 1));
  }
  if (supports?.simulation === false) {
    return;
  }
  for (const seed of seeds) {
    options.test(`torture, simulated loop, seed ${seed}`, () => suite.flavor(new SimLoop({ seed }), seed));
    if (supports?.pending === true) {
      options.test(`torture of the pending, simulated loop, seed ${seed}`, () =>
        suite.pending(new SimLoop({ seed }), seed),
      );
    }
  }
}

/**
 * Throws unless the torture went well.
 *
 * @throws {SimError} ERR_SIM_TORTURE_FAILED, with the report as its message
 */
export function assertTorture(report: TortureReport | PendingReport): void {
  if (!report.ok) {
    const table = 'readerAges' in report ? formatReport(report) : formatPendingReport(report);
    throw new SimError('ERR_SIM_TORTURE_FAILED', `Cannot pass "${report.flavor}": the torture found faults\n${table}`);
  }
}

class Suite {
  readonly #options: TortureSuiteOptions;

  constructor(options: TortureSuiteOptions) {
    this.#options = options;
  }

  flavor(loop: SimLoop | null, seed: number): Promise<void> {
    return this.#run(loop, async (subject, shared) => {
      assertTorture(await torture({ ...subject, ...shared, seed }));
    });
  }

  pending(loop: SimLoop | null, seed: number): Promise<void> {
    return this.#run(loop, async ({ pending, ...subject }, shared) => {
      if (pending === undefined) {
        throw new TypeError('Cannot torture the pending: the factory made none; give it one or drop supports.pending');
      }
      assertTorture(await torturePending({ ...subject, make: pending, ...shared, seed }));
    });
  }

  async #run(
    loop: SimLoop | null,
    body: (subject: TortureSuiteSubject, shared: { loop?: EventLoop; operations?: number }) => Promise<void>,
  ): Promise<void> {
    const { factory, operations } = this.#options;
    const subject = await factory(loop ?? { clock: systemClock, scheduler: systemScheduler });
    try {
      await body(subject, { ...(loop === null ? {} : { loop }), ...(operations === undefined ? {} : { operations }) });
    } finally {
      await subject.close?.();
    }
  }
}
