export { type Buf } from './buf.js';
export { BufCache } from './buf-cache.js';
export { BufError, type BufErrorCode, type BufErrorOptions, type BufRange } from './buf-error.js';
export type { BufFile } from './buf-file.js';
export type { BufGuard } from './buf-guard.js';
export type { DelwriQueue, SubmitOptions } from './delwri-queue.js';
export {
  type BufCacheOptions,
  type BufCacheStats,
  type CloseOptions,
  type InvalidateOptions,
  LRU_REFS,
  type OpenOptions,
  type WriteBackOptions,
} from './options.js';
export { bufCache, type BufCachePluginOptions } from './plugin.js';
