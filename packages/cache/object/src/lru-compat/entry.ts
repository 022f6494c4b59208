import type { LruDisposeReason } from './options.js';

/** What is kept for a key: the value, its age, and the load that is under way. */
export class Entry<K, V> {
  readonly key: K;
  /** Undefined while the first value is being loaded. */
  value: V | undefined;
  size: number;
  /** Milliseconds; 0 for ever. */
  lifetime = 0;
  /** By the clock of the cache, when the value was new; 0 for ever. */
  start = 0;
  flight: Flight<V> | null = null;
  /** Why it leaves, where the cache below knows less; `silent` if nobody is to be told. */
  leaves: LruDisposeReason | 'silent' | null = null;

  constructor(key: K, value: V | undefined, size: number) {
    this.key = key;
    this.value = value;
    this.size = size;
  }
}

/** A load that is under way. */
export interface Flight<V> {
  readonly controller: AbortController;
  promise: Promise<V | undefined>;
  /** Somebody waits for it, and hears of its failure. */
  awaited: boolean;
}
