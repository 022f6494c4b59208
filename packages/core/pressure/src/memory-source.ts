/** One reading; what a source does not know is absent. Bytes. */
export interface MemoryReading {
  /** The most that may be used, or Infinity. */
  readonly limitBytes?: number;
  /** Where the limit was found, for people: a file, a flag. */
  readonly from?: string;
  readonly usedBytes?: number;
  /** Share of time, 0 to 1, in which some task stalled for memory, over the last 10 s. */
  readonly stalledShare?: number;
  /** What could not be read, and what was assumed instead. */
  readonly notes?: readonly string[];
}

/** Where memory figures come from. */
export interface MemorySource {
  readonly name: string;
  /** Null when there is nothing of the kind on this machine. Never throws. */
  read(): MemoryReading | null;
}
