/**
 * Throws `error` where nobody catches it, so that it reaches `process.on('uncaughtException')`.
 *
 * For errors of user callbacks for which no error channel was given: never swallowed, and never thrown into the middle
 * of a structure that still has work to do.
 */
export function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
