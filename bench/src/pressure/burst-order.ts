import type { MixName } from './value-mixes.js';

/** What a burst is to do. */
export interface BurstOrder {
  readonly mix: MixName;
  readonly feedBytes: number;
  /** Whether the loop yields to the event loop now and then. */
  readonly yields: boolean;
  /** `estimated` by the cache, or measured, times so much: wrong sizes are what people have. */
  readonly sizes: number | 'estimated';
  /** Whether the host keeps its caches within memory. */
  readonly managed: boolean;
  /** The resident set may be all that V8 may take, and so much more. */
  readonly besideHeapBytes: number;
  /** Bytes of the application itself. */
  readonly ballastBytes: number;
  /** How long to wait after the burst before what is kept is looked at again. */
  readonly restMs: number;
}

export interface BurstOutcome {
  readonly inserts: number;
  readonly rssLimitBytes: number;
  readonly peakRssBytes: number;
  readonly cpuMs: number;
  /** Spent in direct reclaim. */
  readonly directMs: number;
  /** Real bytes, not those that the caches account. */
  readonly keptBytes: number;
  readonly keptAfterRestBytes: number;
  readonly entries: readonly number[];
  readonly ballast: number;
}
