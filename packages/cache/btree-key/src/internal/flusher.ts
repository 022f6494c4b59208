import type { Scheduled, Scheduler } from '@core/base';
import type { JournalPort } from '@core/journal';
import type { OrderedStore } from '@core/ordered-store';
import { BtreeKeyError, reasonOf } from '../btree-key-error.js';
import type { PinEpoch } from './cached-key.js';
import type { Core } from './core.js';
import { MIN_FLUSH } from './dirty-limits.js';
import { FlushBatch } from './flush-batch.js';

/** Keys of one batch of the store at most, of so many looked at. */
const MAX_FLUSH = 2048;
/** A batch takes such a share of the dirty keys: a sync of the store costs as much for few as for many. */
const FLUSH_SHARE = 8;
/** Where somebody waits for it, a batch takes so many at least. */
const DEMANDED_FLUSH = 512;
const MAX_LOOKS = 8 * MAX_FLUSH;
const MIN_BACKOFF_MS = 10;
const MAX_BACKOFF_MS = 5000;

export interface FlusherOptions {
  readonly core: Core;
  readonly journal: JournalPort;
  readonly store: OrderedStore;
  readonly maxJournalRecords: number;
  readonly maxJournalBytes: number;
  readonly scheduler: Scheduler;
  readonly onError: (error: BtreeKeyError) => void;
  readonly onJournalFailed: (error: unknown) => void;
}

/**
 * Writes dirty keys to the store, those first whose records are the oldest in the journal.
 *
 * A value goes to the store only after the journal has its record on disk, and a record is let go of only after the
 * store has its value on disk. One batch at a time; updates go on meanwhile.
 *
 * @see fs/bcachefs/btree_key_cache.c, bch2_btree_key_cache_journal_flush
 */
export class Flusher {
  flushes = 0;
  flushedKeys = 0;
  movedPins = 0;
  errors = 0;
  throttled = 0;
  /** Records up to this one have nothing that the store lacks. */
  mark = 0;
  /** While it is above 0 no batch begins: somebody takes a snapshot of the store. */
  private snapshots = 0;
  private readonly options: FlusherOptions;
  private readonly core: Core;
  private readonly batch = new FlushBatch();
  /** Who waits for the next batch to end, however it ends. */
  private progressWaiters: (() => void)[] = [];
  private snapshotWaiters: (() => void)[] = [];
  private demanded = 0;
  /** What `core.dirtied` was when the last batch of the background was put together. */
  private dirtiedBefore = 0;
  /** Keys of the last batch that could not be written, since the journal is dead and never had their values. */
  private leftOut = 0;
  private running = false;
  private stopped = false;
  private backoffMs = 0;
  private backoff: { readonly timer: Scheduled; readonly wake: () => void } | null = null;
  private busy: Promise<unknown> = Promise.resolve();

  constructor(options: FlusherOptions) {
    this.options = options;
    this.core = options.core;
  }

  /** Flushes in the background if there is reason to. Cheap. */
  kick(): void {
    if (!this.running && !this.stopped && this.wanted) {
      this.running = true;
      void this.run();
    }
  }

  /** Resolves when a batch has ended, well or not: then look again. */
  progress(): Promise<void> {
    if (this.stopped) {
      return Promise.resolve();
    }
    this.demanded++;
    return new Promise((resolve) => {
      this.progressWaiters.push(() => {
        this.demanded--;
        resolve();
      });
      this.kick();
    });
  }

  /** Lets a writer wait while too much is dirty. @throws what `check` throws, which is asked after each batch */
  async throttle(check: () => void): Promise<void> {
    this.throttled++;
    do {
      await this.progress();
      check();
    } while (!this.core.waitDone);
  }

  /**
   * Writes everything to the store that the journal had when it was called.
   *
   * @throws {BtreeKeyError} `ERR_BTREE_KEY_STORE`, `ERR_BTREE_KEY_JOURNAL`
   */
  async flushAll(): Promise<void> {
    const { core, options } = this;
    const last = options.journal.lastSequence;
    while (core.pins.low <= last) {
      const flushed = await this.exclusively(() => this.flush(MAX_FLUSH, last, false));
      if (flushed === 0 && this.leftOut > 0) {
        throw this.deadError(null);
      }
    }
    if (this.mark < last) {
      // Nothing that is dirty needs them: the next start need not look at them.
      await this.exclusively(() => {
        this.batch.clear();
        return this.write(last);
      });
    }
    try {
      // Lets go of records that are not needed any more.
      await options.journal.sync();
    } catch (error) {
      options.onJournalFailed(error);
      throw this.deadError(error);
    }
  }

  /** Begins no batch as long as a store takes its snapshot, so that it is one of this very moment. */
  async holdOff<T>(takeSnapshot: () => Promise<T>): Promise<T> {
    this.snapshots++;
    try {
      return await takeSnapshot();
    } finally {
      this.snapshots--;
      if (this.snapshots === 0) {
        wakeAll(this.snapshotWaiters);
      }
    }
  }

  /** Those who wait for room look whether there is still something to wait for. */
  wake(): void {
    wakeAll(this.progressWaiters);
  }

  /** Nothing is flushed in the background any more. Waits for the batch that is under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.backoff?.timer.cancel();
    this.backoff?.wake();
    await this.busy;
  }

  private get wanted(): boolean {
    const { core } = this;
    return (
      core.dirty > 0 &&
      (core.isFlushDue(core.dirtied - this.dirtiedBefore, this.batchKeys) || this.demanded > 0 || this.journalIsLong)
    );
  }

  private get batchKeys(): number {
    const least = this.demanded > 0 ? DEMANDED_FLUSH : MIN_FLUSH;
    return Math.min(Math.max(Math.floor(this.core.dirty / FLUSH_SHARE), least), MAX_FLUSH);
  }

  private get journalIsLong(): boolean {
    const { journal, maxJournalRecords, maxJournalBytes } = this.options;
    const records = journal.lastSequence - this.core.pins.low;
    return records >= maxJournalRecords || records * this.core.recordBytes >= maxJournalBytes;
  }

  private async run(): Promise<void> {
    const { core, options } = this;
    while (this.wanted && !this.stopped) {
      const { dirtied } = core;
      try {
        const flushed = await this.exclusively(() => this.flush(this.batchKeys, Infinity, true));
        this.backoffMs = 0;
        this.dirtiedBefore = dirtied;
        if (flushed === 0) {
          // Somebody else has flushed all, or the journal is dead: whoever waits finds out.
          break;
        }
      } catch (error) {
        this.errors++;
        options.onError(error as BtreeKeyError);
        wakeAll(this.progressWaiters);
        await this.backOff();
      }
      wakeAll(this.progressWaiters);
    }
    this.running = false;
    wakeAll(this.progressWaiters);
  }

  private backOff(): Promise<void> {
    if (this.stopped) {
      return Promise.resolve();
    }
    this.backoffMs = Math.min(Math.max(MIN_BACKOFF_MS, 2 * this.backoffMs), MAX_BACKOFF_MS);
    return new Promise((wake) => {
      const timer = this.options.scheduler.after(this.backoffMs, wake);
      this.backoff = { timer, wake };
    });
  }

  private exclusively<T>(section: () => Promise<T>): Promise<T> {
    const result = this.busy.then(section);
    this.busy = result.catch(() => {});
    return result;
  }

  /**
   * One batch: of the keys that need the oldest records, up to one that needs a record behind `upTo`.
   *
   * @param mayMove whether a key with a newer record may just let go of its older ones, and be flushed later
   * @returns how many keys were flushed or moved
   */
  private async flush(count: number, upTo: number, mayMove: boolean): Promise<number> {
    const { core, batch } = this;
    const { journal } = this.options;
    const moves = this.collect(count, upTo, mayMove);
    this.leftOut = 0;
    const last = journal.lastSequence;
    if (batch.taken.length > 0 || moves.length > 0) {
      try {
        // The journal first: else a crash could leave a value in the store that nobody was promised, and a mark that
        // the journal's next sequences would have to get past.
        await journal.sync();
      } catch (error) {
        this.options.onJournalFailed(error);
        this.leftOut = batch.dropAfter(journal.durableSequence);
      }
    }
    let moved = 0;
    for (const { key, sequence } of moves) {
      // By now its record is on disk, unless the journal is dead; all of its newer ones are younger.
      if (sequence <= journal.durableSequence) {
        core.pins.move(key, sequence);
        moved++;
      } else {
        this.leftOut++;
      }
    }
    this.movedPins += moved;
    if (batch.taken.length > 0) {
      await this.write(last);
    }
    return batch.taken.length + moved;
  }

  private collect(count: number, upTo: number, mayMove: boolean): { key: PinnedKey; sequence: number }[] {
    const { batch } = this;
    const moves: { key: PinnedKey; sequence: number }[] = [];
    batch.clear();
    let looks = 0;
    for (const key of this.core.dirtyKeys()) {
      const epoch = key.pinned as PinEpoch;
      if (epoch.low > upTo || batch.taken.length >= count || looks++ >= MAX_LOOKS) {
        break;
      }
      if (mayMove && epoch.next !== null && key.sequence >= epoch.next.low) {
        moves.push({ key, sequence: key.sequence });
      } else {
        batch.add(key);
      }
    }
    return moves;
  }

  /** @param last the newest record when the batch was put together */
  private async write(last: number): Promise<void> {
    const { core, batch } = this;
    const { store, journal } = this.options;
    while (this.snapshots > 0) {
      await new Promise<void>((resolve) => {
        this.snapshotWaiters.push(resolve);
      });
    }
    const mark = Math.max(this.mark, Math.min(this.lowWithoutBatch() - 1, last, journal.durableSequence));
    if (batch.taken.length === 0 && mark === this.mark) {
      return;
    }
    try {
      await store.batch(batch.operations(), { durable: true, mark });
    } catch (error) {
      throw new BtreeKeyError(
        'ERR_BTREE_KEY_STORE',
        `Cannot flush ${batch.taken.length} keys: ${reasonOf(error)}; they stay dirty, and in the journal`,
        { cause: error },
      );
    }
    this.mark = mark;
    this.flushes++;
    this.flushedKeys += batch.taken.length;
    for (const { key, sequence } of batch.taken) {
      if (key.sequence === sequence) {
        core.clean(key);
      } else {
        // Updated meanwhile: of its records only the newer ones are needed.
        core.pins.move(key, sequence);
      }
    }
  }

  /** The oldest record that is needed once this batch is written. Never too high. */
  private lowWithoutBatch(): number {
    const leaving = new Map<PinEpoch, number>();
    let low = Infinity;
    for (const { key, sequence } of this.batch.taken) {
      const epoch = key.pinned as PinEpoch;
      leaving.set(epoch, (leaving.get(epoch) ?? 0) + 1);
      if (key.sequence !== sequence) {
        low = Math.min(low, sequence + 1);
      }
    }
    for (let epoch = this.core.pins.oldest; epoch !== null && epoch.low < low; epoch = epoch.next) {
      if (epoch.count > (leaving.get(epoch) ?? 0)) {
        return epoch.low;
      }
    }
    return low;
  }

  private deadError(cause: unknown): BtreeKeyError {
    return new BtreeKeyError(
      'ERR_BTREE_KEY_JOURNAL',
      `Cannot flush ${this.core.dirty} keys: the journal has failed, and their newest values are not in it`,
      cause === null ? {} : { cause },
    );
  }
}

type PinnedKey = Parameters<Core['clean']>[0];

function wakeAll(waiters: (() => void)[]): void {
  for (const wake of waiters.splice(0)) {
    wake();
  }
}
