import type { RcuFlavor } from '@core/rcu';

import { type EventLoop } from './event-loop.js';
import { checkCount } from './internal/check-count.js';
import { PendingContext, type PendingSettings } from './internal/pending-context.js';
import { closing, pendingStorm, stuckPendingReader } from './internal/pending-phases.js';
import type { PendingHooks, PendingObject, PendingUnderTest } from './pending-under-test.js';
import type { ReaderProtocol } from './reader-protocol.js';
import { RealLoop } from './real-loop.js';
import type { PendingReport } from './torture-pending-report.js';

export interface TorturePendingOptions<Token = unknown> {
  readonly flavor: RcuFlavor;
  readonly reader: ReaderProtocol<Token>;
  /** Makes the pending over `flavor`. It must give what it processes to `process` or to `bulk`. */
  readonly make: (hooks: PendingHooks<PendingObject>) => PendingUnderTest<PendingObject>;
  /** Default: a {@link RealLoop}. A {@link SimLoop} must also be the clock and scheduler of flavour and pending. */
  readonly loop?: EventLoop;
  /** Default 6. */
  readonly readers?: number;
  /** Who enqueue and dequeue. Default 3. */
  readonly writers?: number;
  /** Operations of all writers together: what bounds the run. Default 5,000. */
  readonly operations?: number;
  /** Default 1. */
  readonly seed?: number;
  /** Objects that readers can find at one time. Default 16. */
  readonly published?: number;
  /** The most hops in one section. Default 4. */
  readonly maxHops?: number;
  /** Whether `bytes` is the sum of `sizeOf`. Default true. */
  readonly checksBytes?: boolean;
  /**
   * Whether what comes out has a cookie that is over, even where no reader could tell. Default true; false for a pending
   * that waits by other means.
   */
  readonly checksCookies?: boolean;
  /** How many turns grace periods may take to end once no reader is left. Default 10,000. */
  readonly drainTurns?: number;
  /** Default true. */
  readonly stopOnFailure?: boolean;
}

/**
 * Tortures a pending: writers unlink objects and enqueue them under the eyes of readers, take some out again, and keep
 * books of their own.
 *
 * Resolves to what it found, and never rejects for a fault of the pending. It ends by itself, after `operations`; it
 * depends on no wall time. The pending has exited afterwards.
 *
 * @throws {RangeError} when a count is not a positive integer
 */
export async function torturePending<Token>(options: TorturePendingOptions<Token>): Promise<PendingReport> {
  const settings = settingsOf(options);
  const loop = options.loop ?? new RealLoop();
  const firstTurn = loop.turn;
  const context = new PendingContext(settings, loop, options.make);
  try {
    await context.run('the torture', async () => {
      const calm = (await pendingStorm(context)) && !context.log.failed;
      if (calm && (await stuckPendingReader(context))) {
        await closing(context);
      }
    });
  } finally {
    if (options.loop === undefined) {
      loop.close();
    }
  }
  checkVacuous(context);
  const { books } = context;
  return {
    ok: !context.log.failed,
    failures: context.log.failures,
    flavor: settings.flavor.name,
    loop: loop.name,
    seed: settings.seed,
    readers: settings.readers,
    writers: settings.writers,
    reads: context.reads,
    turns: loop.turn - firstTurn,
    enqueued: books.enqueued,
    processed: books.processed,
    dequeued: books.dequeued,
    expired: books.expired,
    watched: books.watched,
    heldPending: context.heldPending,
    heldReused: context.heldReused,
    maxCount: books.maxCount,
    barriers: context.barriers,
  };
}

/** A run in which nothing could have gone wrong is no success. */
function checkVacuous({ log, books, heldPending }: PendingContext): void {
  if (log.failed) {
    return;
  }
  log.addUnless(heldPending > 0, 'vacuous-readers', () => 'no reader ever held an object while it was pending');
  log.addUnless(books.processed > 0, 'vacuous-process', () => 'nothing was processed');
  log.addUnless(books.dequeued > 0, 'vacuous-dequeue', () => 'nothing was dequeued');
}

function settingsOf<Token>(options: TorturePendingOptions<Token>): PendingSettings {
  return {
    flavor: options.flavor,
    // Whatever the token is, it only ever goes from enter() to leave() of the same protocol.
    reader: options.reader,
    readers: checkCount('readers', options.readers ?? 6),
    writers: checkCount('writers', options.writers ?? 3),
    operations: checkCount('operations', options.operations ?? 5_000),
    seed: options.seed ?? 1,
    published: checkCount('published', options.published ?? 16),
    maxHops: checkCount('maxHops', options.maxHops ?? 4, 0),
    checksBytes: options.checksBytes ?? true,
    checksCookies: options.checksCookies ?? true,
    drainTurns: checkCount('drainTurns', options.drainTurns ?? 10_000),
    stopOnFailure: options.stopOnFailure ?? true,
  };
}
