import type { Rng } from '@core/base';
import type { Cookie, RcuFlavor } from '@core/rcu';

import type { TortureCheck } from '../torture-report.js';
import type { FailureLog } from './failure-log.js';

/** Cookies kept to be asked about again. */
const SAMPLE_COUNT = 32;

interface Sample {
  readonly cookie: Cookie;
  over: boolean;
}

/** Keeps cookies as users do, and checks what the flavour says of them. */
export class CookieWatch {
  readonly #flavor: RcuFlavor;
  readonly #log: FailureLog<TortureCheck>;
  readonly #rng: Rng;
  /** Distinct cookies that are not over, at most as many as the flavour says. */
  #live: Cookie[] = [];
  readonly #samples: Sample[] = [];
  maxLive = 0;

  constructor(flavor: RcuFlavor, log: FailureLog<TortureCheck>, rng: Rng) {
    this.#flavor = flavor;
    this.#log = log;
    this.#rng = rng;
  }

  /** Takes a cookie that is new from the flavour. */
  note(cookie: Cookie): Cookie {
    const flavor = this.#flavor;
    this.#log.addUnless(flavor.equal(cookie, cookie), 'equal', () => 'a cookie does not equal itself');
    this.#noteLive(cookie);
    this.#noteSample(cookie);
    return cookie;
  }

  #noteLive(cookie: Cookie): void {
    const flavor = this.#flavor;
    this.#live = this.#live.filter((live) => !flavor.poll(live));
    if (flavor.poll(cookie) || this.#live.some((live) => flavor.equal(live, cookie))) {
      return;
    }
    this.#live.push(cookie);
    this.maxLive = Math.max(this.maxLive, this.#live.length);
    this.#log.addUnless(
      this.#live.length <= flavor.maxLiveCookies,
      'live-cookies',
      () =>
        `${this.#live.length} distinct cookies are not over at one instant, and maxLiveCookies is ${flavor.maxLiveCookies}`,
    );
    this.#live.length = Math.min(this.#live.length, flavor.maxLiveCookies);
  }

  #noteSample(cookie: Cookie): void {
    const sample = { cookie, over: false };
    if (this.#samples.length < SAMPLE_COUNT) {
      this.#samples.push(sample);
    } else {
      this.#samples[Math.floor(this.#rng.next() * SAMPLE_COUNT)] = sample;
    }
  }

  /** Asks about every cookie kept. */
  check(): void {
    const flavor = this.#flavor;
    for (const sample of this.#samples) {
      const over = flavor.poll(sample.cookie);
      this.#log.addUnless(
        over || !sample.over,
        'poll-monotone',
        () => 'poll() said that a cookie was over, and later that it was not',
      );
      sample.over = over;
    }
    const first = this.#samples.findIndex((sample) => sample.over);
    const answer = flavor.pollFirst(this.#samples.map((sample) => sample.cookie));
    this.#log.addUnless(
      answer === first,
      'poll-first',
      () => `pollFirst() said ${answer}, and the first that is over is ${first}`,
    );
  }
}
