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

export type LevelOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

export type LevelEntry = readonly [key: Uint8Array, value: Uint8Array];

export interface LevelBackendRange {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}
