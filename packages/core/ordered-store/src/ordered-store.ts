/** What a store can do. */
export interface StoreCaps {
  /** Longest key, in bytes. Infinity: as long as there is memory. */
  readonly maxKeyBytes: number;
  /** Longest value, in bytes. Infinity: as long as there is memory. */
  readonly maxValueBytes: number;
  /** Whether `batch` with `durable: true` is on disk when it resolves. */
  readonly durable: boolean;
  /** Whether `range` reads from one snapshot. */
  readonly snapshots: boolean;
}

export type StoreOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

export interface StoreBatchOptions {
  /** Default: false. */
  readonly durable?: boolean;
  /**
   * A number ≥0 that is stored in the same transaction, and found by `mark()` when the store is opened again: the
   * journal's sequence up to which the store has everything. Default: as it was.
   */
  readonly mark?: number;
}

/** Bounds are inclusive or exclusive as their names say; of two that say the same, the exclusive one counts. */
export interface StoreRange {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly lt?: Uint8Array;
  /** Default: false. */
  readonly reverse?: boolean;
  /** At most so many entries. Default: all. */
  readonly limit?: number;
}

export type StoreEntry = readonly [key: Uint8Array, value: Uint8Array];

/**
 * An ordered store of bytes. Keys are compared bytewise; a key is not empty. Bytes that are handed in are not changed
 * and may be reused by the caller when the call has returned (or its promise settled); bytes that are handed out
 * belong to the caller.
 */
export interface OrderedStore {
  readonly caps: StoreCaps;
  /** Undefined where there is none. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** As `get`, at once; throws what that rejects with. Only where reads are synchronous anyway. */
  getSync?(key: Uint8Array): Uint8Array | undefined;
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** In order, from one snapshot taken at the first `next()`. */
  range(range: StoreRange): AsyncIterableIterator<StoreEntry>;
  /** All operations or none. A key that comes twice has the last one's value. */
  batch(operations: readonly StoreOperation[], options?: StoreBatchOptions): Promise<void>;
  /** The last mark that a batch stored, or 0. */
  mark(): Promise<number>;
  /** Waits for what was begun. Harmless when repeated. */
  close(): Promise<void>;
}
