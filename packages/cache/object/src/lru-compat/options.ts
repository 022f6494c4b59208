import type { ObjectCacheOptions } from '../options.js';
import type { LRUCache } from './lru-cache.js';

/** Why a value left: as of lru-cache; `fetch` is a load that failed or brought nothing. */
export type LruDisposeReason = 'evict' | 'set' | 'delete' | 'expire' | 'fetch';
/** What a `set` did: stored a first value, another one, or the same one again. */
export type LruInsertReason = 'add' | 'replace' | 'update';

/** Tells the time in milliseconds. */
export interface LruPerf {
  now(): number;
}

/** What an operation did. Give one as `status`; it is written to. */
export interface LruStatus<K, V, FC> {
  op?: 'get' | 'set' | 'memo' | 'fetch' | 'delete' | 'has' | 'peek';
  key?: K;
  value?: V;
  oldValue?: V;
  cache?: LRUCache<K & {}, V & {}, FC>;
  context?: FC;
  get?: 'stale' | 'hit' | 'miss' | 'fetching' | 'stale-fetching';
  has?: 'hit' | 'stale' | 'miss';
  peek?: 'hit' | 'stale' | 'miss';
  set?: 'add' | 'update' | 'replace' | 'miss' | 'deleted';
  memo?: 'hit' | 'miss';
  fetch?: 'get' | 'inflight' | 'miss' | 'hit' | 'stale' | 'refresh';
  ttl?: number;
  start?: number;
  now?: number;
  remainingTTL?: number;
  entrySize?: number;
  totalCalculatedSize?: number;
  maxEntrySizeExceeded?: true;
  forceRefresh?: boolean;
  fetchDispatched?: true;
  fetchUpdated?: true;
  fetchResolved?: true;
  fetchRejected?: true;
  fetchAborted?: true;
  fetchAbortIgnored?: true;
  fetchError?: Error;
  returnedStale?: true;
}

export interface LruHasOptions<K, V, FC> {
  updateAgeOnHas?: boolean;
  status?: LruStatus<K, V, FC> | undefined;
}

export interface LruPeekOptions<K, V, FC> {
  allowStale?: boolean;
  status?: LruStatus<K, V, FC> | undefined;
}

export interface LruGetOptions<K, V, FC> extends LruPeekOptions<K, V, FC> {
  updateAgeOnGet?: boolean;
  noDeleteOnStaleGet?: boolean;
}

export interface LruSetOptions<K, V, FC> {
  ttl?: number;
  start?: number | undefined;
  size?: number | undefined;
  sizeCalculation?: ((value: V, key: K) => number) | undefined;
  noDisposeOnSet?: boolean;
  noUpdateTTL?: boolean;
  status?: LruStatus<K, V, FC> | undefined;
}

/** The options that a fetch method may change, before it answers. */
export interface LruFetcherOptions<K, V, FC> extends LruGetOptions<K, V, FC>, LruSetOptions<K, V, FC> {
  noDeleteOnFetchRejection?: boolean;
  allowStaleOnFetchRejection?: boolean;
  allowStaleOnFetchAbort?: boolean;
  ignoreFetchAbort?: boolean;
  signal?: AbortSignal | undefined;
}

export interface LruFetchOptions<K, V, FC> extends LruFetcherOptions<K, V, FC> {
  forceRefresh?: boolean;
  context?: FC;
}

export interface LruMemoOptions<K, V, FC> extends LruGetOptions<K, V, FC>, LruSetOptions<K, V, FC> {
  forceRefresh?: boolean;
  context?: FC;
}

export type LruFetcher<K, V, FC> = (
  key: K,
  staleValue: V | undefined,
  options: { signal: AbortSignal; options: LruFetcherOptions<K, V, FC>; context: FC },
) => Promise<V | undefined | void> | V | undefined | void;

export type LruMemoizer<K, V, FC> = (
  key: K,
  staleValue: V | undefined,
  options: { options: LruGetOptions<K, V, FC> & LruSetOptions<K, V, FC>; context: FC },
) => V;

/** As lru-cache's. At least one of `max`, `maxSize` and `ttl` is needed. */
export interface LruOptions<K, V, FC> {
  max?: number;
  maxSize?: number;
  maxEntrySize?: number;
  sizeCalculation?: (value: V, key: K) => number;
  ttl?: number;
  ttlResolution?: number;
  ttlAutopurge?: boolean;
  allowStale?: boolean;
  updateAgeOnGet?: boolean;
  updateAgeOnHas?: boolean;
  noDeleteOnStaleGet?: boolean;
  noUpdateTTL?: boolean;
  /** Called when nobody uses the value any more: after a grace period, and after those that hold it with `use`. */
  dispose?: (value: V, key: K, reason: LruDisposeReason) => unknown;
  /** Called after `dispose`. */
  disposeAfter?: (value: V, key: K, reason: LruDisposeReason) => unknown;
  onInsert?: (value: V, key: K, reason: LruInsertReason) => unknown;
  noDisposeOnSet?: boolean;
  fetchMethod?: LruFetcher<K, V, FC>;
  memoMethod?: LruMemoizer<K, V, FC>;
  noDeleteOnFetchRejection?: boolean;
  allowStaleOnFetchRejection?: boolean;
  allowStaleOnFetchAbort?: boolean;
  ignoreFetchAbort?: boolean;
  /** The size of an entry whose first value is being loaded. Default 1. */
  backgroundFetchSize?: number;
  perf?: LruPerf;
  /** What lru-cache knows nothing of: whose grace periods, group and shrinker. */
  reclaim?: Pick<
    ObjectCacheOptions<K, V>,
    'name' | 'group' | 'zone' | 'seeks' | 'rcu' | 'nodes' | 'scheduler' | 'onError'
  >;
}

/** What `dump` and `info` tell of an entry, and `load` takes. `start` is by the wall clock. */
export interface LruEntry<V> {
  value: V;
  ttl?: number;
  start?: number;
  size?: number;
}
