import type { Kind } from './kinds.js';

/** One of the five caches of a contender. */
export interface StormCache {
  getOrCreate(key: string, make: () => unknown): unknown;
  state(): CacheState;
}

export interface CacheState {
  readonly name: string;
  readonly entries: number;
  /** As the cache knows it; null if it does not. */
  readonly bytes: number | null;
  readonly evictions: number;
}

/** Whatever holds five caches, in the order of the kinds. */
export interface Contender {
  readonly caches: readonly StormCache[];
  /** What is known of the memory as a whole; null: nothing. */
  memory(): MemoryState | null;
  /** Lets go of everything. */
  close(): Promise<void>;
}

export interface MemoryState {
  readonly budgets: readonly {
    readonly name: string;
    readonly usedBytes: number;
    readonly limitBytes: number;
    readonly level: string;
  }[];
  readonly direct: number;
  readonly directBytes: number;
  readonly directMs: number;
  readonly background: number;
  readonly backgroundBytes: number;
}

export interface ContenderOptions {
  readonly kinds: readonly Kind[];
  /** Of `--max-old-space-size`. */
  readonly heapBytes: number;
  /** Takes a report for people when memory is short. */
  readonly onShort: (report: string) => void;
}
