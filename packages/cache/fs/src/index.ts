export type { CachedFs, CachedFsStats, NodeFs, Paths, PurgeOptions } from './cached-fs.js';
export { createCachedFs } from './create-cached-fs.js';
export type { CachedFsOptions, Revalidate } from './options.js';
