import type { CachedView } from './cached-view.js';

const VIEWS = new WeakMap<object, CachedView>();

/** Remembers what is behind a façade. */
export function keepView(fs: object, view: CachedView): void {
  VIEWS.set(fs, view);
}

/** For tests: throws when the books of what is behind a façade do not balance. */
export function checkInvariants(fs: object): void {
  VIEWS.get(fs)?.checkInvariants();
}
