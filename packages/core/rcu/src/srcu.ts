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
import { type Blocked, watchExit, unwatchExit } from './internal/before-exit.js';
import { guarded } from './internal/guarded.js';
import { GracePeriodMachine, type Readers, fromCookie, toCookie } from './internal/grace-period-machine.js';
import { Hold, HoldList } from './internal/holds.js';
import { checkBudget, checkCallback, checkKinds, checkSequence, checkStall } from './internal/options.js';
import { firstOver } from './internal/poll-first.js';
import { DebugIndex, Epoch } from './internal/srcu-index.js';
import { StallWatch } from './internal/stall-watch.js';
import { RcuError } from './rcu-error.js';
import { type SrcuReport, warnOf } from './srcu-report.js';
import { SrcuGuard, watchForLeak } from './srcu-guard.js';

/** What `readLock` returns and `readUnlock` takes. Opaque. */
export interface SrcuIndex {
  /** @internal */
  readonly domain: object;
}

export interface SrcuOptions {
  /** For reports. Default `'srcu'`. */
  readonly name?: string;
  /**
   * Readers open for longer than this, in milliseconds, are reported once per such period: the 16 oldest, and how many
   * more. The period is that of the oldest, so a later one may be twice as old when it is first reported. A raw
   * `readLock` has no age without debug mode: it is reported when a grace period has waited for it for so long, and never
   * when nobody wants one. Default 21,000; Infinity reports none.
   */
  readonly stallMs?: number;
  /** Remembers each reader and the stack that opened it: exact faults and reports, much slower. Default false. */
  readonly debug?: boolean;
  /** How long callbacks may run in one turn, in milliseconds; raised under flood. Default 1. */
  readonly budgetMs?: number;
  /** Told of readers that stay too long, leak, or are abandoned at exit. Default: `process.emitWarning`. */
  readonly onReport?: (report: SrcuReport) => void;
  /** Where errors of callbacks go. Default: an uncaught exception. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  /** Where the grace-period sequence starts; a multiple of 4. For tests. Default 0. */
  readonly firstSequence?: number;
}

/** The most labelled readers that are reported in one period. */
const MAX_REPORTS = 16;
/** Raw pairs without debug mode are a number, so they have one name and one report. */
const RAW = 'a raw read lock';

const OPTION_NAMES = Object.keys({
  name: true,
  stallMs: true,
  debug: true,
  budgetMs: true,
  onReport: true,
  onError: true,
  clock: true,
  scheduler: true,
  firstSequence: true,
} satisfies Record<keyof SrcuOptions, true>);

/**
 * Grace periods for readers that may await: each holds a guard, and a grace period waits for the guards that were
 * there when it began, and for no later ones.
 *
 * Two counters: a grace period flips which of them new readers count in, then waits for the other to drain. One flip
 * is enough because one thread cannot be interrupted between reading the index and counting.
 *
 * A grace period that waits for a reader keeps nothing alive. If the process runs out of work with callbacks waiting,
 * the readers that are still open can never resume: they are reported, given up, and the callbacks run.
 *
 * Do not wait for a grace period of a domain inside a section of the same domain: it waits for you.
 *
 * @see kernel/rcu/srcutiny.c
 */
export class Srcu implements RcuFlavor, AsyncDisposable {
  readonly name: string;
  readonly maxLiveCookies = 2;
  /** Where new readers count; null sends them the slow way: debug mode, or closed. */
  private open: Epoch | null;
  private current: Epoch;
  private draining: Epoch;
  private readonly machine: GracePeriodMachine;
  private readonly holds = new HoldList();
  private readonly stallWatch: StallWatch;
  private readonly clock: Clock;
  private readonly debug: boolean;
  private readonly onReport: (report: SrcuReport) => void;
  private readonly blocked: Blocked;
  private exitWatched = false;
  private closed = false;
  private closing: Promise<void> | null = null;
  private leaks = 0;

  /**
   * @throws {RangeError} `stallMs`, `budgetMs` or `firstSequence` is out of range
   * @throws {TypeError} an option is nothing of its kind, or has a name that is none
   */
  constructor(options: SrcuOptions = {}) {
    checkOptionNames(options, OPTION_NAMES, 'an Srcu');
    checkKinds(options, { onError: [], onReport: [], clock: ['now'], scheduler: ['nextTurn', 'after'] });
    const scheduler = options.scheduler ?? systemScheduler;
    this.name = options.name ?? 'srcu';
    this.debug = options.debug ?? false;
    this.clock = options.clock ?? systemClock;
    this.onReport = guarded(options.onReport ?? warnOf);
    this.current = new Epoch(this);
    this.draining = new Epoch(this);
    this.open = this.debug ? null : this.current;
    this.stallWatch = new StallWatch(checkStall(options.stallMs), scheduler, () => this.reportStall());
    this.machine = new GracePeriodMachine({
      clock: this.clock,
      scheduler,
      budgetMs: checkBudget(options.budgetMs),
      onError: guarded(options.onError ?? reportUncaught),
      firstSequence: checkSequence(options.firstSequence),
      readers: this.readersPort(),
    });
    this.blocked = { isBlocked: () => this.isBlocked(), abandonReaders: () => this.abandonReaders() };
  }

  /**
   * Opens a section: nothing retired from now on is freed before its `readUnlock`. No allocation, O(1); may nest.
   *
   * @throws {RcuError} `ERR_SRCU_CLOSED`
   */
  readLock(): SrcuIndex {
    const epoch = this.open;
    if (epoch === null) {
      return this.readLockSlow('read lock', this.readLock);
    }
    epoch.readers++;
    return epoch;
  }

  /**
   * Closes the section that `index` opened; runs nothing. Without debug mode, an index unlocked twice is noticed only
   * when its counter is at 0.
   *
   * @throws {RcuError} `ERR_SRCU_UNBALANCED`, `ERR_SRCU_FOREIGN_INDEX`; the domain is as it was
   */
  readUnlock(index: SrcuIndex): void {
    // A debug index has no `readers`, so it goes the slow way like everything that is no epoch of this domain.
    const epoch = index as Epoch;
    if (epoch?.domain === this && epoch.readers > 0) {
      epoch.readers--;
      if (epoch.readers === 0 && epoch === this.draining) {
        this.machine.arm();
      }
    } else {
      this.readUnlockSlow(index);
    }
  }

  /**
   * Opens a section that ends with `release()`, or with `using`. A guard that is garbage-collected before is reported
   * as a leak and released.
   *
   * @param label names the reader in reports
   * @throws {RcuError} `ERR_SRCU_CLOSED`
   */
  guard(label = 'guard'): SrcuGuard {
    const index = this.open === null ? this.readLockSlow(label, this.guard) : this.readLock();
    const hold = this.holdOf(index, label);
    const guard = new SrcuGuard(hold, index, this);
    watchForLeak(guard, hold, index, this);
    return guard;
  }

  /**
   * Runs `section` inside a section that ends when it returns, or when the promise that it returns settles. What is
   * synchronous stays so.
   *
   * @param label names the reader in reports
   * @throws {RcuError} `ERR_SRCU_CLOSED`
   */
  read<T>(section: () => Promise<T>, label?: string): Promise<T>;
  read<T>(section: () => PromiseLike<T>, label?: string): Promise<T>;
  read<T>(section: () => T, label?: string): T;
  read<T>(section: () => T | PromiseLike<T>, label?: string): T | Promise<T>;
  read<T>(section: () => T | PromiseLike<T>, label = section.name || 'read'): T | Promise<T> {
    const index = this.open === null ? this.readLockSlow(label, this.read) : this.readLock();
    let result: T | PromiseLike<T>;
    let async: boolean;
    try {
      result = section();
      async = isThenable(result);
    } catch (error) {
      this.readUnlock(index);
      throw error;
    }
    if (!async) {
      this.readUnlock(index);
      return result as T;
    }
    return this.unlockAfter(result, index, label);
  }

  getState(): Cookie {
    return toCookie(this.machine.cookie);
  }

  /** @throws {RcuError} `ERR_SRCU_CLOSED` */
  startPoll(): Cookie {
    this.assertOpen('start a grace period');
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

  /**
   * @throws {RcuError} `ERR_SRCU_CLOSED`
   * @throws {TypeError} `callback` is no function
   */
  call(callback: () => void): void {
    this.assertOpen('queue a callback');
    checkCallback(callback);
    this.enqueue(callback);
  }

  /** Rejects with `ERR_SRCU_CLOSED` when closed. */
  async synchronize(): Promise<void> {
    this.assertOpen('wait for a grace period');
    await this.gracePeriod();
  }

  /**
   * As {@link synchronize}; with no reader open the grace period is over when this returns, before any await.
   */
  async synchronizeExpedited(): Promise<void> {
    this.assertOpen('wait for a grace period');
    if (this.current.readers + this.draining.readers === 0) {
      this.machine.endNow();
    } else {
      await new Promise<void>((resolve) => {
        this.machine.callExpedited(resolve);
        this.watchExitIfBlocked();
      });
    }
  }

  async barrier(): Promise<void> {
    const { callbacks } = this.machine;
    if (callbacks.count > 0) {
      await new Promise<void>((resolve) => callbacks.entrain(resolve));
    }
  }

  notifyAdvance(observer: AdvanceObserver): void {
    this.machine.observe(observer);
  }

  /** What the longest open labelled reader says of itself, or null; raw pairs have labels only in debug mode. */
  oldestReader(): OpenReader | null {
    const hold = this.holds.oldest;
    return hold === null ? null : { label: hold.label, ageMs: this.clock.now() - hold.openedAtMs, stack: hold.stack };
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
      readers: this.current.readers + this.draining.readers,
      stalls: this.stallWatch.stalls,
      leaks: this.leaks,
    };
  }

  /**
   * Refuses new readers and callbacks at once, and waits for those there are; then every cookie taken before is over.
   * What only asks (`getState`, `poll`, `equal`, `barrier`, `stats`) goes on answering. Idempotent.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.closing ??= this.close();
    return this.closing;
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    const { machine, current, draining, open } = this;
    machine.checkInvariants();
    this.holds.checkInvariants();
    assert(machine.isRunning || draining.readers === 0, 'Readers are waited for and no grace period runs');
    assert(
      !machine.isRunning || draining.readers > 0 || machine.isArmed,
      'A grace period is due and no turn will end it',
    );
    for (const epoch of [current, draining]) {
      assert(epoch.labelled >= 0 && epoch.labelled <= epoch.readers, 'More readers have labels than there are');
    }
    assert(open === (this.debug || this.closed ? null : current), 'New readers do not count where they should');
  }

  private async close(): Promise<void> {
    this.open = null;
    this.closed = true;
    while (this.machine.callbacks.count > 0 || this.current.readers + this.draining.readers > 0) {
      await this.gracePeriod();
    }
    // No reader can come any more, so whoever still asks about a cookie hears that it is over.
    this.machine.endNow();
    this.stallWatch.stop();
  }

  private gracePeriod(): Promise<void> {
    return new Promise((resolve) => this.enqueue(resolve));
  }

  private enqueue(callback: () => void): void {
    this.machine.call(callback);
    if (this.draining.readers > 0) {
      this.watchExitIfBlocked();
    }
  }

  /** So that callbacks which wait for a reader that nothing will resume are not lost at exit. */
  private watchExitIfBlocked(): void {
    if (!this.exitWatched && this.isBlocked()) {
      this.exitWatched = true;
      watchExit(this.blocked);
    }
  }

  private readersPort(): Readers {
    return {
      gracePeriodStarted: () => this.flip(),
      waitForReaders: () => this.waitForReaders(),
      quiescent: () => this.draining.readers === 0,
      gracePeriodEnded: () => this.gracePeriodEnded(),
    };
  }

  private flip(): void {
    // The other epoch has no readers: the last grace period waited for them. So it can count new ones.
    const epoch = this.current;
    this.current = this.draining;
    this.draining = epoch;
    if (this.open !== null) {
      this.open = this.current;
    }
  }

  private waitForReaders(): void {
    if (this.draining.readers === 0) {
      this.machine.arm();
    } else {
      this.stallWatch.watch();
      this.watchExitIfBlocked();
    }
  }

  private gracePeriodEnded(): void {
    if (this.exitWatched) {
      this.exitWatched = false;
      unwatchExit(this.blocked);
    }
  }

  /** @param method the public method that was called, where the remembered stack begins */
  private readLockSlow(label: string, method: AnyMethod): SrcuIndex {
    this.assertOpen('lock');
    const epoch = this.current;
    epoch.readers++;
    return new DebugIndex(this, epoch, this.hold(label, stackAbove(method), epoch));
  }

  private readUnlockSlow(index: SrcuIndex): void {
    if (index instanceof DebugIndex && index.domain === this) {
      if (index.hold.released) {
        throw this.unbalanced();
      }
      this.holds.remove(index.hold);
      index.epoch.labelled--;
      this.leave(index.epoch);
    } else if (index instanceof Epoch && index.domain === this) {
      this.leave(index);
    } else {
      throw new RcuError(
        'ERR_SRCU_FOREIGN_INDEX',
        `Cannot unlock "${this.name}": the index is not one that its readLock() returned`,
      );
    }
  }

  private leave(epoch: Epoch): void {
    if (epoch.readers > 0) {
      epoch.readers--;
      if (epoch.readers === 0 && epoch === this.draining) {
        this.machine.arm();
      }
    } else {
      throw this.unbalanced();
    }
  }

  private unbalanced(): RcuError {
    return new RcuError('ERR_SRCU_UNBALANCED', `Cannot unlock "${this.name}": this index was unlocked already`);
  }

  private hold(label: string, stack: string | null, epoch: Epoch): Hold {
    epoch.labelled++;
    const hold = new Hold(label, this.clock.now(), stack);
    this.holds.add(hold);
    this.stallWatch.watch();
    return hold;
  }

  /** In debug mode an index has its own already. */
  private holdOf(index: SrcuIndex, label: string): Hold {
    return index instanceof DebugIndex ? index.hold : this.hold(label, null, index as Epoch);
  }

  private unlockHold(hold: Hold, index: SrcuIndex): void {
    if (!(index instanceof DebugIndex)) {
      this.holds.remove(hold);
      (index as Epoch).labelled--;
    }
    this.readUnlock(index);
  }

  private async unlockAfter<T>(result: T | PromiseLike<T>, index: SrcuIndex, label: string): Promise<T> {
    const hold = this.holdOf(index, label);
    try {
      return await result;
    } finally {
      this.unlockHold(hold, index);
    }
  }

  /** @internal Ends the section of a guard. */
  releaseGuard(hold: Hold, index: SrcuIndex, leaked: boolean): void {
    this.unlockHold(hold, index);
    if (leaked) {
      this.leaks++;
      this.report('leak', { label: hold.label, ageMs: this.clock.now() - hold.openedAtMs, stack: hold.stack }, 0);
    }
  }

  /** @returns for how long the oldest reader known has been open, or null when there is nothing to watch */
  private reportStall(): number | null {
    const { stallWatch, draining } = this;
    const { stallMs } = stallWatch;
    const nowMs = this.clock.now();
    // Nobody new counts in the epoch that drains, so what is left there has been open since before.
    const rawAgeMs = draining.readers > draining.labelled ? this.machine.ageMs() : null;
    const oldestAgeMs = this.holds.oldest === null ? null : nowMs - this.holds.oldest.openedAtMs;
    // Found before any is reported: who is told may end readers.
    const { holds, more } = this.holds.overdue(nowMs, stallMs, MAX_REPORTS);
    const last = holds.at(-1);
    for (const hold of holds) {
      stallWatch.stalls++;
      const reader = { label: hold.label, ageMs: nowMs - hold.openedAtMs, stack: hold.stack };
      this.report('stall', reader, hold === last ? more : 0);
    }
    if (rawAgeMs !== null && rawAgeMs >= stallMs) {
      stallWatch.stalls++;
      this.report('stall', { label: RAW, ageMs: rawAgeMs, stack: null }, 0);
    }
    return oldestAgeMs === null ? rawAgeMs : Math.max(oldestAgeMs, rawAgeMs ?? 0);
  }

  private report(kind: SrcuReport['kind'], reader: OpenReader, more: number): void {
    this.onReport({
      kind,
      domain: this.name,
      label: reader.label,
      ageMs: reader.ageMs,
      more,
      readers: this.current.readers + this.draining.readers,
      callbacksWaiting: this.machine.callbacks.count,
      stack: reader.stack,
    });
  }

  private isBlocked(): boolean {
    return this.draining.readers > 0 && this.machine.callbacks.count > 0;
  }

  private abandonReaders(): void {
    const { label, stack } = this.holds.oldest ?? { label: RAW, stack: null };
    this.report('abandoned', { label, ageMs: this.machine.ageMs(), stack }, 0);
    this.holds.abandonAll();
    // New counters, so that the late unlock of a reader that was given up cannot end the section of a later one.
    this.current = new Epoch(this);
    this.draining = new Epoch(this);
    if (this.open !== null) {
      this.open = this.current;
    }
    this.machine.arm();
  }

  private assertOpen(action: string): void {
    if (this.closed) {
      throw new RcuError('ERR_SRCU_CLOSED', `Cannot ${action}: "${this.name}" is closed; open a new domain`);
    }
  }
}

/** What is known of an open reader. */
interface OpenReader {
  readonly label: string;
  readonly ageMs: number;
  readonly stack: string | null;
}

type AnyMethod = (...args: never[]) => unknown;

function stackAbove(method: AnyMethod): string | null {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, method);
  return holder.stack ?? null;
}
