import type { Clock, Rng, Scheduler } from '@core/base';
import type { JournalOptions, JournalPort, JournalRecord } from '@core/journal';
import type { OrderedStore } from '@core/ordered-store';
import type { SrcuReport } from '@core/rcu';
import type { MemoryGroup, Zone } from '@core/shrinker';
import type { BtreeKeyError } from './btree-key-error.js';

/** A string stands for its UTF-8 bytes: it is the same key as these. At least one byte. */
export type Key = string | Uint8Array;

/** The name of a keyspace in the store: a string of up to 254 bytes, or an integer from 0 to 65,535. */
export type TreeName = string | number;

/** What is asked of a journal here, beside the port: the records that it kept. */
export interface ReplayableJournal extends JournalPort {
  /**
   * Records from a sequence on, in order, as far as they are kept. Asked once, before anything is appended; until it is
   * read to its end, nothing is dropped.
   */
  replay(from: number): AsyncIterable<JournalRecord> | Iterable<JournalRecord>;
}

/** Makes what the cache then owns, and closes after itself. */
export type Opener<T> = () => T | Promise<T>;

export interface BtreeKeyCacheOptions {
  /** For messages, and for the shrinker. Default `'btree-key'`. */
  readonly name?: string;
  /**
   * A store that is handed in stays the caller's to close; one that a function opens is the cache's own. What its durable
   * batches have written must be there when it is opened again: the journal does not keep it for longer.
   */
  readonly store: OrderedStore | Opener<OrderedStore>;
  /**
   * A journal, or a function that opens one, as the store; or the options of `Journal.open`, such as `directory` and
   * `durability`. It must have no other user: what it has behind the store's mark is replayed.
   */
  readonly journal: ReplayableJournal | Opener<ReplayableJournal> | JournalOptions;
  /**
   * Whether keys are kept apart by tree: each key in the store then begins with the name of its tree. Must stay the same
   * for a store. Default false: keys are the store's own.
   */
  readonly trees?: boolean;
  /**
   * Bytes that the cache takes, with what it has evicted and readers may still know: from 65,536, or Infinity. Default
   * 64 MiB.
   */
  readonly maxBytes?: number;
  /**
   * Records of the journal that wait for the store before it is written to for their sake alone. The more, the fewer
   * writes: keys that are updated again meanwhile need none. All of them are replayed on open. Default 4,000,000.
   */
  readonly maxJournalRecords?: number;
  /** The same in bytes, of the records' payloads on average. Default 256 MiB. */
  readonly maxJournalBytes?: number;
  /** Whose memory it takes. Default: nobody's. */
  readonly group?: MemoryGroup | null;
  /** Where its memory is, for the group. Default `'heap'`. */
  readonly zone?: Zone;
  /** Cost to read a key again, for the shrinker. Default 1. */
  readonly seeks?: number;
  /** A transaction that is open for longer than so many milliseconds is reported. Default 10,000. */
  readonly stallMs?: number;
  /** Told of transactions that are open for too long. Default: `process.emitWarning`. */
  readonly onReport?: (report: SrcuReport) => void;
  /** Told of flushes that failed; they are tried again. Default: an uncaught exception. */
  readonly onError?: (error: BtreeKeyError) => void;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  /** Chooses how keys are hashed, so that who chooses the keys cannot know. Default: `Math.random`. */
  readonly rng?: Rng;
}

export interface WriteOptions {
  /** Resolve before the journal has it on disk: a crash may lose it, and all later ones with it. Default: wait. */
  readonly durable?: boolean;
}

/**
 * The next value of a key, from the one it has; undefined is no value, and to answer it is to delete. What it is given is
 * its own to keep, and what it returns is copied.
 *
 * It may be called again if there was no room: it should depend on nothing but its argument. While a promise of it is
 * pending, the key is locked: it must not wait for a write of the same key.
 */
export type Update = (value: Uint8Array | undefined) => Uint8Array | undefined | PromiseLike<Uint8Array | undefined>;

/** A part of a batch. */
export type KeyOperation =
  | { readonly type: 'put'; readonly tree?: TreeName; readonly key: Key; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly tree?: TreeName; readonly key: Key }
  | { readonly type: 'update'; readonly tree?: TreeName; readonly key: Key; readonly update: Update };

/** Bounds are inclusive or exclusive as their names say; of two that say the same, the exclusive one counts. */
export interface KeyRange {
  readonly gte?: Key;
  readonly gt?: Key;
  readonly lte?: Key;
  readonly lt?: Key;
  /** Default: false. */
  readonly reverse?: boolean;
  /** At most so many entries. Default: all. */
  readonly limit?: number;
}

export type KeyEntry = readonly [key: Uint8Array, value: Uint8Array];

/** All counts are since the cache was opened, but for the first eight. */
export interface BtreeKeyStats {
  readonly name: string;
  /** In the cache, deleted ones that the store still has included. */
  readonly keys: number;
  readonly dirty: number;
  /** Evicted, and waiting for readers or for reuse. */
  readonly pending: number;
  /** Of all of these. */
  readonly bytes: number;
  readonly dirtyBytes: number;
  readonly chargedBytes: number;
  /** Records of the journal that the store may lack. */
  readonly unflushedRecords: number;
  readonly hits: number;
  readonly misses: number;
  /** Misses that found no room, and were answered by the store alone. */
  readonly uncached: number;
  /** Keys that were there when room for them had been found. */
  readonly duplicates: number;
  /** Values that were put into the cache and the journal. */
  readonly updates: number;
  readonly flushes: number;
  readonly flushedKeys: number;
  /** Keys whose flush was put off, since the journal had a newer record. */
  readonly movedPins: number;
  readonly flushErrors: number;
  /** Writers that waited for a flush. */
  readonly throttled: number;
  /** Keys taken for other keys: from those that wait for readers, or whose readers have gone. */
  readonly fromPending: number;
  readonly recycled: number;
  /** Keys newly allocated. */
  readonly fresh: number;
  /** Keys taken out of the table right away. */
  readonly stolen: number;
  /** What the shrinker met: each key that it looks at counts as one of these. */
  readonly requestedToFree: number;
  readonly freed: number;
  readonly skippedDirty: number;
  readonly skippedAccessed: number;
  readonly skippedLockFail: number;
  /** Replayed when the cache was opened. */
  readonly replayedRecords: number;
  readonly replayedKeys: number;
}
