import type { Scheduler } from '@core/base';
import type { FileSystemSource } from './file-system-source.js';
import { InterposedSource } from './internal/interposed-source.js';

/** Keeps the process alive: somebody awaits the call. */
const keptAlive: Pick<Scheduler, 'after'> = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/**
 * Delays calls, each before it is made of `source`. Only those that return promises: a synchronous one cannot wait.
 *
 * @param delayMs milliseconds, or what gives them for each call: random ones put calls out of order
 * @param scheduler default: timers of the process, which stays alive for them
 */
export function delayedSource(
  source: FileSystemSource,
  delayMs: number | (() => number),
  scheduler: Pick<Scheduler, 'after'> = keptAlive,
): FileSystemSource {
  return new InterposedSource(source, {
    before() {},
    wait: () =>
      new Promise((resolve) => {
        scheduler.after(typeof delayMs === 'number' ? delayMs : delayMs(), resolve);
      }),
  });
}
