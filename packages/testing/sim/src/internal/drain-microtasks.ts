/**
 * Resolves when every microtask and tick of now has run, and those that they queued.
 *
 * A real immediate: Node runs all microtasks and ticks, to the end, before it.
 */
export function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
