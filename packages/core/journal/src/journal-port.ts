/** When `append` resolves: on disk; handed to the system, on disk within an interval; handed over, never synced. */
export type Durability = 'every' | 'interval' | 'none';

/**
 * What keeps records from being dropped: as long as a pin is held at a sequence, no segment with that sequence, or a
 * later one, is dropped. Made once for each thing that is pinned, and moved: it is the journal's own list node.
 */
export interface JournalPin {
  /** The sequence pinned, or 0: nothing is. */
  readonly sequence: number;
}

/** A record as it was appended. */
export interface JournalRecord {
  /** 1, 2, 3 … without a gap, over all segments. */
  readonly sequence: number;
  /** A view that is good until the next record is asked for. */
  readonly payload: Uint8Array;
}

/** What caches need of a journal: `Journal` is one, and a journal in memory for tests is another. */
export interface JournalPort {
  /** The sequence of the newest record, 0 before the first. */
  readonly lastSequence: number;
  /** The sequence up to which all is durable, as `durability` says. */
  readonly durableSequence: number;
  /**
   * Adds a record; its bytes are copied before this returns.
   *
   * @returns its sequence, at once. It is not durable before `committed(sequence)` has resolved
   * @throws JournalError ERR_JOURNAL_DEAD after any write or sync that failed; ERR_JOURNAL_CLOSED;
   *   ERR_JOURNAL_RECORD_TOO_LARGE
   */
  append(payload: Uint8Array): number;
  /**
   * Resolves when the record is as durable as `durability` says: many that wait share one sync.
   *
   * Rejects with JournalError ERR_JOURNAL_DEAD if it cannot be.
   */
  committed(sequence: number): Promise<void>;
  /** A pin that holds nothing yet. */
  createPin(): JournalPin;
  /** Holds the pin at a sequence: later than before, or first. */
  pin(pin: JournalPin, sequence: number): void;
  unpin(pin: JournalPin): void;
  /** The oldest sequence that is pinned, or `lastSequence + 1`. */
  readonly oldestPinned: number;
  /**
   * The pins that hold something, oldest first: what to write back to let the journal be dropped. Pins may be moved and
   * taken off while this goes on, also the one that was handed out last.
   */
  pins(): Iterable<JournalPin>;
  /** Syncs all that was appended, and drops segments that no pin needs. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
