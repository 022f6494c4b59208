import type { Scheduler, SeededRng } from '@core/base';
import type { AdvanceObserver, Cookie, RcuFlavor, RcuStats } from '@core/rcu';

export interface EpochFlavorOptions {
  readonly scheduler: Scheduler;
  /** What cookies are made of: numbers from 0 on, or a new object for each that is asked for. */
  readonly cookies?: 'number' | 'object';
  /** Whether observers can be told. */
  readonly notifies?: boolean;
  /** How many cookies can be alive at once. */
  readonly maxLiveCookies?: number;
  /** The share of callbacks that `call` runs on the spot, before any grace period. */
  readonly callsAtOnce?: number;
  /** Answers late, and not in order: up to so many steps. */
  readonly lateBy?: number;
  readonly rng?: SeededRng;
}

interface GracePeriod {
  readonly readers: ReadonlySet<symbol>;
  readonly reportedFrom: number;
}

interface Queued {
  readonly epoch: number;
  readonly callback: () => void;
}

/**
 * A grace-period domain with explicit readers that does what no flavour of ours does, but one may: cookies that are
 * objects, any number of them alive, out of order, and callbacks on the stack of the caller.
 *
 * A cookie is an epoch. Its grace period begins when the epoch ends, and waits for the readers there are then.
 */
export class EpochFlavor implements RcuFlavor {
  readonly name = 'epoch';
  readonly maxLiveCookies: number;
  readonly notifyAdvance?: (observer: AdvanceObserver) => void;
  /** Called before a callback is run on the spot. */
  beforeSyncCall: (() => void) | null = null;
  epoch = 0;
  calls = 0;
  polls = 0;
  private readonly options: EpochFlavorOptions;
  private readonly open = new Set<symbol>();
  /** Grace periods that run, by the epoch that their cookie names. */
  private readonly running = new Map<number, GracePeriod>();
  private readonly queue: Queued[] = [];
  private observers: AdvanceObserver[] = [];
  private wanted = -1;
  private steps = 0;
  private scheduled = false;

  constructor(options: EpochFlavorOptions) {
    this.options = options;
    this.maxLiveCookies = options.maxLiveCookies ?? 2;
    if (options.notifies ?? true) {
      this.notifyAdvance = (observer) => {
        this.observers.push(observer);
      };
    }
  }

  openReader(): symbol {
    const reader = Symbol('reader');
    this.open.add(reader);
    return reader;
  }

  closeReader(reader: symbol): void {
    this.open.delete(reader);
  }

  /** Ends the epoch, as if somebody else had asked for a grace period. @returns whether there was room for one more */
  advance(): boolean {
    this.settle();
    if (this.running.size >= this.maxLiveCookies - 1) {
      return false;
    }
    const told = this.observers;
    this.observers = [];
    for (const observer of told) {
      observer.cookieAdvanced();
    }
    const { lateBy = 0, rng } = this.options;
    const late = lateBy > 0 && rng !== undefined ? rng.below(lateBy) : 0;
    this.running.set(this.epoch, { readers: new Set(this.open), reportedFrom: this.steps + late });
    this.epoch++;
    return true;
  }

  getState(): Cookie {
    return (this.options.cookies === 'object' ? { epoch: this.epoch } : this.epoch) as unknown as Cookie;
  }

  startPoll(): Cookie {
    const cookie = this.getState();
    this.want();
    return cookie;
  }

  poll(cookie: Cookie): boolean {
    this.polls++;
    return this.isOver(epochOf(cookie));
  }

  pollFirst(cookies: ArrayLike<Cookie>): number {
    return Array.from(cookies).findIndex((cookie) => this.poll(cookie));
  }

  equal(a: Cookie, b: Cookie): boolean {
    return epochOf(a) === epochOf(b);
  }

  call(callback: () => void): void {
    this.calls++;
    this.want();
    const { callsAtOnce = 0, rng } = this.options;
    if (callsAtOnce > 0 && (rng === undefined || rng.next() < callsAtOnce)) {
      this.beforeSyncCall?.();
      callback();
    } else {
      this.queue.push({ epoch: this.epoch, callback });
    }
  }

  synchronize(): Promise<void> {
    return new Promise((resolve) => {
      this.queue.push({ epoch: this.epoch, callback: resolve });
      this.want();
    });
  }

  synchronizeExpedited(): Promise<void> {
    const done = this.synchronize();
    this.advance();
    return done;
  }

  barrier(): Promise<void> {
    if (this.queue.length === 0) {
      return Promise.resolve();
    }
    const epoch = Math.max(...this.queue.map((queued) => queued.epoch));
    return new Promise((resolve) => this.queue.push({ epoch, callback: resolve }));
  }

  stats(): RcuStats {
    throw new Error('Nobody asks a flavour for its numbers here');
  }

  private want(): void {
    this.wanted = this.epoch;
    this.schedule();
  }

  private schedule(): void {
    if (!this.scheduled) {
      this.scheduled = true;
      this.options.scheduler.nextTurn(() => this.step(), true);
    }
  }

  private step(): void {
    this.scheduled = false;
    this.steps++;
    if (this.wanted >= this.epoch) {
      this.advance();
    }
    for (const queued of this.queue.splice(0)) {
      if (this.isOver(queued.epoch)) {
        queued.callback();
      } else {
        this.queue.push(queued);
      }
    }
    if (this.queue.length > 0 || this.wanted >= this.epoch) {
      this.schedule();
    }
  }

  private isOver(epoch: number): boolean {
    if (epoch >= this.epoch) {
      return false;
    }
    this.settle();
    return !this.running.has(epoch);
  }

  private settle(): void {
    for (const [epoch, { readers, reportedFrom }] of this.running) {
      if (this.steps >= reportedFrom && ![...readers].some((reader) => this.open.has(reader))) {
        this.running.delete(epoch);
      }
    }
  }
}

function epochOf(cookie: Cookie): number {
  return typeof cookie === 'object' ? (cookie as unknown as { epoch: number }).epoch : (cookie as unknown as number);
}
