import type { StoreCaps, StoreEntry, StoreOperation } from '../ordered-store.js';
import type { StoreError } from '../store-error.js';
import type { KeyRange } from './key-range.js';

type Eventually<T> = T | Promise<T>;

/**
 * What a store is made of. `BackedStore` calls it with input that was checked, and never after `close`, so that native
 * code is safe from both.
 */
export interface Backend {
  readonly caps: StoreCaps;
  get(key: Uint8Array): Eventually<Uint8Array | undefined>;
  /** As `get`, where that never waits. */
  getSync?(key: Uint8Array): Uint8Array | undefined;
  getMany(keys: readonly Uint8Array[]): Eventually<(Uint8Array | undefined)[]>;
  /** Takes the snapshot. */
  openCursor(range: KeyRange): Eventually<Cursor>;
  /**
   * Stores all or nothing, in the order of the calls. Either there are operations or a mark. The caller's bytes must not
   * be looked at in a later turn.
   */
  write(operations: readonly StoreOperation[], durable: boolean, mark: number | undefined): Eventually<void>;
  mark(): Eventually<number>;
  close(): Eventually<void>;
  /** Makes an error of the store's own out of one from below. @param action what could not be done: `'get a key'` */
  faultOf(error: unknown, action: string): StoreError;
}

/** Entries of one snapshot, in order. `next` and `close` are called one at a time. */
export interface Cursor {
  /** Up to `count` more entries inside of the range, whose limit is not its business; none at the end. */
  next(count: number): Eventually<StoreEntry[]>;
  close(): Eventually<void>;
}
