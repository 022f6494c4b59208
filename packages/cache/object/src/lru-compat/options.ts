import type { ObjectCacheOptions } from '../options.js';
import type { LRUCache } from './lru-cache.js';

/** Why a value left: as of lru-cache; `fetch` is a load that failed or brought nothing. */
export type LruDisposeReason = 'evict' | 'set' | 'delete' | 'expire' | 'fetch';
/** What a `set` did: stored a first value, another one, or the same one again. */
export type LruInsertReason = 'add' | 'replace' | 'update';

export type LruDisposer<K, V> = (value: V, key: K, reason: LruDisposeReason) => void;
export type LruInserter<K, V> = (value: V, key: K, reason: LruInsertReason) => void;
export type LruSizeCalculator<K, V> = (value: V, key: K) => number;

/** Tells the time in milliseconds. */
export interface Perf {
  now(): number;
}

/** What an operation did. Give one as `status`; it is written to. */
export interface LruStatus<K, V, FC = unknown> {
  op?: 'get' | 'set' | 'memo' | 'fetch' | 'delete' | 'has' | 'peek';
  key?: K;
  value?: V;
  oldValue?: V;
  cache?: LRUCache<K & {}, V & {}, FC>;
  context?: unknown;
  get?: 'stale' | 'hit' | 'miss' | 'fetching' | 'stale-fetching';
  has?: 'hit' | 'stale' | 'miss';
  peek?: 'hit' | 'stale' | 'miss';
  set?: 'add' | 'update' | 'replace' | 'miss' | 'deleted';
  memo?: 'hit' | 'miss';
  fetch?: 'get' | 'inflight' | 'miss' | 'hit' | 'stale' | 'refresh';
  /** Never written; lru-cache tells it on its channels only. */
  delete?: LruDisposeReason;
  /** Never written; of lru-cache's channels. */
  trace?: boolean;
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
  updateAgeOnHas?: boolean | undefined;
  status?: LruStatus<K, V, FC> | undefined;
}

export interface LruPeekOptions<K, V, FC> {
  allowStale?: boolean | undefined;
  status?: LruStatus<K, V, FC> | undefined;
}

export interface LruGetOptions<K, V, FC> extends LruPeekOptions<K, V, FC> {
  updateAgeOnGet?: boolean | undefined;
  noDeleteOnStaleGet?: boolean | undefined;
}

export interface LruSetOptions<K, V, FC> {
  ttl?: number | undefined;
  start?: number | undefined;
  size?: number | undefined;
  sizeCalculation?: LruSizeCalculator<K, V> | undefined;
  noDisposeOnSet?: boolean | undefined;
  noUpdateTTL?: boolean | undefined;
  status?: LruStatus<K, V, FC> | undefined;
}

/** The options that a fetch method may change, before it answers. */
export interface LruFetcherOptions<K, V, FC = unknown>
  extends LruGetOptions<K, V, FC>, Omit<LruSetOptions<K, V, FC>, 'start'> {
  noDeleteOnFetchRejection?: boolean | undefined;
  allowStaleOnFetchRejection?: boolean | undefined;
  allowStaleOnFetchAbort?: boolean | undefined;
  ignoreFetchAbort?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface LruFetchOptions<K, V, FC> extends LruFetcherOptions<K, V, FC> {
  forceRefresh?: boolean | undefined;
  context?: FC | undefined;
}

export interface LruMemoOptions<K, V, FC = unknown> extends LruGetOptions<K, V, FC>, LruSetOptions<K, V, FC> {
  forceRefresh?: boolean | undefined;
  context?: FC | undefined;
}

/** Options as an argument: with a context, if its type says that it may not be left out. */
export type LruContextualRest<FC, O> = unknown extends FC
  ? [options?: O]
  : FC extends undefined | void
    ? [options?: O]
    : [options: O & { context: FC }];

/** What a fetch method is told. */
export interface LruFetcherTools<K, V, FC = unknown> {
  signal: AbortSignal;
  options: LruFetcherOptions<K, V, FC>;
  context: FC;
}

export type LruFetcher<K, V, FC = unknown> = (
  key: K,
  staleValue: V | undefined,
  options: LruFetcherTools<K, V, FC>,
) => Promise<V | undefined | void> | V | undefined | void;

/** The options that a memo method may change. */
export type LruMemoizerOptions<K, V, FC = unknown> = LruGetOptions<K, V, FC> & LruSetOptions<K, V, FC>;

/** What a memo method is told. */
export interface LruMemoizerTools<K, V, FC = unknown> {
  options: LruMemoizerOptions<K, V, FC>;
  context: FC;
}

export type LruMemoizer<K, V, FC = unknown> = (
  key: K,
  staleValue: V | undefined,
  options: LruMemoizerTools<K, V, FC>,
) => V;

/** As lru-cache's. */
export interface LruOptionsBase<K, V, FC> {
  max?: number | undefined;
  maxSize?: number | undefined;
  maxEntrySize?: number | undefined;
  sizeCalculation?: LruSizeCalculator<K, V> | undefined;
  ttl?: number | undefined;
  ttlResolution?: number | undefined;
  ttlAutopurge?: boolean | undefined;
  allowStale?: boolean | undefined;
  updateAgeOnGet?: boolean | undefined;
  updateAgeOnHas?: boolean | undefined;
  noDeleteOnStaleGet?: boolean | undefined;
  noUpdateTTL?: boolean | undefined;
  /** Called when nobody uses the value any more: after a grace period, and after those that hold it with `use`. */
  dispose?: LruDisposer<K, V> | undefined;
  /** Called after `dispose`. */
  disposeAfter?: LruDisposer<K, V> | undefined;
  onInsert?: LruInserter<K, V> | undefined;
  noDisposeOnSet?: boolean | undefined;
  fetchMethod?: LruFetcher<K, V, FC> | undefined;
  memoMethod?: LruMemoizer<K, V, FC> | undefined;
  noDeleteOnFetchRejection?: boolean | undefined;
  allowStaleOnFetchRejection?: boolean | undefined;
  allowStaleOnFetchAbort?: boolean | undefined;
  ignoreFetchAbort?: boolean | undefined;
  /** The size of an entry whose first value is being loaded. Default 1. */
  backgroundFetchSize?: number | undefined;
  perf?: Perf | undefined;
  /** What lru-cache knows nothing of: whose grace periods, group and shrinker. */
  reclaim?:
    | Pick<ObjectCacheOptions<K, V>, 'name' | 'group' | 'zone' | 'seeks' | 'rcu' | 'nodes' | 'scheduler' | 'onError'>
    | undefined;
}

export interface LruOptionsMaxLimit<K, V, FC> extends LruOptionsBase<K, V, FC> {
  max: number;
}

export interface LruOptionsTtlLimit<K, V, FC> extends LruOptionsBase<K, V, FC> {
  ttl: number;
  ttlAutopurge: boolean;
}

export interface LruOptionsSizeLimit<K, V, FC> extends LruOptionsBase<K, V, FC> {
  maxSize: number;
}

/** A limit of one kind at least. */
export type LruOptions<K, V, FC> =
  | LruOptionsMaxLimit<K, V, FC>
  | LruOptionsSizeLimit<K, V, FC>
  | LruOptionsTtlLimit<K, V, FC>;

/** The options as a cache has them. Those that can be changed count from then on. */
export interface LruSettings<K, V, FC> {
  readonly max: number;
  readonly maxSize: number;
  readonly maxEntrySize: number;
  readonly sizeCalculation: LruSizeCalculator<K, V> | undefined;
  readonly ttl: number;
  readonly ttlResolution: number;
  readonly ttlAutopurge: boolean;
  readonly allowStale: boolean;
  readonly updateAgeOnGet: boolean;
  readonly noDeleteOnStaleGet: boolean;
  readonly noUpdateTTL: boolean;
  readonly dispose: LruDisposer<K, V> | undefined;
  readonly disposeAfter: LruDisposer<K, V> | undefined;
  readonly onInsert: LruInserter<K, V> | undefined;
  readonly noDisposeOnSet: boolean;
  readonly fetchMethod: LruFetcher<K, V, FC> | undefined;
  readonly noDeleteOnFetchRejection: boolean;
  readonly allowStaleOnFetchRejection: boolean;
  readonly allowStaleOnFetchAbort: boolean;
  readonly ignoreFetchAbort: boolean;
  readonly backgroundFetchSize: number;
  readonly perf: Perf;
}

/** What `dump` and `info` tell of an entry, and `load` takes. `start` is by the wall clock. */
export interface LruEntry<V> {
  value: V;
  ttl?: number;
  size?: number;
  start?: number;
}
