export type { CachedFs, CachedFsStats, NodeFs, Paths, PurgeOptions } from './cached-fs.js';
export { createCachedFs } from './create-cached-fs.js';
export { CACHED_FS, cachedFs, type CachedFsPluginOptions } from './plugin.js';
export type { CachedFsOptions, Revalidate } from './options.js';
