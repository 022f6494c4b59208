export interface MemoryOrder {
  readonly peer: string;
  readonly capacity: number;
  readonly keys: 'integer' | 'string';
}

/** Of all entries together, besides their keys and values. */
export interface MemoryOutcome {
  readonly entries: number;
  /** Heap and array buffers, after as many entries as there is room for; and after twice as many. */
  readonly heapBytes: number;
  readonly heapBytesEvicting: number;
  /** Of the resident set, at the end. */
  readonly rssBytes: number;
}
