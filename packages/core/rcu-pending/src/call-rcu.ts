import { checkOptionNames } from '@core/base';
import type { NodePool } from '@core/genradix';
import type { RcuFlavor } from '@core/rcu';
import { PendingError } from './pending-error.js';
import { RcuPending } from './rcu-pending.js';
import type { RcuHead, RcuPendingStats } from './types.js';

/** An object that carries its own callback. Initialise both fields to null. */
export interface CallRcuHead extends RcuHead {
  rcuCallback: ((head: never) => unknown) | null;
}

export interface CallRcuOptions {
  readonly rcu: RcuFlavor;
  readonly nodes?: NodePool;
  /** Where errors of callbacks go. Default: an uncaught exception. */
  readonly onError?: (error: unknown, head: CallRcuHead) => void;
  readonly budgetMs?: number;
}

const OPTION_NAMES = Object.keys({
  rcu: true,
  nodes: true,
  onError: true,
  budgetMs: true,
} satisfies Record<keyof CallRcuOptions, true>);

/**
 * Runs callbacks that objects carry, each after a grace period: no closure for each object, and one grace period for
 * many.
 *
 * @see call_rcu() in kernel/rcu/tree.c
 */
export class CallRcu implements AsyncDisposable {
  private readonly pending: RcuPending<CallRcuHead>;

  /**
   * @throws {TypeError} `rcu` is missing, or an option is nothing of its kind or has a name that is none
   * @throws {RangeError} `budgetMs` is out of range
   */
  constructor(options: CallRcuOptions) {
    checkOptionNames(options, OPTION_NAMES, 'a CallRcu');
    this.pending = new RcuPending<CallRcuHead>({ ...options, process: invoke });
  }

  get count(): number {
    return this.pending.count;
  }

  /**
   * Calls `callback(head)` after a grace period. `head` must not be passed again before that.
   *
   * @throws {PendingError} `ERR_PENDING_CLOSED`, `ERR_PENDING_TWICE`; the callback that `head` has stays as it is
   * @throws {TypeError} `head` is no object, or `callback` is no function
   */
  call<H extends CallRcuHead>(head: H, callback: (head: H) => unknown): void {
    if (typeof callback !== 'function') {
      throw new TypeError(`Cannot call ${String(callback)} after a grace period: it must be a function`);
    }
    if (typeof head !== 'object' || head === null) {
      throw new TypeError(`Cannot call back ${String(head)}: the head must be an object`);
    }
    if ((head.rcuCallback ?? null) !== null) {
      throw new PendingError('ERR_PENDING_TWICE', 'Cannot call back: the head waits for another callback already');
    }
    head.rcuCallback = callback;
    try {
      this.pending.enqueue(head);
    } catch (error) {
      head.rcuCallback = null;
      throw error;
    }
  }

  /** Resolves when every callback passed before has run. */
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
}

function invoke(head: CallRcuHead): unknown {
  const callback = head.rcuCallback as (head: CallRcuHead) => unknown;
  head.rcuCallback = null;
  return callback(head);
}
