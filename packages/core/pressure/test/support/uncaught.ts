import { turn } from './sim-time.js';

/** What becomes an uncaught exception of `run` and its microtasks. */
export async function uncaught(run: () => void): Promise<unknown[]> {
  const caught: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => caught.push(error));
  try {
    run();
    await turn();
    await turn();
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) {
      process.on('uncaughtException', listener);
    }
  }
  return caught;
}
