import type { RcuFlavor } from '@core/rcu';

import type { EventLoop } from './event-loop.js';
import { checkCount } from './internal/check-count.js';
import { TortureContext, type TortureSettings } from './internal/torture-context.js';
import { quiet, storm, stuckReader } from './internal/torture-phases.js';
import type { ReaderProtocol } from './reader-protocol.js';
import { RealLoop } from './real-loop.js';
import { PRIMITIVES, type TortureReport } from './torture-report.js';

/** What is tortured. */
export interface TortureSubject<Token = unknown> {
  /** Nobody else may use it during the run: its grace periods are counted. */
  readonly flavor: RcuFlavor;
  /** How its readers read. */
  readonly reader: ReaderProtocol<Token>;
  /** The flavour's own `stallMs`. Given, and with a loop that can advance the time, a stuck reader must be reported. */
  readonly stallMs?: number;
}

export interface TortureOptions<Token = unknown> extends TortureSubject<Token> {
  /** Where the actors run; a {@link SimLoop} must also be the clock and scheduler of the flavour. Default: a {@link RealLoop}. */
  readonly loop?: EventLoop;
  /** Default 8. */
  readonly readers?: number;
  /** Default 4. */
  readonly fakeWriters?: number;
  /** Sections that all readers together read: what bounds the run. Default 5,000. */
  readonly operations?: number;
  /** Chooses what each actor does. Default 1. On a {@link SimLoop} with a seed the whole run repeats. */
  readonly seed?: number;
  /** Grace periods from removal to reuse. Default 10. */
  readonly pipeLength?: number;
  /** Objects in circulation. Default 10 for each grace period of the pipe. */
  readonly objects?: number;
  /** The most hops in one section. Default 4. */
  readonly maxHops?: number;
  /** How many turns grace periods may take to end once no reader is left. Default 10,000. */
  readonly drainTurns?: number;
  /** How many turns to watch for a grace period that nobody wanted. Default 32. */
  readonly quietTurns?: number;
  /** Default true. With false the storm goes on to the end, and more checks may fail. */
  readonly stopOnFailure?: boolean;
}

/**
 * Tortures a flavour: readers hold objects that a writer replaces and recycles through grace periods, while fake writers
 * wait for others, by every primitive in turn.
 *
 * Resolves to what it found, and never rejects for a fault of the flavour. It ends by itself, after `operations` reads,
 * whatever the flavour does; it depends on no wall time.
 *
 * @throws {RangeError} when a count is not a positive integer
 * @see Documentation/RCU/torture.rst
 */
export async function torture<Token>(options: TortureOptions<Token>): Promise<TortureReport> {
  const settings = settingsOf(options);
  const loop = options.loop ?? new RealLoop();
  const context = new TortureContext(settings, loop);
  const before = { gracePeriods: settings.flavor.stats().gracePeriods, turn: loop.turn };
  try {
    await context.run('the torture', async () => {
      // A failed storm leaves nothing quiet to look at.
      const calm = (await storm(context)) && !context.log.failed;
      if (calm && (await quiet(context))) {
        await stuckReader(context);
      }
    });
  } finally {
    if (options.loop === undefined) {
      loop.close();
    }
  }
  const gracePeriods = settings.flavor.stats().gracePeriods - before.gracePeriods;
  checkVacuous(context, gracePeriods);
  return {
    ok: !context.log.failed,
    failures: context.log.failures,
    flavor: settings.flavor.name,
    loop: loop.name,
    seed: settings.seed,
    readers: settings.readers,
    fakeWriters: settings.fakeWriters,
    reads: context.reads,
    updates: context.updates,
    turns: loop.turn - before.turn,
    gracePeriods,
    readerAges: context.readerAges,
    readerBatches: context.readerBatches,
    circulation: context.pipe.circulation,
    primitives: context.primitives,
    barriers: context.barriers,
    freeListEmpty: context.pipe.freeListEmpty,
    maxLiveCookies: context.cookies.maxLive,
    stallReports: context.stallReports,
  };
}

/** A run in which nothing could have gone wrong is no success. */
function checkVacuous(context: TortureContext, gracePeriods: number): void {
  const { log, pipe } = context;
  log.addUnless(
    pipe.freeListEmpty === 0,
    'vacuous-free-list',
    () => `the free list was empty ${pipe.freeListEmpty} times, and nothing was replaced meanwhile`,
  );
  if (log.failed) {
    // The run may have ended early, and what it did not reach says nothing.
    return;
  }
  log.addUnless(
    (context.readerAges[1] ?? 0) > 0,
    'vacuous-age',
    () => 'no reader ever held an object that had been removed',
  );
  log.addUnless(gracePeriods > 0, 'vacuous-grace-periods', () => 'no grace period ended');
  for (const primitive of PRIMITIVES) {
    log.addUnless(context.primitives[primitive] > 0, 'vacuous-primitive', () => `${primitive} never completed`);
  }
}

function settingsOf<Token>(options: TortureOptions<Token>): TortureSettings {
  const pipeLength = checkCount('pipeLength', options.pipeLength ?? 10);
  return {
    flavor: options.flavor,
    // Whatever the token is, it only ever goes from enter() to leave() of the same protocol.
    reader: options.reader,
    readers: checkCount('readers', options.readers ?? 8),
    fakeWriters: checkCount('fakeWriters', options.fakeWriters ?? 4, 0),
    operations: checkCount('operations', options.operations ?? 5_000),
    seed: options.seed ?? 1,
    pipeLength,
    objects: checkCount('objects', options.objects ?? 10 * pipeLength),
    maxHops: checkCount('maxHops', options.maxHops ?? 4, 0),
    stallMs: options.stallMs ?? null,
    drainTurns: checkCount('drainTurns', options.drainTurns ?? 10_000),
    quietTurns: checkCount('quietTurns', options.quietTurns ?? 32),
    stopOnFailure: options.stopOnFailure ?? true,
  };
}
