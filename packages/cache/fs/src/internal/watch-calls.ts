import type { EventEmitter } from 'node:events';
import { type Call, shapedAs } from './backing.js';
import type { Forms } from './cached-call.js';
import { cachedPathOf, type Context } from './context.js';

/**
 * `watch` and `watchFile` go through. Whoever hears of a change looks at the file next, so what is cached of it is
 * forgotten before the listener is called.
 */
export function watchCalls(context: Context): Forms {
  const { backing, view } = context;
  const calls: Record<string, Call> = {};
  const promises: Record<string, Call> = {};

  const forget = (path: string | undefined, name: unknown): void => {
    if (path === undefined || !context.caching) {
      return;
    }
    view.invalidate(path);
    if (typeof name === 'string') {
      view.invalidate(`${path}/${name}`);
    }
  };

  if (backing.has('watch')) {
    calls.watch = shapedAs(backing.fs.watch, (...args) => {
      const index = args.findIndex((arg, position) => position > 0 && typeof arg === 'function');
      const listener = index < 0 ? undefined : (args[index] as Call);
      const path = cachedPathOf(context, args[0]);
      const watcher = backing.call('watch', index < 0 ? args : args.slice(0, index)) as EventEmitter;
      watcher.on('change', (_, name) => forget(path, name));
      if (listener !== undefined) {
        watcher.on('change', listener);
      }
      return watcher;
    });
  }
  if (backing.has('watchFile')) {
    calls.watchFile = shapedAs(backing.fs.watchFile, (...args) => {
      const path = cachedPathOf(context, args[0]);
      const index = args.findIndex((arg, position) => position > 0 && typeof arg === 'function');
      if (index < 0) {
        return backing.call('watchFile', args);
      }
      const listener = args[index] as Call;
      const ours = (...values: unknown[]): void => {
        forget(path, undefined);
        listener(...values);
      };
      // By this name emitters know it when the caller wants to stop listening.
      ours.listener = listener;
      return backing.call('watchFile', [...args.slice(0, index), ours]);
    });
  }
  if (backing.hasPromise('watch')) {
    promises.watch = shapedAs(backing.promises?.watch, (...args) => {
      const path = cachedPathOf(context, args[0]);
      const events = backing.callPromise('watch', args) as unknown as AsyncIterable<{ filename?: unknown }>;
      return forgetting(events, (name) => forget(path, name));
    });
  }
  return { calls, promises };
}

async function* forgetting<T extends { filename?: unknown }>(
  events: AsyncIterable<T>,
  forget: (name: unknown) => void,
): AsyncGenerator<T> {
  for await (const event of events) {
    forget(event.filename);
    yield event;
  }
}
