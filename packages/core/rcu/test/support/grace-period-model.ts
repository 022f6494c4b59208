import { type Rng, assert } from '@core/base';
import type { Cookie, RcuFlavor } from '../../src/index.js';
import type { TestLoop } from './test-loop.js';

/** The readers that were open at some instant. */
type Behind = ReadonlySet<Reader>;

export interface Reader {
  readonly number: number;
  open: boolean;
}

interface Taken {
  readonly cookie: Cookie;
  readonly behind: Behind;
  readonly wanted: boolean;
  over: boolean;
}

/** How many cookies that are over are still asked about: they must stay over. */
const REMEMBERED = 32;

/**
 * What a grace period promises, said without one: a set of readers, and for each cookie, callback and promise the
 * readers that were open when it was made. None of them may be over while one of its readers is open.
 *
 * Every operation on the flavour goes through here, and everything is checked after each.
 */
export class GracePeriodModel {
  readonly flavor: RcuFlavor;
  readonly loop: TestLoop;
  callbacksQueued = 0;
  callbacksRun = 0;
  promisesMade = 0;
  promisesKept = 0;
  private readonly readers = new Set<Reader>();
  private readersBegun = 0;
  private taken: Taken[] = [];
  private watches: { readonly cookie: Cookie; told: boolean }[] = [];
  private failure: { readonly error: unknown } | null = null;

  constructor(flavor: RcuFlavor, loop: TestLoop) {
    this.flavor = flavor;
    this.loop = loop;
  }

  get openReaders(): number {
    return this.readers.size;
  }

  /** A reader begins. Called after the flavour was told, if it is told. */
  begin(): Reader {
    const reader: Reader = { number: this.readersBegun++, open: true };
    this.readers.add(reader);
    return reader;
  }

  /** A reader ends. Called before the flavour is told. */
  end(reader: Reader): void {
    reader.open = false;
    this.readers.delete(reader);
  }

  endAll(): void {
    for (const reader of this.readers) {
      this.end(reader);
    }
  }

  take(how: 'getState' | 'startPoll'): void {
    const behind = new Set(this.readers);
    const cookie = this.flavor[how]();
    const over = this.flavor.poll(cookie);
    assert(!over, `${how}() returned a cookie that is over`);
    this.taken.push({ cookie, behind, wanted: how === 'startPoll', over });
  }

  /** @param then what the callback does besides being checked */
  call(then: () => void = () => {}): void {
    const behind = new Set(this.readers);
    const number = this.callbacksQueued++;
    let inside = true;
    this.flavor.call(() => {
      assert(!inside, 'A callback ran on the stack of call()');
      assert(number === this.callbacksRun, () => `Callback ${number} ran as number ${this.callbacksRun}`);
      this.callbacksRun++;
      this.assertEnded(behind, `Callback ${number}`);
      then();
    });
    inside = false;
  }

  promise(how: 'synchronize' | 'synchronizeExpedited' | 'barrier'): void {
    const behind = new Set(this.readers);
    const queuedBefore = this.callbacksQueued;
    this.promisesMade++;
    this.flavor[how]()
      .then(
        () => {
          this.promisesKept++;
          if (how === 'barrier') {
            assert(
              this.callbacksRun >= queuedBefore,
              () => `barrier() overtook ${queuedBefore - this.callbacksRun} callbacks`,
            );
          } else {
            this.assertEnded(behind, `${how}()`);
          }
        },
        (error: unknown) => this.fail(error),
      )
      .catch((error: unknown) => this.fail(error));
  }

  /** Asks to be told of the next cookie, and is told before it is there. */
  observe(): void {
    const { flavor } = this;
    assert(flavor.notifyAdvance !== undefined, 'The flavour tells nobody of its cookies');
    const cookie = flavor.getState();
    const watch = { cookie, told: false };
    this.watches.push(watch);
    flavor.notifyAdvance({
      cookieAdvanced: () => {
        try {
          assert(!watch.told, 'An observer was told twice');
          assert(flavor.equal(flavor.getState(), cookie), 'An observer was told too late');
        } catch (error) {
          this.fail(error);
        }
        watch.told = true;
      },
    });
  }

  /** Everything that can be seen from outside, and the flavour's own books. */
  check(): void {
    if (this.failure !== null) {
      throw this.failure.error;
    }
    (this.flavor as { checkInvariants?(): void }).checkInvariants?.();
    this.checkCookies();
    this.checkWatches();
    const stats = this.flavor.stats();
    assert(stats.callbacksRun >= this.callbacksRun, 'Callbacks ran that the statistics do not know');
    assert(stats.callbacksWaiting >= this.callbacksQueued - this.callbacksRun, 'Callbacks were lost');
    assert(this.loop.scheduled <= 2, () => `${this.loop.scheduled} turns are scheduled`);
    if (stats.callbacksWaiting > 0 && stats.readers === 0) {
      assert(this.loop.isAlive, 'Callbacks wait for no reader, and nothing keeps the process up for them');
    }
  }

  /**
   * With every reader ended and no turn left: everything asked for must have happened. Promises can be left out by a
   * test that lets no microtask run.
   */
  checkAtRest(options: { readonly promises: boolean } = { promises: true }): void {
    this.check();
    assert(
      this.callbacksRun === this.callbacksQueued,
      () => `${this.callbacksQueued - this.callbacksRun} callbacks never ran`,
    );
    assert(
      !options.promises || this.promisesKept === this.promisesMade,
      () => `${this.promisesMade - this.promisesKept} promises were not kept`,
    );
    for (const { wanted, over } of this.taken) {
      assert(over || !wanted, 'A cookie from startPoll() is never over');
    }
  }

  /** What is thrown where nobody would see it is thrown by the next check. */
  fail(error: unknown): void {
    this.failure ??= { error };
  }

  private checkCookies(): void {
    const { flavor } = this;
    const live: Cookie[] = [];
    let firstOver = -1;
    this.taken.forEach((taken, index) => {
      const over = flavor.poll(taken.cookie);
      assert(over || !taken.over, 'A cookie that was over is over no more');
      taken.over = over;
      if (over) {
        this.assertEnded(taken.behind, 'A cookie');
        firstOver = firstOver < 0 ? index : firstOver;
      } else if (!live.some((cookie) => flavor.equal(cookie, taken.cookie))) {
        live.push(taken.cookie);
      }
    });
    assert(live.length <= flavor.maxLiveCookies, () => `${live.length} cookies are live, more than promised`);
    const found = flavor.pollFirst(this.taken.map(({ cookie }) => cookie));
    assert(found === firstOver, () => `pollFirst() found ${found} where ${firstOver} is the first`);
    const over = this.taken.filter((taken) => taken.over).slice(-REMEMBERED);
    this.taken = [...over, ...this.taken.filter((taken) => !taken.over)];
  }

  private checkWatches(): void {
    const now = this.flavor.getState();
    for (const { cookie, told } of this.watches) {
      assert(
        told === !this.flavor.equal(cookie, now),
        told ? 'An observer was told of nothing' : 'An observer was not told',
      );
    }
    this.watches = this.watches.filter(({ told }) => !told);
  }

  private assertEnded(behind: Behind, what: string): void {
    for (const reader of behind) {
      assert(!reader.open, () => `${what} did not wait for reader ${reader.number}, which began before`);
    }
  }
}

/** One of `choices` by weight. */
export function choose<T>(rng: Rng, choices: readonly (readonly [weight: number, choice: T])[]): T {
  let at = rng.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, choice] of choices) {
    at -= weight;
    if (at < 0) {
      return choice;
    }
  }
  throw new Error('No choice has any weight');
}
