import { isThenable } from '@core/base';
import { Journal } from '@core/journal';
import {
  type ShrinkControl,
  SHRINK_EMPTY,
  SHRINK_STOP,
  type Shrinker,
  type ShrinkerSpec,
  type Zone,
} from '@core/shrinker';

import { checkJournal, checkOptions, checkStore, isJournalOptions } from './internal/check-options.js';
import { KEPT_KEYS } from './internal/dirty-limits.js';
import { Engine } from './internal/engine.js';
import { planOf } from './internal/plan.js';
import { type Replayed, replay } from './internal/replay.js';
import { KeyTransaction } from './key-transaction.js';
import { KeyTree } from './key-tree.js';
import type {
  BtreeKeyCacheOptions,
  BtreeKeyStats,
  KeyOperation,
  Opener,
  ReplayableJournal,
  TreeName,
  WriteOptions,
} from './options.js';

const DEFAULT_SEEKS = 1;
/** Keys to a scan: one costs little to look at, and no bucket is left half done. */
const SCAN_BATCH = 16_384;

/**
 * A write-back cache of hot keys in front of an ordered store.
 *
 * An update changes the key in memory and appends the new value to the journal; it resolves when the journal has it. The
 * store gets the newest value of a key when a flush comes to it, however often it was updated, in batches sorted by key.
 * After a crash the journal is replayed: nothing that was acknowledged is lost.
 *
 * What is read is the newest value, acknowledged or not. Updates of a key happen one after the other, in the order in
 * which they were asked for; a batch happens at once. With `trees`, the operations of the cache itself are those of the
 * tree `''`.
 *
 * The cache must be the only writer of its store.
 *
 * @see fs/bcachefs/btree_key_cache.c
 */
export class BtreeKeyCache extends KeyTree implements AsyncDisposable {
  private readonly options: BtreeKeyCacheOptions;
  private readonly replayed: Replayed;
  private readonly trees = new Map<TreeName, KeyTree>();
  private closing: Promise<void> | null = null;

  /** @internal Use {@link open}. */
  constructor(engine: Engine, options: BtreeKeyCacheOptions, replayed: Replayed) {
    super(engine, undefined);
    this.options = options;
    this.replayed = replayed;
  }

  /**
   * Opens a cache: brings the store up to the journal, and is ready then.
   *
   * @throws {TypeError | RangeError} an option is wrong
   * @throws {BtreeKeyError} `ERR_BTREE_KEY_REPLAY`; nothing is lost, and it may be tried again
   * @throws what the functions that open store and journal throw
   */
  static async open(options: BtreeKeyCacheOptions): Promise<BtreeKeyCache> {
    checkOptions(options);
    const owned: { close(): Promise<void> }[] = [];
    try {
      // The journal first, and closed last: its lock keeps others off the store.
      const journal = await opened(journalOf(options.journal), checkJournal, owned);
      const store = await opened(options.store, checkStore, owned);
      const replayed = await replay(store, journal);
      return new BtreeKeyCache(new Engine(options, store, journal, owned.toReversed()), options, replayed);
    } catch (error) {
      for (const part of owned.toReversed()) {
        // What is to be told is why it could not be opened.
        await part.close().catch(() => {});
      }
      throw error;
    }
  }

  get name(): string {
    return this.engine.name;
  }

  /**
   * A tree of the store: keys in different trees are different keys.
   *
   * @throws {BtreeKeyError} `ERR_BTREE_KEY_NO_TREES`
   * @throws {TypeError | RangeError} it is no name
   */
  tree(name: TreeName): KeyTree {
    let tree = this.trees.get(name);
    if (tree === undefined) {
      tree = new KeyTree(this.engine, name);
      this.trees.set(name, tree);
    }
    return tree;
  }

  /**
   * Changes several keys at once: all of them or none, in memory, in the journal and after a crash. Of a key that comes
   * more than once, the operations follow one another. Rejects as {@link update}.
   */
  async batch(operations: readonly KeyOperation[], options?: WriteOptions): Promise<void> {
    const { engine } = this;
    engine.assertOpen();
    const plan = planOf(operations, (tree) => engine.space(tree), engine.limits);
    if (plan.length > 0) {
      await engine.writer.writeBatch(plan, options?.durable !== false);
    }
  }

  /**
   * Runs `section` as a reader: what it finds is not freed before it ends, whatever it awaits. One that stays longer than
   * `stallMs` is reported: evicted keys cannot be freed meanwhile, only used again.
   *
   * @throws {BtreeKeyError} `ERR_BTREE_KEY_CLOSED`
   */
  transaction<T>(section: (transaction: KeyTransaction) => PromiseLike<T>): Promise<T>;
  transaction<T>(section: (transaction: KeyTransaction) => T): T;
  transaction<T>(section: (transaction: KeyTransaction) => T | PromiseLike<T>): T | Promise<T> {
    const { engine } = this;
    engine.assertReadable();
    const transaction = new KeyTransaction(engine.core, (tree) => engine.space(tree));
    return engine.srcu.read<T>(() => ended(transaction, section), section.name || 'transaction');
  }

  /**
   * Writes to the store, durably, what the journal had when it was called.
   *
   * Rejects with `ERR_BTREE_KEY_STORE`, `ERR_BTREE_KEY_JOURNAL`: then the rest stays dirty.
   */
  async flush(): Promise<void> {
    this.engine.assertOpen();
    await this.engine.flusher.flushAll();
  }

  /**
   * What to register with a `ShrinkerRegistry`, so that the cache gives back its share under pressure. In a group,
   * {@link attach} it then. It must be freed before the cache is closed.
   */
  asShrinker(): ShrinkerSpec {
    const { allocator } = this.engine.core;
    const zone = this.options.zone ?? 'heap';
    return {
      name: this.name,
      seeks: this.options.seeks ?? DEFAULT_SEEKS,
      batch: SCAN_BATCH,
      ...(this.options.group ? { groupAware: true, zoneAware: true } : {}),
      retiredBytes: (asked: Zone) => (asked === zone ? allocator.pendingBytes : 0),
      skipped: () => ({ dirty: this.engine.core.dirty }),
      count: (sc) => this.count(sc),
      scan: (sc) => this.scan(sc),
    };
  }

  /**
   * Has passes over the cache's group, and those that its limits begin, reach the cache. Once, after the shrinker that
   * {@link asShrinker} describes was registered; a plugin has done it. Without a group nothing is to do.
   *
   * @returns the shrinker
   * @throws {TypeError | ShrinkerError} it is no shrinker, or of another registry than the group
   */
  attach(shrinker: Shrinker): Shrinker {
    this.options.group?.setShrinkerBit(shrinker, this.options.zone ?? 'heap');
    return shrinker;
  }

  stats(): BtreeKeyStats {
    const { core, reader, flusher, writer, journal } = this.engine;
    const { allocator, table, walker } = core;
    return {
      name: this.name,
      keys: table.count,
      dirty: core.dirty,
      pending: allocator.pending,
      bytes: allocator.used,
      dirtyBytes: core.dirtyBytes,
      chargedBytes: allocator.ledger?.charged ?? 0,
      unflushedRecords: Math.max(0, journal.lastSequence + 1 - core.pins.low),
      hits: reader.hits,
      misses: reader.misses,
      uncached: reader.uncached,
      duplicates: core.duplicates,
      updates: writer.updates,
      flushes: flusher.flushes,
      flushedKeys: flusher.flushedKeys,
      movedPins: flusher.movedPins,
      flushErrors: flusher.errors,
      throttled: flusher.throttled,
      fromPending: allocator.fromPending,
      recycled: allocator.recycled,
      fresh: allocator.fresh,
      stolen: allocator.stolen,
      ...walker.counts,
      replayedRecords: this.replayed.records,
      replayedKeys: this.replayed.keys,
    };
  }

  /** The counters as lines of text, for a look by eye. */
  describe(): string {
    const stats = this.stats();
    return Object.entries(stats)
      .map(([name, value]) => `${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}:\t${value}\n`)
      .join('');
  }

  /**
   * Refuses writes, waits for operations and transactions that are under way, flushes all keys, and lets go of
   * everything: of store and journal if they are its own. Reads go on until all is flushed. Idempotent.
   *
   * Rejects with `ERR_BTREE_KEY_DIRTY` if not all keys could be flushed; everything else was done nevertheless.
   */
  close(): Promise<void> {
    this.closing ??= this.engine.close();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** For tests: throws when the books do not balance. */
  checkInvariants(): void {
    this.engine.core.checkInvariants();
  }

  private count(sc: ShrinkControl): number {
    const { core } = this.engine;
    if (!this.isAskedBy(sc)) {
      return 0;
    }
    if (sc.mode === 'direct') {
      core.allocator.ledger?.drain();
    }
    const { count } = core.table;
    // A group that was told of nothing would not ask again, and nobody tells it of the next key.
    return count === 0 && core.allocator.ledger === null ? SHRINK_EMPTY : Math.max(0, count - core.dirty - KEPT_KEYS);
  }

  private scan(sc: ShrinkControl): number {
    const { core } = this.engine;
    if (!this.isAskedBy(sc)) {
      sc.nrScanned = 0;
      return SHRINK_STOP;
    }
    // They are nobody's, and cost nothing to make again.
    core.allocator.dropSpares();
    const freed = core.walker.scan(sc);
    core.allocator.ledger?.drain();
    return freed;
  }

  private isAskedBy(sc: ShrinkControl): boolean {
    const { ledger } = this.engine.core.allocator;
    return (
      ledger === null || (sc.zone === (this.options.zone ?? 'heap') && (sc.group === null || sc.group === ledger.owner))
    );
  }
}

function ended<T>(
  transaction: KeyTransaction,
  section: (transaction: KeyTransaction) => T | PromiseLike<T>,
): T | PromiseLike<T> {
  let result: T | PromiseLike<T>;
  try {
    result = section(transaction);
  } catch (error) {
    transaction.end();
    throw error;
  }
  if (isThenable(result)) {
    return endedLater(transaction, result);
  }
  transaction.end();
  return result;
}

async function endedLater<T>(transaction: KeyTransaction, result: PromiseLike<T>): Promise<T> {
  try {
    return await result;
  } finally {
    transaction.end();
  }
}

function journalOf(journal: BtreeKeyCacheOptions['journal']): ReplayableJournal | Opener<ReplayableJournal> {
  return isJournalOptions(journal) ? () => Journal.open(journal) : journal;
}

/** What a function opens is the cache's own. */
async function opened<T extends { close(): Promise<void> }>(
  source: T | Opener<T>,
  check: (it: unknown) => void,
  owned: { close(): Promise<void> }[],
): Promise<T> {
  if (typeof source !== 'function') {
    return source;
  }
  const it = await source();
  check(it);
  owned.push(it);
  return it;
}
