import {
  type Clock,
  type Scheduler,
  assert,
  checkOptionNames,
  reportUncaught,
  systemClock,
  systemScheduler,
} from '@core/base';
import { NodePool } from '@core/genradix';
import type { RcuFlavor } from '@core/rcu';
import { Processor } from './internal/processor.js';
import { Shard } from './internal/shard.js';
import { Sizes } from './internal/sizes.js';
import type { EnqueueOptions, RcuHead, RcuPendingOptions, RcuPendingStats, ShardPort } from './types.js';

const DEFAULT_BUDGET_MS = 1;
const OPTION_NAMES = Object.keys({
  rcu: true,
  process: true,
  nodes: true,
  sizeOf: true,
  isBulk: true,
  expediteAt: true,
  onError: true,
  budgetMs: true,
  debug: true,
  shards: true,
  clock: true,
  scheduler: true,
} satisfies Record<keyof RcuPendingOptions<never>, true>);
/** What ports must be able to do. */
const PORTS = [
  ['clock', ['now']],
  ['scheduler', ['nextTurn']],
  ['shards', ['current']],
] as const;
const MARKS = ['count', 'bytes'] as const;

/**
 * Holds objects until a grace period is over, then processes them; or hands them out again before.
 *
 * Objects are stored by cookie in radix-vectors, from which whole nodes are processed at once. When the node pool is
 * exhausted they are linked to one another instead, with no allocation at all. One callback for each grace period
 * serves all of them.
 *
 * Order: none is promised, across shards, within a cookie, or after a dequeue. `enqueue` and `dequeue` are O(1);
 * `dequeueWhere` is O(count). `process` runs at most for `budgetMs` in a turn.
 *
 * @see fs/bcachefs/rcu_pending.c
 */
export class RcuPending<T extends RcuHead> implements AsyncDisposable {
  private readonly rcu: RcuFlavor;
  private readonly own: Shard<T> | null;
  private readonly shards = new Map<number, Shard<T>>();
  private readonly shardPort: ShardPort | null;
  private readonly processor: Processor<T>;
  private readonly sizes: Sizes<T> | null;
  private readonly clock: Clock;
  private readonly createShard: () => Shard<T>;
  private expediting = false;
  private expediteCount = 0;
  private closed = false;
  private exiting: Promise<void> | null = null;

  /**
   * @throws {TypeError} `rcu` or `process` is missing, or an option is nothing of its kind or has a name that is none
   * @throws {RangeError} `budgetMs` or `expediteAt` is out of range
   */
  constructor(options: RcuPendingOptions<T>) {
    check(options);
    const onError = guarded(options.onError);
    const nodes = options.nodes ?? new NodePool();
    const scheduler: Scheduler = options.scheduler ?? systemScheduler;
    const debug = options.debug ?? false;
    this.rcu = options.rcu;
    this.clock = options.clock ?? systemClock;
    this.processor = new Processor<T>(options, nodes, onError);
    this.sizes = options.sizeOf !== undefined || debug ? new Sizes<T>(options.sizeOf ?? null, debug, onError) : null;
    this.shardPort = options.shards ?? null;
    this.createShard = () =>
      new Shard<T>({
        rcu: this.rcu,
        nodes,
        processor: this.processor,
        sizes: this.sizes,
        isBulk: options.isBulk ?? null,
        countAll: this.shardPort === null ? null : () => this.count,
        expediteCount: options.expediteAt?.count ?? Infinity,
        expediteBytes: options.expediteAt?.bytes ?? Infinity,
        expedite: () => this.expedite(),
        budgetMs: options.budgetMs ?? DEFAULT_BUDGET_MS,
        clock: this.clock,
        scheduler,
      });
    this.own = this.shardPort === null ? this.shard(0) : null;
  }

  /** Objects enqueued − processed − dequeued, at every instant. */
  get count(): number {
    if (this.own !== null) {
      return this.own.count;
    }
    let count = 0;
    for (const shard of this.shards.values()) {
      count += shard.count;
    }
    return count;
  }

  /**
   * Bytes of the objects that wait, as `sizeOf` says; 0 without it, and when none waits. Never below 0, even when
   * `sizeOf` changes its mind.
   */
  get bytes(): number {
    return this.sizes === null ? 0 : this.sizes.bytes;
  }

  /**
   * Lets `object` wait for a grace period. It must be unreachable for new readers already, and must not be enqueued
   * again before it has been processed or dequeued.
   *
   * @throws {PendingError} `ERR_PENDING_CLOSED`, `ERR_PENDING_BUSY`, `ERR_PENDING_TWICE`; the object is not enqueued
   * @throws {TypeError} `object` is null or undefined; another primitive is noticed only where an object is looked at
   * @throws {RangeError} `sizeOf` gave no number of 0 or more
   */
  enqueue(object: T, options?: EnqueueOptions): void {
    const shard = this.own ?? this.currentShard();
    const { position } = shard;
    // No look inside the object here: it may be cold, and `typeof` would fetch it from memory.
    if (position < shard.limit && options === undefined && object !== undefined && object !== null) {
      shard.node[position] = object;
      shard.position = position + 1;
    } else {
      shard.enqueue(object, options?.maySleep === true);
    }
  }

  /**
   * Takes an object out for reuse BEFORE its grace period is over, or `undefined`.
   *
   * Only for type-stable objects: a reader that found the object before it was unpublished may still look at it, and
   * must check its identity again after locking it.
   */
  dequeue(): T | undefined {
    return (this.own ?? this.currentShard()).dequeue();
  }

  /**
   * As {@link dequeue}, the first object that `tryClaim` accepts. Those rejected keep their order.
   *
   * `tryClaim` must not wait, and must not use this pending. If it throws, nothing is taken.
   *
   * @throws {PendingError} `ERR_PENDING_BUSY`
   * @throws {TypeError} `tryClaim` is no function
   */
  dequeueWhere(tryClaim: (object: T) => boolean): T | undefined {
    if (typeof tryClaim !== 'function') {
      throw new TypeError(`Cannot dequeue: tryClaim is ${String(tryClaim)}; it must be a function`);
    }
    return (this.own ?? this.currentShard()).dequeueWhere(tryClaim);
  }

  /**
   * Takes an object out for reuse whose grace period is over, so that no reader can know it; or `undefined`. O(1).
   *
   * @throws {PendingError} `ERR_PENDING_BUSY`
   */
  dequeueExpired(): T | undefined {
    return (this.own ?? this.currentShard()).dequeueExpired();
  }

  /** As {@link dequeue}, over all shards, the current one first. */
  dequeueFromAll(): T | undefined {
    const own = this.own ?? this.currentShard();
    const object = own.dequeue();
    if (object !== undefined) {
      return object;
    }
    for (const shard of this.shards.values()) {
      const other = shard === own ? undefined : shard.dequeue();
      if (other !== undefined) {
        return other;
      }
    }
    return undefined;
  }

  /**
   * Processes, now, up to `limit` objects whose grace period is over; in bulk up to a node more. Does nothing when
   * called by `process`.
   *
   * @returns how many
   * @throws {PendingError} `ERR_PENDING_BUSY`
   * @throws {RangeError} `limit` is no number of 0 or more
   */
  drainExpired(limit: number): number {
    if (!(limit >= 0)) {
      throw new RangeError(`Cannot drain ${limit} objects: it must be a number of 0 or more`);
    }
    let done = 0;
    for (const shard of this.shards.values()) {
      done += done < limit ? shard.drainExpired(limit - done) : 0;
    }
    return done;
  }

  /** Hurries the grace period that waiting objects wait for. Does nothing while one is being hurried. */
  expedite(): void {
    if (this.expediting) {
      return;
    }
    this.expediting = true;
    this.expediteCount++;
    void this.hurry();
  }

  /**
   * Resolves when everything enqueued before has been processed or dequeued, and what `process` returned for it has
   * settled. Unlike `rcu.barrier()` alone, it covers objects that no callback has been queued for yet. `process` must
   * not wait for it.
   */
  async barrier(): Promise<void> {
    await Promise.all(Array.from(this.shards.values(), (shard) => shard.drained()));
    await this.processor.settled();
  }

  /**
   * Waits until nothing is left, of what is enqueued meanwhile either, then refuses more. Idempotent. The grace-period
   * domain should be closed after this: one that closes before refuses new objects, and what waits is processed when
   * its readers have ended. `process` must not wait for this, nor enqueue for ever.
   */
  exit(): Promise<void> {
    this.exiting ??= this.drainAndClose();
    return this.exiting;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.exit();
  }

  stats(): RcuPendingStats {
    const { processor } = this;
    const total = { buckets: 0, nodes: 0, listed: 0, reused: 0 };
    let oldestSinceMs = Infinity;
    for (const shard of this.shards.values()) {
      shard.sync();
      total.buckets += shard.buckets;
      total.nodes += shard.nodes;
      total.listed += shard.listed;
      total.reused += shard.reused;
      oldestSinceMs = Math.min(oldestSinceMs, shard.oldestSinceMs ?? Infinity);
    }
    return {
      oldestAgeMs: oldestSinceMs === Infinity ? 0 : this.clock.now() - oldestSinceMs,
      ...total,
      processed: processor.processed,
      expedited: this.expediteCount,
      errors: processor.errors,
      inFlight: processor.inFlight,
    };
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    for (const shard of this.shards.values()) {
      shard.checkInvariants();
    }
    assert(this.bytes >= 0, () => `${this.bytes} bytes wait`);
    assert(this.count > 0 || this.bytes === 0, () => `No object waits and ${this.bytes} bytes do`);
  }

  private async hurry(): Promise<void> {
    try {
      await this.rcu.synchronizeExpedited();
    } catch (error) {
      reportUncaught(error);
    } finally {
      this.expediting = false;
    }
  }

  private async drainAndClose(): Promise<void> {
    while (!this.idle()) {
      await Promise.all(Array.from(this.shards.values(), (shard) => shard.whenIdle()));
      await this.processor.settled();
    }
    this.closed = true;
    for (const shard of this.shards.values()) {
      shard.close();
    }
  }

  private idle(): boolean {
    for (const shard of this.shards.values()) {
      if (!shard.idle) {
        return false;
      }
    }
    return this.processor.inFlight === 0;
  }

  private currentShard(): Shard<T> {
    return this.shard((this.shardPort as ShardPort).current());
  }

  private shard(id: number): Shard<T> {
    let shard = this.shards.get(id);
    if (shard === undefined) {
      shard = this.createShard();
      if (this.closed) {
        shard.close();
      }
      this.shards.set(id, shard);
    }
    return shard;
  }
}

/** An error channel that cannot fail: an error of the channel itself is reported as well. */
function guarded<T>(onError: ((error: unknown, object: T) => void) | undefined): (error: unknown, object: T) => void {
  return (error, object) => {
    try {
      if (onError === undefined) {
        reportUncaught(error);
      } else {
        onError(error, object);
      }
    } catch (second) {
      reportUncaught(second);
    }
  };
}

function check<T extends RcuHead>(options: RcuPendingOptions<T>): void {
  checkOptionNames(options, OPTION_NAMES, 'an RcuPending');
  if (typeof options?.rcu?.getState !== 'function') {
    throw new TypeError('Cannot create a pending: rcu must be a grace-period flavour, such as new Rcu()');
  }
  for (const name of ['sizeOf', 'isBulk', 'onError'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function') {
      throw new TypeError(`Cannot create a pending with ${name} ${String(options[name])}: it must be a function`);
    }
  }
  for (const [name, methods] of PORTS) {
    const port = options[name] as Record<string, unknown> | null | undefined;
    const missing = methods.find((method) => port !== undefined && typeof port?.[method] !== 'function');
    if (missing !== undefined) {
      throw new TypeError(`Cannot create a pending with ${name} ${String(port)}: it must have the method ${missing}()`);
    }
  }
  const { budgetMs, expediteAt, nodes } = options;
  if (nodes !== undefined && typeof nodes?.take !== 'function') {
    throw new TypeError(`Cannot create a pending with nodes ${String(nodes)}: it must be a NodePool`);
  }
  if (expediteAt !== undefined && typeof expediteAt !== 'object') {
    throw new TypeError(`Cannot create a pending with expediteAt ${String(expediteAt)}: pass { count, bytes }`);
  }
  if (budgetMs !== undefined && !(budgetMs > 0)) {
    throw new RangeError(`Cannot create a pending with budgetMs ${budgetMs}: it must be above 0`);
  }
  checkOptionNames(expediteAt, MARKS, 'an RcuPending with an expediteAt');
  for (const name of MARKS) {
    const mark = expediteAt?.[name];
    if (mark !== undefined && !(mark >= 0)) {
      throw new RangeError(`Cannot create a pending with expediteAt.${name} ${mark}: it must be 0 or more`);
    }
  }
}
