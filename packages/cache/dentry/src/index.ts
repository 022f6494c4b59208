export { DentryCache } from './dentry-cache.js';
export { DentryError, type DentryErrorCode } from './dentry-error.js';
export {
  type Dentry,
  type DentryKind,
  KIND_DIRECTORY,
  KIND_FILE,
  KIND_NONE,
  KIND_OTHER,
  KIND_SYMLINK,
} from './dentry.js';
export { dentryCache, type DentryCachePluginOptions } from './plugin.js';
export type {
  ChangeOptions,
  CreatedOptions,
  DentryCacheOptions,
  DentryCacheStats,
  DentryPolicy,
  InodePort,
  InvalidateOptions,
  PlainInode,
  WalkOptions,
} from './options.js';
