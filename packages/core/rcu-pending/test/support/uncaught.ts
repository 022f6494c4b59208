import { microtasks } from './test-loop.js';

/** What becomes an uncaught exception of `run` and its microtasks. */
export async function uncaught(run: () => void): Promise<unknown[]> {
  const caught: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => caught.push(error));
  try {
    run();
    await microtasks();
    await microtasks();
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) {
      process.on('uncaughtException', listener);
    }
  }
  return caught;
}
