import type { Clock, Scheduler } from '@core/base';
import type { NodePool } from '@core/genradix';
import type { RcuFlavor } from '@core/rcu';

/** Intrusive link, used only by the fallback list. Initialise it to null and leave it alone. */
export interface RcuHead {
  rcuNext: RcuHead | null;
}

/**
 * Processes many objects at once. `objects` is good up to `count`, and until the call returns or the promise that it
 * returns has settled. It belongs to the pending: copy what is needed longer, change nothing.
 */
export interface BulkProcess<T> {
  bulk(objects: readonly T[], count: number): void | PromiseLike<void>;
}

/** One shard per thread; a single-threaded process has one and needs none of this. */
export interface ShardPort {
  /** A small integer that names the shard to use now. Asked once per operation. */
  current(): number;
}

export interface RcuPendingOptions<T> {
  /** Whose grace periods objects wait for. */
  readonly rcu: RcuFlavor;
  /**
   * Called once for every object that was not dequeued, after its grace period, never on the stack of `enqueue` unless
   * `maySleep` is set. A promise that it returns is waited for by `barrier` and `exit`.
   */
  readonly process: ((object: T) => unknown) | BulkProcess<T>;
  /**
   * Where bookkeeping nodes come from; may be shared. Its `take` must not use this pending. Default: a pool of its own,
   * without a budget.
   */
  readonly nodes?: NodePool;
  /** Bytes that an object holds, 0 or more; must answer the same for as long as the object waits. */
  readonly sizeOf?: (object: T) => number;
  /** Objects for which it says no always use the list (the kernel's vmalloc rule). */
  readonly isBulk?: (object: T) => boolean;
  /** Stranded more than this: the grace period is expedited. */
  readonly expediteAt?: { readonly count?: number; readonly bytes?: number };
  /**
   * Where errors of `process` go; the object counts as processed. Of a bulk call, `object` is its first. Default: an
   * uncaught exception.
   */
  readonly onError?: (error: unknown, object: T) => void;
  /** How long `process` may run in one turn, in milliseconds; raised under flood. Default 1. */
  readonly budgetMs?: number;
  /** Detects objects enqueued twice and sizes that change; slow. Default false. */
  readonly debug?: boolean;
  readonly shards?: ShardPort;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

export interface EnqueueOptions {
  /**
   * The caller can wait a little: objects that have expired are processed first, up to one sequence of them and one
   * turn's budget, which also makes nodes free; and an object whose own grace period has ended meanwhile is processed
   * at once. Default false.
   */
  readonly maySleep?: boolean;
}

export interface RcuPendingStats {
  /** Age of the oldest sequence of waiting objects, in milliseconds; 0 when none waits. */
  readonly oldestAgeMs: number;
  /** Sequences of objects, each with a cookie of its own. */
  readonly buckets: number;
  /** Bookkeeping nodes in use. */
  readonly nodes: number;
  /** Objects that wait on the fallback list. */
  readonly listed: number;
  /** Objects handed out again by the `dequeue` family. */
  readonly reused: number;
  /** Objects processed. */
  readonly processed: number;
  /** Times that a grace period was expedited. */
  readonly expedited: number;
  /** Errors of `process`. */
  readonly errors: number;
  /** Promises returned by `process` that have not settled. */
  readonly inFlight: number;
}
