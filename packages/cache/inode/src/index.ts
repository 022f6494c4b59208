export { DerivedKind, type DerivedKindOptions } from './derived-kind.js';
export { type Inode, type Make, type MakeContext, type MakeSync } from './inode.js';
export { InodeCache } from './inode-cache.js';
export { InodeError, type InodeErrorCode } from './inode-error.js';
export type { FileContents, InodeCacheOptions, InodeCacheStats, Revalidation } from './options.js';
export { inodeCache, type InodeCachePluginOptions } from './plugin.js';
export {
  type AgeOptions,
  alwaysRevalidate,
  byAge,
  type LookOutcome,
  type RevalidationPolicy,
} from './revalidation-policy.js';
export { type Prunable, SuperBlock, type SuperBlockOptions } from './super-block.js';
export { byWatcher, type Watch, type WatchDirectory, type WatcherOptions } from './watcher-policy.js';
