import type { Cookie, RcuStats } from '@core/rcu';

import { ReferenceRcu } from '../reference/reference-rcu.js';
import { ReferenceSrcu } from '../reference/reference-srcu.js';

/** Every so many times a fault happens that does not happen always. */
const PERIOD = 16;

/** Busted: never ends a grace period. */
export class EndlessRcu extends ReferenceRcu {
  override readonly name: string = 'busted-endless';

  protected override startGracePeriod(): void {}
}

/** Busted: runs a callback at once, on the caller's stack, when no grace period is running. */
export class EagerCallRcu extends ReferenceRcu {
  override readonly name: string = 'busted-eager-call';

  override call(callback: () => void): void {
    if (this.running) {
      super.call(callback);
    } else {
      callback();
    }
  }
}

/** Busted: now and then forgets a callback. */
export class ForgetfulCallRcu extends ReferenceRcu {
  override readonly name: string = 'busted-forgetful-call';
  #calls = 0;

  override call(callback: () => void): void {
    if (++this.#calls % PERIOD !== 0) {
      super.call(callback);
    }
  }
}

/** Busted: now and then runs a callback twice. */
export class RepeatedCallRcu extends ReferenceRcu {
  override readonly name: string = 'busted-repeated-call';
  #calls = 0;

  override call(callback: () => void): void {
    super.call(callback);
    if (++this.#calls % PERIOD === 0) {
      super.call(callback);
    }
  }
}

/** Busted: `barrier` waits for nothing. */
export class HastyBarrierRcu extends ReferenceRcu {
  override readonly name: string = 'busted-hasty-barrier';

  override barrier(): Promise<void> {
    return Promise.resolve();
  }
}

/** Busted: `getState` starts a grace period. */
export class StartingGetStateRcu extends ReferenceRcu {
  override readonly name: string = 'busted-starting-get-state';
  #starting = false;

  override getState(): Cookie {
    if (this.#starting) {
      return super.getState();
    }
    this.#starting = true;
    const cookie = this.startPoll();
    this.#starting = false;
    return cookie;
  }
}

/** Busted: forgets that a cookie is over when it was long ago, as counters that wrap do. */
export class FlickeringPollRcu extends ReferenceRcu {
  override readonly name: string = 'busted-flickering-poll';

  override poll(cookie: Cookie): boolean {
    return super.poll(cookie) && this.sequence - this.sequenceOf(cookie) < 4 * PERIOD;
  }
}

/** Busted: `pollFirst` finds the last. */
export class PollLastRcu extends ReferenceRcu {
  override readonly name: string = 'busted-poll-last';

  override pollFirst(cookies: ArrayLike<Cookie>): number {
    return Array.prototype.findLastIndex.call(cookies, (cookie: Cookie) => this.poll(cookie));
  }
}

/** Busted: no cookie equals any. */
export class UnequalRcu extends ReferenceRcu {
  override readonly name: string = 'busted-unequal';

  override equal(): boolean {
    return false;
  }
}

/** Busted: promises two live cookies and hands out up to four. */
export class ManyCookiesRcu extends ReferenceRcu {
  override readonly name: string = 'busted-many-cookies';
  #cookies = 0;

  override getState(): Cookie {
    return this.cookieOf(this.sequenceOf(super.getState()) + 4 * (this.#cookies++ % 3));
  }
}

/** Busted: now and then `getState` names a later grace period than the next. */
export class LateCookieRcu extends ReferenceRcu {
  override readonly name: string = 'busted-late-cookie';
  override readonly maxLiveCookies: number = 3;
  #cookies = 0;

  override getState(): Cookie {
    return this.cookieOf(this.sequenceOf(super.getState()) + (++this.#cookies % PERIOD === 0 ? 4 : 0));
  }
}

/** Busted: now and then `synchronize` rejects. */
export class RejectingRcu extends ReferenceRcu {
  override readonly name: string = 'busted-rejecting';
  #waits = 0;

  override async synchronize(): Promise<void> {
    if (++this.#waits % PERIOD === 0) {
      throw new Error('busted');
    }
    await super.synchronize();
  }
}

/** Busted: does not count its grace periods, so that nobody can tell whether there were any. */
export class UncountedRcu extends ReferenceRcu {
  override readonly name: string = 'busted-uncounted';

  override stats(): RcuStats {
    return { ...super.stats(), gracePeriods: 0 };
  }
}

/** Busted: does not report a reader that stays. */
export class SilentSrcu extends ReferenceSrcu {
  override readonly name: string = 'busted-silent';

  protected override watchForStall(): void {}
}
