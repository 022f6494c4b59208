import { type Clock, type Scheduler, assert } from '@core/base';
import type { AdvanceObserver, Cookie } from '../flavor.js';
import { CallbackQueue } from './callback-queue.js';
import { ended, snap, started } from './sequence.js';

/** What a flavour knows and the machine does not: who is reading. */
export interface Readers {
  /** A grace period starts: remember the readers there are. */
  gracePeriodStarted(): void;
  /** It will not end on the spot: arm a turn, now if none of the readers remembered is left, else when the last ends. */
  waitForReaders(): void;
  /** Whether all of the readers remembered have ended. */
  quiescent(): boolean;
  /** The grace period is over. */
  gracePeriodEnded(): void;
}

export interface MachineOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly budgetMs: number;
  /** Must not throw. */
  readonly onError: (error: unknown) => void;
  readonly firstSequence: number;
  readonly readers: Readers;
}

/**
 * Starts grace periods, ends them, and runs the callbacks: the same for every flavour.
 *
 * At most one grace period runs. It ends only in a turn that the machine scheduled after the start, so never on the
 * stack of whoever asked, and never before the turn in which it started is over.
 */
export class GracePeriodMachine {
  readonly callbacks: CallbackQueue;
  /** What `getState` returns: `snap(sequence)`, kept so that asking is one field read. */
  cookie: number;
  private sequence: number;
  /** The highest cookie that somebody wants to see end. */
  private wanted: number;
  private running = false;
  private expedite = false;
  /** Whether a turn is scheduled for which the process does not stay up, and one for which it does. */
  private weakTurn = false;
  private strongTurn = false;
  private startedAt = 0;
  private endedCount = 0;
  private expeditedCount = 0;
  private observers: AdvanceObserver[] = [];
  private spareObservers: AdvanceObserver[] | null = null;
  private readonly clock: Clock;
  private readonly scheduler: Scheduler;
  private readonly readers: Readers;
  private readonly onError: (error: unknown) => void;
  private readonly onWeakTurn = (): void => {
    this.weakTurn = false;
    this.turn();
  };
  private readonly onStrongTurn = (): void => {
    this.strongTurn = false;
    this.turn();
  };

  constructor(options: MachineOptions) {
    this.clock = options.clock;
    this.scheduler = options.scheduler;
    this.readers = options.readers;
    this.onError = options.onError;
    this.callbacks = new CallbackQueue(options);
    this.sequence = options.firstSequence;
    this.wanted = options.firstSequence;
    this.cookie = snap(this.sequence);
  }

  get gracePeriods(): number {
    return this.endedCount;
  }

  get expedited(): number {
    return this.expeditedCount;
  }

  get isRunning(): boolean {
    return this.running;
  }

  /** Whether a turn is scheduled. */
  get isArmed(): boolean {
    return this.weakTurn || this.strongTurn;
  }

  /** How long the running grace period has lasted, in milliseconds. */
  ageMs(): number {
    return this.running ? this.clock.now() - this.startedAt : 0;
  }

  startPoll(): number {
    const { cookie } = this;
    this.want(cookie);
    return cookie;
  }

  isOver(cookie: number): boolean {
    return this.sequence >= cookie;
  }

  call(callback: () => void): void {
    this.callbacks.push(callback);
    this.want(this.cookie);
    if (this.weakTurn) {
      this.arm();
    }
  }

  /** As {@link call}; the turn that ends the running grace period goes on to the one that this callback waits for. */
  callExpedited(callback: () => void): void {
    this.expedite = true;
    this.call(callback);
  }

  /** Ends, now, every grace period that a cookie names. Only for a caller who knows that there is no reader at all. */
  endNow(): void {
    const before = this.endedCount;
    this.wanted = this.cookie;
    this.expedite = false;
    if (this.running) {
      this.end();
    }
    this.endWanted();
    this.expeditedCount += this.endedCount - before;
    if (this.callbacks.ready > 0) {
      this.arm();
    }
  }

  /**
   * Schedules a turn; the process stays up for it while callbacks wait.
   *
   * At most one turn of each kind is scheduled, however often the work changes from weak to strong. Whichever comes
   * first does the work, since any later turn is a turn boundary for the grace period that runs then.
   */
  arm(): void {
    if (this.strongTurn) {
      return;
    }
    if (this.callbacks.count > 0) {
      this.strongTurn = true;
      this.scheduler.nextTurn(this.onStrongTurn, true);
    } else if (!this.weakTurn) {
      this.weakTurn = true;
      this.scheduler.nextTurn(this.onWeakTurn, false);
    }
  }

  observe(observer: AdvanceObserver): void {
    this.observers.push(observer);
  }

  checkInvariants(): void {
    assert(this.cookie === snap(this.sequence), 'The cookie is not that of the sequence');
    assert(this.running === (this.sequence % 4 !== 0), 'The sequence does not say whether a grace period runs');
    assert(this.running || this.wanted <= this.sequence, 'A grace period is wanted and none runs');
    assert(this.strongTurn || this.callbacks.ready === 0, 'Callbacks are ready and no turn is scheduled for them');
    assert(this.running || this.callbacks.count === this.callbacks.ready, 'Callbacks wait and no grace period runs');
    this.callbacks.checkInvariants();
  }

  private want(cookie: number): void {
    if (this.wanted < cookie) {
      this.wanted = cookie;
      if (!this.running) {
        this.start();
        this.readers.waitForReaders();
      }
    }
  }

  private turn(): void {
    if (this.running && this.readers.quiescent()) {
      const before = this.endedCount;
      const { expedite } = this;
      this.end();
      if (expedite) {
        // Nobody's code has run in this turn yet, so `quiescent` sees every reader that a grace period which starts
        // here has to wait for, and may end it here.
        this.expedite = false;
        this.endWanted();
        this.expeditedCount += this.endedCount - before;
      } else if (this.wanted > this.sequence) {
        this.start();
        this.readers.waitForReaders();
      }
    }
    if (this.callbacks.ready > 0) {
      this.callbacks.run();
      if (this.callbacks.ready > 0) {
        this.arm();
      }
    }
  }

  private start(): void {
    this.announceAdvance();
    if (this.running) {
      // An observer has started it.
      return;
    }
    this.sequence = started(this.sequence);
    this.cookie = snap(this.sequence);
    this.running = true;
    this.startedAt = this.clock.now();
    this.callbacks.gracePeriodStarted();
    this.readers.gracePeriodStarted();
  }

  private end(): void {
    this.sequence = ended(this.sequence);
    this.running = false;
    this.endedCount++;
    this.callbacks.gracePeriodEnded();
    this.readers.gracePeriodEnded();
  }

  /** Runs the grace periods asked for, one after the other, up to the first that has a reader to wait for. */
  private endWanted(): void {
    while (this.wanted > this.sequence) {
      this.start();
      if (!this.readers.quiescent()) {
        this.readers.waitForReaders();
        return;
      }
      this.end();
    }
  }

  private announceAdvance(): void {
    const told = this.observers;
    if (told.length === 0) {
      return;
    }
    // Observers may ask to be told again from within: that goes to another array.
    this.observers = this.spareObservers ?? [];
    this.spareObservers = null;
    for (const observer of told) {
      try {
        observer.cookieAdvanced();
      } catch (error) {
        this.onError(error);
      }
    }
    told.length = 0;
    this.spareObservers = told;
  }
}

/** Cookies are numbers inside, and nobody else's business. */
export function toCookie(value: number): Cookie {
  return value as unknown as Cookie;
}

export function fromCookie(cookie: Cookie): number {
  return cookie as unknown as number;
}
