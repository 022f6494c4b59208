export { BtreeKeyCache } from './btree-key-cache.js';
export { BtreeKeyError, type BtreeKeyErrorCode } from './btree-key-error.js';
export { KeyHandle, KeyTransaction } from './key-transaction.js';
export { KeyTree } from './key-tree.js';
export { btreeKeyCache, type BtreeKeyPluginOptions } from './plugin.js';
export type {
  BtreeKeyCacheOptions,
  BtreeKeyStats,
  Key,
  KeyEntry,
  KeyOperation,
  KeyRange,
  Opener,
  ReplayableJournal,
  TreeName,
  Update,
  WriteOptions,
} from './options.js';
