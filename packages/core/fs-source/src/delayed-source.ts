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

/** Which part of a call takes its time: before it reaches the source, after that, or each of them. */
export type DelayedPart = 'call' | 'answer' | 'both';

/**
 * Delays calls, before they are made of `source`, or before they are answered: an answer that was delayed may not be
 * true any more. Only calls that return promises: a synchronous one cannot wait.
 *
 * @param delayMs milliseconds, or what gives them for each delay: random ones put calls out of order
 * @param scheduler default: timers of the process, which stays alive for them
 */
export function delayedSource(
  source: FileSystemSource,
  delayMs: number | (() => number),
  scheduler: Pick<Scheduler, 'after'> = keptAlive,
  part: DelayedPart = 'call',
): FileSystemSource {
  const delay = (): Promise<void> =>
    new Promise((resolve) => {
      scheduler.after(typeof delayMs === 'number' ? delayMs : delayMs(), resolve);
    });
  return new InterposedSource(source, {
    before() {},
    ...(part === 'answer' ? {} : { wait: delay }),
    ...(part === 'call' ? {} : { hold: delay }),
  });
}
