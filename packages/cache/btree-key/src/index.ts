export { BtreeKeyCache } from './btree-key-cache.js';
export { BtreeKeyError, type BtreeKeyErrorCode } from './btree-key-error.js';
export { KeyHandle, KeyTransaction } from './key-transaction.js';
export { KeyTree } from './key-tree.js';
export { KeyLevel, type KeyLevelOptions } from './level/key-level.js';
export type { LevelBackend, LevelBackendRange, LevelEntry, LevelOperation } from './level/level-backend.js';
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
