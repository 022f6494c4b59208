/** What the service answers to a hit. */
export interface Hit {
  readonly client: string;
  /** Of this client so far, this one included. */
  readonly hits: number;
}

/** What the service tells of its cache. */
export interface ServiceStats {
  readonly updates: number;
  readonly flushedKeys: number;
  readonly replayedRecords: number;
}

/** What the process of the service says when it listens. */
export interface Ready {
  readonly port: number;
}
