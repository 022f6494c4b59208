export { approximateSize } from './internal/approximate-size.js';
export { ObjectCache } from './object-cache.js';
export { ObjectCacheError, type ObjectCacheErrorCode } from './object-cache-error.js';
export { objectCache, type ObjectCachePluginOptions } from './plugin.js';
export type { ObjectGuard } from './object-guard.js';
export type {
  DisposeReason,
  FetchOptions,
  Load,
  LoadContext,
  ObjectCacheOptions,
  ObjectCacheStats,
  SetOptions,
} from './options.js';
