export { LRUCache } from './lru-cache.js';
export type {
  LruDisposeReason,
  LruEntry,
  LruFetcher,
  LruFetcherOptions,
  LruFetchOptions,
  LruGetOptions,
  LruHasOptions,
  LruInsertReason,
  LruMemoizer,
  LruMemoOptions,
  LruOptions,
  LruPeekOptions,
  LruPerf,
  LruSetOptions,
  LruStatus,
} from './options.js';
