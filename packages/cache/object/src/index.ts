export { approximateSize } from './internal/approximate-size.js';
export { ObjectCache } from './object-cache.js';
export { ObjectCacheError, type ObjectCacheErrorCode } from './object-cache-error.js';
export { objectCache, type ObjectCachePluginOptions } from './plugin.js';
export {
  type EvictionPolicy,
  type EvictionPolicyFactory,
  type EvictionPolicyName,
  WATCHED,
} from './policy/eviction-policy.js';
export { createPolicy, EVICTION_POLICIES } from './policy/create-policy.js';
export { NO_SHADOW, Shadows } from './policy/shadows.js';
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
