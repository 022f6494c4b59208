export type {
  OrderedStore,
  StoreBatchOptions,
  StoreCaps,
  StoreEntry,
  StoreOperation,
  StoreRange,
} from './ordered-store.js';
export { StoreError, type StoreErrorCode } from './store-error.js';
export {
  MemoryDisk,
  MemoryStore,
  type MemoryStoreOptions,
  type StoreAction,
  type StoreFaults,
} from './memory-store.js';
export { type LmdbOptions, openLmdb } from './open-lmdb.js';
export { openSqlite, type SqliteOptions } from './open-sqlite.js';
export {
  type Level,
  type LevelEncodings,
  type LevelIterator,
  type LevelRange,
  type LevelStoreOptions,
  storeOfLevel,
} from './store-of-level.js';
export { storeSuite, type StoreSuiteOptions } from './store-suite.js';
export type { StorePlace, StoreSupports } from './internal/suite/case.js';
