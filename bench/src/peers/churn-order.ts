export interface ChurnOrder {
  readonly peer: string;
  readonly capacity: number;
  readonly keys: 'integer' | 'string';
  /** Entries that are stored when the cache is full. */
  readonly stores: number;
}

export interface ChurnOutcome {
  readonly entries: number;
  /** Of garbage collections. */
  readonly longestPauseMs: number;
  readonly pausesMs: number;
  /** A thousand stores, in one turn: collections, and a `Map` that moves, are in it. */
  readonly longestBlockMs: number;
}
