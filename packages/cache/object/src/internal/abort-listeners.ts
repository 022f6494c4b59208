/**
 * Whoever waits for signals, with one listener for each signal: a signal that many loads share would otherwise make Node
 * warn of a leak.
 */
export class AbortListeners {
  private readonly listeners = new Map<
    AbortSignal,
    { readonly callbacks: Set<() => void>; readonly all: () => void }
  >();

  /** Calls `callback` once when `signal` is aborted, which it must not be yet. */
  add(signal: AbortSignal, callback: () => void): void {
    let listener = this.listeners.get(signal);
    if (listener === undefined) {
      const callbacks = new Set<() => void>();
      const all = (): void => {
        this.listeners.delete(signal);
        for (const each of callbacks) {
          each();
        }
      };
      listener = { callbacks, all };
      this.listeners.set(signal, listener);
      signal.addEventListener('abort', all, { once: true });
    }
    listener.callbacks.add(callback);
  }

  remove(signal: AbortSignal, callback: () => void): void {
    const listener = this.listeners.get(signal);
    if (listener !== undefined && listener.callbacks.delete(callback) && listener.callbacks.size === 0) {
      this.listeners.delete(signal);
      signal.removeEventListener('abort', listener.all);
    }
  }
}
