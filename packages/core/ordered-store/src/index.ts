export type {
  OrderedStore,
  StoreBatchOptions,
  StoreCaps,
  StoreEntry,
  StoreOperation,
  StoreRange,
} from './ordered-store.js';
