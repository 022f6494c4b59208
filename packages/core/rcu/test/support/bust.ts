import type { Cookie, RcuFlavor } from '../../src/index.js';
import type { TestLoop } from './test-loop.js';

/** Ways to break a flavour, each of which some check must notice. */
export type Bust = (flavor: RcuFlavor, loop: TestLoop) => void;

/** Breaks that do not depend on what a reader is. */
export const BUSTED_FLAVORS: Readonly<Record<string, Bust>> = {
  'counts the rest of the running grace period'(flavor) {
    for (const method of ['getState', 'startPoll'] as const) {
      const real = flavor[method].bind(flavor);
      flavor[method] = () => {
        const cookie = real();
        const running = earlier(cookie);
        return flavor.poll(running) ? cookie : running;
      };
    }
  },
  'says that a grace period is over when it starts'(flavor) {
    const real = flavor.poll.bind(flavor);
    flavor.poll = (cookie) => real(earlier(cookie)) && !flavor.equal(cookie, flavor.getState());
  },
  'runs callbacks in the next turn, whoever reads'(flavor, loop) {
    flavor.call = (callback) => loop.nextTurn(callback, true);
  },
  'runs callbacks on the stack of the caller'(flavor) {
    flavor.call = (callback) => callback();
  },
  'loses callbacks'(flavor) {
    const real = flavor.call.bind(flavor);
    let calls = 0;
    flavor.call = (callback) => {
      if (++calls % 5 !== 0) {
        real(callback);
      }
    };
  },
  'runs callbacks twice'(flavor) {
    const real = flavor.call.bind(flavor);
    let calls = 0;
    flavor.call = (callback) => {
      real(callback);
      if (++calls % 5 === 0) {
        real(callback);
      }
    };
  },
  'expedites by not waiting'(flavor) {
    flavor.synchronizeExpedited = () => Promise.resolve();
  },
  'synchronizes by not waiting'(flavor) {
    flavor.synchronize = () => Promise.resolve();
  },
  'never ends an expedited wait'(flavor) {
    flavor.synchronizeExpedited = () => new Promise(() => {});
  },
  'has a barrier that waits for nothing'(flavor) {
    flavor.barrier = () => Promise.resolve();
  },
  'starts no grace period for startPoll'(flavor) {
    flavor.startPoll = flavor.getState.bind(flavor);
  },
  'tells no observer'(flavor) {
    flavor.notifyAdvance = () => {};
  },
  'schedules every turn twice'(_flavor, loop) {
    const real = loop.nextTurn.bind(loop);
    loop.nextTurn = (callback, keepAlive) => {
      real(callback, keepAlive);
      real(callback, keepAlive);
    };
  },
  'lets the process exit'(_flavor, loop) {
    const real = loop.nextTurn.bind(loop);
    loop.nextTurn = (callback) => real(callback, false);
  },
};

/** The cookie of the grace period before. */
function earlier(cookie: Cookie): Cookie {
  return ((cookie as unknown as number) - 4) as unknown as Cookie;
}
