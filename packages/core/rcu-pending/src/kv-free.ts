import { checkOptionNames, isThenable, reportUncaught } from '@core/base';
import type { NodePool } from '@core/genradix';
import type { RcuFlavor } from '@core/rcu';
import { asShrinker, type PendingShrinkerOptions } from './as-shrinker.js';
import { RcuPending } from './rcu-pending.js';
import type { EnqueueOptions, RcuHead, RcuPendingStats } from './types.js';
import type { ShrinkerSpec } from '@core/shrinker';

/** What can be freed without saying how. */
export type Freeable = Disposable | AsyncDisposable;

export interface KvFreeOptions {
  readonly rcu: RcuFlavor;
  readonly nodes?: NodePool;
  /** Where errors of freeing go. Default: an uncaught exception. */
  readonly onError?: (error: unknown, resource: unknown) => void;
  readonly budgetMs?: number;
  /** Boxes for resources without a head that are kept for the next one. Default 1,024. */
  readonly spareBoxes?: number;
}

const DEFAULT_SPARE_BOXES = 1024;
const OPTION_NAMES = Object.keys({
  rcu: true,
  nodes: true,
  onError: true,
  budgetMs: true,
  spareBoxes: true,
} satisfies Record<keyof KvFreeOptions, true>);

/** Carries a resource that has no room for a link, or one that is freed by a function. */
class Box implements RcuHead {
  rcuNext: RcuHead | null = null;
  resource: unknown = null;
  free: ((resource: never) => unknown) | null = null;
}

/** An error of freeing, on its way through the pending together with the resource, which no box holds any more. */
class Failure {
  readonly error: unknown;
  readonly resource: unknown;

  constructor(error: unknown, resource: unknown) {
    this.error = error;
    this.resource = resource;
  }
}

/**
 * Frees resources after a grace period: anything disposable, or anything at all with a function that frees it, such as
 * a buffer that goes back to its pool. All share one pending.
 *
 * A resource with a head (`rcuNext`) is stored as it is; one without gets a box, which is used again.
 *
 * @see kvfree_rcu() in mm/slab_common.c
 */
export class KvFree implements AsyncDisposable {
  private readonly pending: RcuPending<RcuHead>;
  private readonly boxes: Box[] = [];
  private readonly spareBoxes: number;

  /**
   * @throws {TypeError} `rcu` is missing, or an option is nothing of its kind or has a name that is none
   * @throws {RangeError} `budgetMs` or `spareBoxes` is out of range
   */
  constructor(options: KvFreeOptions = {} as KvFreeOptions) {
    checkOptionNames(options, OPTION_NAMES, 'a KvFree');
    const { rcu, nodes, onError = reportUncaught, budgetMs, spareBoxes = DEFAULT_SPARE_BOXES } = options;
    if (typeof onError !== 'function') {
      throw new TypeError(`Cannot create a KvFree with onError ${String(onError)}: it must be a function`);
    }
    if (!(spareBoxes >= 0)) {
      throw new RangeError(`Cannot keep ${spareBoxes} spare boxes: it must be 0 or more`);
    }
    this.spareBoxes = spareBoxes;
    this.pending = new RcuPending<RcuHead>({
      rcu,
      process: (object) => this.release(object),
      ...(nodes === undefined ? {} : { nodes }),
      ...(budgetMs === undefined ? {} : { budgetMs }),
      onError: (failure) => onError((failure as Failure).error, (failure as Failure).resource),
    });
  }

  /** Resources that wait. */
  get count(): number {
    return this.pending.count;
  }

  /**
   * Frees `resource` after a grace period: with `free(resource)` if given, else with its `Symbol.dispose` or
   * `Symbol.asyncDispose`, whichever it has.
   *
   * @throws {TypeError} it has neither and no `free` was given; it is not enqueued
   * @throws {PendingError} `ERR_PENDING_CLOSED`; it is not enqueued
   */
  free(resource: Freeable, options?: EnqueueOptions): void;
  free<R>(resource: R, free: (resource: R) => unknown, options?: EnqueueOptions): void;
  free<R>(resource: R, how?: ((resource: R) => unknown) | EnqueueOptions, options?: EnqueueOptions): void {
    const free = typeof how === 'function' ? how : null;
    const enqueueOptions = typeof how === 'function' ? options : how;
    if (free === null && disposerOf(resource) === null) {
      throw new TypeError(
        'Cannot free the resource: it has neither Symbol.dispose nor Symbol.asyncDispose; pass a function that frees it',
      );
    }
    if (free === null && hasHead(resource)) {
      this.pending.enqueue(resource, enqueueOptions);
      return;
    }
    const box = this.boxes.pop() ?? new Box();
    box.resource = resource;
    box.free = free;
    try {
      this.pending.enqueue(box, enqueueOptions);
    } catch (error) {
      this.putBack(box);
      throw error;
    }
  }

  /** Resolves when everything passed before has been freed. */
  barrier(): Promise<void> {
    return this.pending.barrier();
  }

  exit(): Promise<void> {
    return this.pending.exit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.exit();
  }

  stats(): RcuPendingStats {
    return this.pending.stats();
  }

  asShrinker(options?: PendingShrinkerOptions): ShrinkerSpec {
    return asShrinker(this.pending, { name: 'kv-free', ...options });
  }

  private release(object: RcuHead): unknown {
    if (!(object instanceof Box)) {
      return run(dispose, object);
    }
    const { resource } = object;
    const free = object.free as ((resource: unknown) => unknown) | null;
    this.putBack(object);
    return run(free ?? dispose, resource);
  }

  private putBack(box: Box): void {
    box.resource = null;
    box.free = null;
    if (this.boxes.length < this.spareBoxes) {
      this.boxes.push(box);
    }
  }
}

/** Calls `free(resource)`, and lets whatever it throws carry the resource. */
function run(free: (resource: unknown) => unknown, resource: unknown): unknown {
  try {
    const result = free(resource);
    return isThenable(result) ? waitFor(result, resource) : undefined;
  } catch (error) {
    throw new Failure(error, resource);
  }
}

async function waitFor(result: PromiseLike<unknown>, resource: unknown): Promise<void> {
  try {
    await result;
  } catch (error) {
    throw new Failure(error, resource);
  }
}

function hasHead(resource: unknown): resource is RcuHead {
  return typeof resource === 'object' && resource !== null && 'rcuNext' in resource;
}

function disposerOf(resource: unknown): typeof Symbol.dispose | typeof Symbol.asyncDispose | null {
  if (resource === null || (typeof resource !== 'object' && typeof resource !== 'function')) {
    return null;
  }
  if (typeof (resource as Partial<Disposable>)[Symbol.dispose] === 'function') {
    return Symbol.dispose;
  }
  return typeof (resource as Partial<AsyncDisposable>)[Symbol.asyncDispose] === 'function' ? Symbol.asyncDispose : null;
}

function dispose(resource: unknown): unknown {
  const how = disposerOf(resource);
  return how === null ? undefined : (resource as Record<symbol, () => unknown>)[how]?.();
}
