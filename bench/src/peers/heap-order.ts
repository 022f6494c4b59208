/** How the caches of a process are bounded: together by a host, or each by entries or bytes. */
export type Bound =
  | { readonly by: 'memory' }
  | { readonly by: 'entries'; readonly peer: string; readonly max: number }
  | { readonly by: 'bytes'; readonly maxBytes: number };

export interface HeapOrder {
  readonly bound: Bound;
  readonly feedBytes: number;
}

export interface HeapOutcome {
  /** Of values that the caches still have. */
  readonly keptBytes: number;
}
