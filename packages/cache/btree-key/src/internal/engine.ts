import { type Rng, systemClock, systemScheduler } from '@core/base';
import type { OrderedStore } from '@core/ordered-store';
import { Srcu } from '@core/rcu';
import { BtreeKeyError, reasonOf } from '../btree-key-error.js';
import type { BtreeKeyCacheOptions, ReplayableJournal, TreeName } from '../options.js';
import { Activity } from './activity.js';
import { Admission } from './admission.js';
import { Core } from './core.js';
import { Flusher } from './flusher.js';
import { guarded } from './guarded.js';
import type { KeySpace } from './key-space.js';
import type { RangePorts } from './ranges.js';
import { Reader } from './reader.js';
import { SizeLimits } from './size-limits.js';
import { Writer } from './writer.js';

const DEFAULT_BYTES = 64 * 2 ** 20;
const DEFAULT_JOURNAL_RECORDS = 4_000_000;
const DEFAULT_JOURNAL_BYTES = 256 * 2 ** 20;
const DEFAULT_STALL_MS = 10_000;
const SYSTEM_RNG: Rng = { next: () => Math.random() };

/** Open, refusing writes while the last ones are flushed, and done. */
type State = 'open' | 'closing' | 'closed';

/** The parts of a cache, put together, and taken down in the one right order. */
export class Engine {
  readonly name: string;
  readonly srcu: Srcu;
  readonly core: Core;
  readonly reader: Reader;
  readonly flusher: Flusher;
  readonly writer: Writer;
  readonly limits: SizeLimits;
  readonly journal: ReplayableJournal;
  readonly ranges: RangePorts;
  readonly onError: (error: BtreeKeyError) => void;
  /** What the cache must close after itself. */
  private readonly owned: readonly { close(): Promise<void> }[];
  private readonly activity = new Activity();
  private readonly admission: Admission;
  private readonly withTrees: boolean;
  private state: State = 'open';

  constructor(
    options: BtreeKeyCacheOptions,
    store: OrderedStore,
    journal: ReplayableJournal,
    owned: readonly { close(): Promise<void> }[],
  ) {
    const { maxBytes = DEFAULT_BYTES, clock = systemClock, scheduler = systemScheduler } = options;
    this.name = options.name ?? 'btree-key';
    this.withTrees = options.trees === true;
    this.journal = journal;
    this.owned = owned;
    this.onError = guarded(options.onError);
    this.srcu = new Srcu({
      name: this.name,
      stallMs: options.stallMs ?? DEFAULT_STALL_MS,
      ...(options.onReport === undefined ? {} : { onReport: options.onReport }),
      clock,
      scheduler,
    });
    const { maxKeyBytes, maxValueBytes } = store.caps;
    this.core = new Core({
      journal,
      rcu: this.srcu,
      maxBytes,
      maxKeyBytes,
      group: options.group ?? null,
      zone: options.zone ?? 'heap',
      clock,
      scheduler,
      hashSeed: Math.floor((options.rng ?? SYSTEM_RNG).next() * 2 ** 31),
    });
    const { core, activity, onError } = this;
    this.reader = new Reader(core, store, activity);
    this.flusher = new Flusher({
      core,
      journal,
      store,
      maxJournalRecords: options.maxJournalRecords ?? DEFAULT_JOURNAL_RECORDS,
      maxJournalBytes: options.maxJournalBytes ?? DEFAULT_JOURNAL_BYTES,
      scheduler,
      onError,
      onJournalFailed: (error) => void this.admission.fail(error),
    });
    this.flusher.mark = journal.lastSequence;
    const { reader, flusher } = this;
    this.admission = new Admission({ core, flusher, activity, scheduler, assertOpen: () => this.assertOpen() });
    this.limits = new SizeLimits(maxBytes, maxValueBytes);
    const { admission, limits } = this;
    this.writer = new Writer({ core, reader, flusher, admission, limits, journal, activity });
    this.ranges = { core, store, flusher, assertOpen: () => this.assertReadable() };
  }

  space(tree: TreeName | undefined): KeySpace {
    if (!this.withTrees) {
      if (tree === undefined) {
        return this.core.space(null);
      }
      throw new BtreeKeyError(
        'ERR_BTREE_KEY_NO_TREES',
        `Cannot use tree ${JSON.stringify(tree)} of "${this.name}": it was opened without trees; pass trees: true`,
      );
    }
    return this.core.space(tree ?? '');
  }

  /** @throws {BtreeKeyError} `ERR_BTREE_KEY_CLOSED` */
  assertOpen(): void {
    if (this.state !== 'open') {
      throw this.closedError('change a key');
    }
  }

  /** Reads go on until all is flushed. @throws {BtreeKeyError} `ERR_BTREE_KEY_CLOSED` */
  assertReadable(): void {
    if (this.state === 'closed') {
      throw this.closedError('read a key');
    }
  }

  /**
   * Refuses writes, waits for what is under way, flushes, and takes everything down, whether or not that worked.
   *
   * @throws {BtreeKeyError} `ERR_BTREE_KEY_DIRTY`, or what a part of it threw
   */
  async close(): Promise<void> {
    this.state = 'closing';
    const { core, flusher } = this;
    flusher.wake();
    await this.activity.idle();
    await flusher.stop();
    const failures: unknown[] = [];
    const attempt = async (step: () => PromiseLike<void>): Promise<void> => {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    };
    await attempt(() => this.flushLast());
    this.state = 'closed';
    await this.activity.idle();
    core.clear();
    await attempt(() => core.allocator.close());
    await attempt(() => this.srcu[Symbol.asyncDispose]());
    for (const part of this.owned) {
      await attempt(() => part.close());
    }
    if (failures.length > 0) {
      // The first says most: the others mostly follow from it.
      throw failures[0];
    }
  }

  private async flushLast(): Promise<void> {
    try {
      await this.flusher.flushAll();
    } catch (error) {
      const { dirty } = this.core;
      if (dirty === 0) {
        throw error;
      }
      throw new BtreeKeyError(
        'ERR_BTREE_KEY_DIRTY',
        `Cannot finish closing "${this.name}": ${dirty} keys are not in the store: ${reasonOf(error)}; those that were acknowledged are replayed from the journal when it is opened again`,
        { cause: error },
      );
    }
  }

  private closedError(action: string): BtreeKeyError {
    return new BtreeKeyError('ERR_BTREE_KEY_CLOSED', `Cannot ${action}: "${this.name}" is closed; open a new cache`);
  }
}
