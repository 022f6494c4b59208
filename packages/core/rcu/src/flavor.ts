/**
 * Names one grace period. Opaque: what it is made of is the flavour's business, so cookies are compared with
 * {@link RcuFlavor.equal} and asked about with {@link RcuFlavor.poll}, never with `===` or `<`.
 */
export interface Cookie {
  readonly [cookieBrand]: 'cookie';
}
declare const cookieBrand: unique symbol;

/** What a grace-period domain can tell about itself. */
export interface RcuStats {
  readonly name: string;
  /** Grace periods that have ended. */
  readonly gracePeriods: number;
  /** Of these, how many were expedited. */
  readonly expedited: number;
  /** Callbacks queued by `call`, `synchronize` and `barrier` that have not run yet. */
  readonly callbacksWaiting: number;
  /** Callbacks that have run. */
  readonly callbacksRun: number;
  /** Callbacks that threw, or whose promise was rejected. */
  readonly callbackErrors: number;
  /** How long the running grace period has lasted, in milliseconds; 0 when none runs. */
  readonly oldestAgeMs: number;
  /** Readers inside a section now. A flavour whose readers are turns has none to count and says 0. */
  readonly readers: number;
  /** Times that a reader was reported to have stayed longer than `stallMs`. */
  readonly stalls: number;
  /** Guards that were garbage-collected while they still held their section. */
  readonly leaks: number;
}

/**
 * Told when the cookie that {@link RcuFlavor.getState} returns is about to change.
 *
 * @see RcuFlavor.notifyAdvance
 */
export interface AdvanceObserver {
  cookieAdvanced(): void;
}

/**
 * One kind of grace period. `Rcu` and `Srcu` implement it, and so can anybody else; `@testing/sim` holds the torture
 * that such a flavour should survive.
 *
 * A grace period is over when every reader that began before it has ended. A cookie names one.
 */
export interface RcuFlavor {
  readonly name: string;
  /** How many cookies that are not over can exist at one instant. */
  readonly maxLiveCookies: number;
  /** Names the next full grace period; starts none. */
  getState(): Cookie;
  /** As {@link getState}, and makes sure that the grace period will run. */
  startPoll(): Cookie;
  /** Whether the grace period is over. O(1), never blocks. */
  poll(cookie: Cookie): boolean;
  /** The index of the first cookie that is over, or -1. */
  pollFirst(cookies: ArrayLike<Cookie>): number;
  /** Whether both name the same grace period. */
  equal(a: Cookie, b: Cookie): boolean;
  /**
   * Runs `callback` after a grace period, never on the caller's stack, and in whatever async context there is. A
   * promise that it returns is not waited for; when it is rejected, that goes where errors of callbacks go.
   */
  call(callback: () => void): void;
  /** Resolves after a grace period. */
  synchronize(): Promise<void>;
  /** As {@link synchronize}, sooner, at somebody else's cost. */
  synchronizeExpedited(): Promise<void>;
  /** Resolves when every callback queued before has run. */
  barrier(): Promise<void>;
  stats(): RcuStats;
  /**
   * Tells `observer` once, synchronously, before `getState()` starts to return another cookie.
   *
   * Optional: it spares `RcuPending` one `getState` for each object. A flavour without it is used as well, a little
   * slower.
   */
  notifyAdvance?(observer: AdvanceObserver): void;
}
