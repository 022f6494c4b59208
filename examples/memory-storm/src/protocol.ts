import type { CacheState, MemoryState } from './contender.js';

export type ContenderName = 'lru-entries' | 'lru-size' | 'reclaim';
export type LoadName = 'storm' | 'one-tick';

/** What a child is told, as its one argument. */
export interface Job {
  readonly contender: ContenderName;
  readonly load: LoadName;
  readonly feedBytes: number;
  readonly heapMb: number;
  readonly seed: number;
}

/** What a child says, as lines of JSON over its IPC channel. */
export type Message =
  | { readonly type: 'sample'; readonly sample: Sample }
  /** Memory was short. */
  | { readonly type: 'short'; readonly report: string }
  /** All went well. What `close` has done is in the sample. */
  | { readonly type: 'done'; readonly sample: Sample; readonly report: string | null };

/** A child at one instant. */
export interface Sample {
  /** Of the bytes to feed, from 0 to 1. */
  readonly progress: number;
  readonly requests: number;
  readonly hitRatio: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
  /** The most that any major collection has left. */
  readonly peakLiveBytes: number;
  /** 99th percentile; null before there was a turn. */
  readonly delayP99Ms: number | null;
  readonly caches: readonly CacheState[];
  readonly memory: MemoryState | null;
  readonly handles: {
    readonly opened: number;
    readonly closed: number;
    readonly closedTwice: number;
    readonly usedAfterClose: number;
    readonly open: number;
  };
}
