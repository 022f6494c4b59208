import type { StoreEntry, StoreOperation, StoreRange } from '@core/ordered-store';

/** What a `KeyLevel` is a face of: a `BtreeKeyCache`, or a store of `@core/ordered-store`. */
export interface LevelBackend {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** All or none. Without `durable`, as the backend likes. */
  batch(operations: readonly LevelOperation[], options?: { readonly durable?: boolean }): Promise<void>;
  /** In order, of the moment of the first `next()`. */
  range(range: LevelBackendRange): AsyncIterableIterator<LevelEntry>;
  close(): Promise<void>;
}

export type LevelOperation = StoreOperation;
export type LevelEntry = StoreEntry;
export type LevelBackendRange = StoreRange;
