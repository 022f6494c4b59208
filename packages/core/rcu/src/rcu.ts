import {
  type Clock,
  type Scheduler,
  assert,
  checkOptionNames,
  isThenable,
  reportUncaught,
  systemClock,
  systemScheduler,
} from '@core/base';
import type { AdvanceObserver, Cookie, RcuFlavor, RcuStats } from './flavor.js';
import { guarded } from './internal/guarded.js';
import { GracePeriodMachine, type Readers, fromCookie, toCookie } from './internal/grace-period-machine.js';
import { firstOver } from './internal/poll-first.js';
import { checkBudget, checkCallback, checkKinds, checkSequence } from './internal/options.js';
import { RcuError } from './rcu-error.js';

export interface RcuOptions {
  /** For reports. Default `'rcu'`. */
  readonly name?: string;
  /** How long callbacks may run in one turn, in milliseconds; raised under flood. Default 1. */
  readonly budgetMs?: number;
  /** Counts `readLock`/`readUnlock` and reports sections that outlive their turn. Default false: they cost nothing. */
  readonly debug?: boolean;
  /** Where errors of callbacks, and in debug mode of readers, go. Default: an uncaught exception. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  /** Where the grace-period sequence starts; a multiple of 4. For tests. Default 0. */
  readonly firstSequence?: number;
}

const OPTION_NAMES = Object.keys({
  name: true,
  budgetMs: true,
  debug: true,
  onError: true,
  clock: true,
  scheduler: true,
  firstSequence: true,
} satisfies Record<keyof RcuOptions, true>);

/**
 * Grace periods for readers that do not outlive a turn of the event loop: synchronous code and the microtasks of the
 * same macrotask. Reading costs nothing, since nothing else runs in between.
 *
 * A grace period is one `setImmediate`. A microtask would be too early, since a reader that awaits a settled promise
 * resumes in one. A reader that awaits I/O or a timer is not seen: that is what {@link Srcu} is for.
 *
 * Callbacks queued by `call`, `synchronize` and `barrier` keep the process alive until they have run, nothing else
 * does. All operations are O(1).
 *
 * @see Tiny RCU, kernel/rcu/tiny.c
 */
export class Rcu implements RcuFlavor {
  readonly name: string;
  readonly maxLiveCookies = 2;
  private readonly machine: GracePeriodMachine;
  private readonly turns: TurnReaders;

  /**
   * @throws {RangeError} `budgetMs` or `firstSequence` is out of range
   * @throws {TypeError} an option is nothing of its kind, or has a name that is none
   */
  constructor(options: RcuOptions = {}) {
    checkOptionNames(options, OPTION_NAMES, 'an Rcu');
    checkKinds(options, { onError: [], clock: ['now'], scheduler: ['nextTurn'] });
    const scheduler = options.scheduler ?? systemScheduler;
    const onError = guarded(options.onError ?? reportUncaught);
    this.name = options.name ?? 'rcu';
    this.turns = new TurnReaders(options.debug ?? false, onError);
    this.machine = new GracePeriodMachine({
      clock: options.clock ?? systemClock,
      scheduler,
      budgetMs: checkBudget(options.budgetMs),
      onError,
      firstSequence: checkSequence(options.firstSequence),
      readers: this.turns,
    });
    this.turns.machine = this.machine;
  }

  getState(): Cookie {
    return toCookie(this.machine.cookie);
  }

  startPoll(): Cookie {
    return toCookie(this.machine.startPoll());
  }

  poll(cookie: Cookie): boolean {
    return this.machine.isOver(fromCookie(cookie));
  }

  pollFirst(cookies: ArrayLike<Cookie>): number {
    return firstOver(this, cookies);
  }

  equal(a: Cookie, b: Cookie): boolean {
    return a === b;
  }

  /** @throws {TypeError} `callback` is no function */
  call(callback: () => void): void {
    checkCallback(callback);
    this.machine.call(callback);
  }

  synchronize(): Promise<void> {
    return new Promise((resolve) => this.machine.call(resolve));
  }

  /**
   * Resolves after the next turn boundary, also when a grace period is running already, whose rest would not count for
   * {@link synchronize}: at a boundary of the only thread there is no reader left for a second one to wait for.
   */
  synchronizeExpedited(): Promise<void> {
    return new Promise((resolve) => this.machine.callExpedited(resolve));
  }

  barrier(): Promise<void> {
    const { callbacks } = this.machine;
    return callbacks.count === 0 ? Promise.resolve() : new Promise((resolve) => callbacks.entrain(resolve));
  }

  notifyAdvance(observer: AdvanceObserver): void {
    this.machine.observe(observer);
  }

  /** Marks the start of a section. Does nothing, unless in debug mode. */
  readLock(): void {
    if (this.turns.debug) {
      this.turns.enter();
    }
  }

  /** Marks the end of a section. Does nothing, unless in debug mode. */
  readUnlock(): void {
    if (this.turns.debug) {
      this.turns.leave();
    }
  }

  /**
   * Runs a synchronous section.
   *
   * @throws {RcuError} `ERR_RCU_READER_AWAITS` when the section returns a promise: use {@link Srcu}
   */
  read<T>(section: () => T): T {
    this.readLock();
    try {
      const result = section();
      if (isThenable(result)) {
        throw new RcuError(
          'ERR_RCU_READER_AWAITS',
          `Cannot read under "${this.name}": the section returned a promise, and this grace period does not wait for it; use Srcu`,
        );
      }
      return result;
    } finally {
      this.readUnlock();
    }
  }

  stats(): RcuStats {
    const { machine } = this;
    return {
      name: this.name,
      gracePeriods: machine.gracePeriods,
      expedited: machine.expedited,
      callbacksWaiting: machine.callbacks.count,
      callbacksRun: machine.callbacks.callbacksRun,
      callbackErrors: machine.callbacks.callbackErrors,
      oldestAgeMs: machine.ageMs(),
      readers: this.turns.depth,
      stalls: this.turns.overstayed,
      leaks: 0,
    };
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    const { machine } = this;
    machine.checkInvariants();
    assert(!machine.isRunning || machine.isArmed, 'A grace period runs and no turn will end it');
  }
}

/** Readers that end with their turn: by the time anybody asks, in another turn, they have. */
class TurnReaders implements Readers {
  machine!: GracePeriodMachine;
  depth = 0;
  overstayed = 0;
  /** Sections reported as overstaying whose end may still come. */
  private overdue = 0;
  readonly debug: boolean;
  private readonly onError: (error: unknown) => void;

  constructor(debug: boolean, onError: (error: unknown) => void) {
    this.debug = debug;
    this.onError = onError;
  }

  enter(): void {
    this.depth++;
    // So that a boundary comes even if nobody wants a grace period, and an open section is noticed.
    this.machine.startPoll();
  }

  leave(): void {
    if (this.depth > 0) {
      this.depth--;
    } else if (this.overdue > 0) {
      this.overdue--;
    } else {
      throw new RcuError('ERR_RCU_UNBALANCED', 'Cannot unlock: no section is open');
    }
  }

  gracePeriodStarted(): void {}

  waitForReaders(): void {
    this.machine.arm();
  }

  quiescent(): boolean {
    if (this.depth > 0) {
      this.overstayed++;
      this.overdue += this.depth;
      this.depth = 0;
      this.onError(
        new RcuError(
          'ERR_RCU_READER_AWAITS',
          'Cannot keep a classic section across turns: it was still open when its turn ended; use Srcu to await inside',
        ),
      );
    }
    return true;
  }

  gracePeriodEnded(): void {}
}
