import type { JournalPin } from '@core/journal';
import type { OrderedStore, StoreOperation } from '@core/ordered-store';
import { BtreeKeyError, reasonOf } from '../btree-key-error.js';
import type { ReplayableJournal } from '../options.js';
import { readRecord } from './records.js';

/** A batch is written when it has so many keys, or so many bytes of values. */
const MAX_KEYS = 4096;
const MAX_BYTES = 8 * 2 ** 20;

export interface Replayed {
  readonly records: number;
  readonly keys: number;
}

/**
 * Brings the store up to the journal: writes the last value of each key that the records behind the mark name.
 *
 * A record holds whole values, never changes to them, so the order of the last one of each key is all that counts: the
 * store may have any later state of any key already, and the replay may be killed and begun again anywhere. Each batch
 * moves the mark together with its values, and the records stay pinned until the last batch is durable.
 */
export async function replay(store: OrderedStore, journal: ReplayableJournal): Promise<Replayed> {
  try {
    const stored = await store.mark();
    const last = journal.lastSequence;
    const pass = new Replay(store, journal);
    // Where the mark is ahead, the journal has lost its end, or is another one: the store is newer than all it has.
    const replayed = await pass.run(Math.min(stored, last));
    if (stored !== last) {
      // A mark that stayed ahead would have the journal's next records passed over at the next start.
      await store.batch([], { durable: true, mark: last });
    }
    pass.unpin();
    return replayed;
  } catch (error) {
    throw BtreeKeyError.is(error)
      ? error
      : new BtreeKeyError('ERR_BTREE_KEY_REPLAY', `Cannot replay the journal: ${reasonOf(error)}`, { cause: error });
  }
}

class Replay {
  private readonly store: OrderedStore;
  private readonly journal: ReplayableJournal;
  private readonly pin: JournalPin;
  private readonly values = new Map<string, Uint8Array | undefined>();
  private bytes = 0;
  private records = 0;
  private keys = 0;

  constructor(store: OrderedStore, journal: ReplayableJournal) {
    this.store = store;
    this.journal = journal;
    this.pin = journal.createPin();
  }

  async run(mark: number): Promise<Replayed> {
    let sequence = mark;
    for await (const record of this.journal.replay(mark + 1)) {
      if (this.records === 0) {
        // The journal lets go of them when they are read. The store has them a little later.
        this.journal.pin(this.pin, record.sequence);
      }
      for (const { key, value } of readRecord(record.sequence, record.payload)) {
        this.values.set(key, value);
        this.bytes += value?.length ?? 0;
      }
      this.records++;
      sequence = record.sequence;
      if (this.values.size >= MAX_KEYS || this.bytes >= MAX_BYTES) {
        await this.write(sequence);
      }
    }
    await this.write(sequence);
    return { records: this.records, keys: this.keys };
  }

  unpin(): void {
    this.journal.unpin(this.pin);
  }

  private async write(mark: number): Promise<void> {
    if (this.values.size === 0) {
      return;
    }
    const operations: StoreOperation[] = [];
    for (const key of [...this.values.keys()].sort()) {
      const value = this.values.get(key);
      const bytes = Buffer.from(key, 'latin1');
      operations.push(value === undefined ? { type: 'del', key: bytes } : { type: 'put', key: bytes, value });
    }
    this.keys += operations.length;
    this.values.clear();
    this.bytes = 0;
    await this.store.batch(operations, { durable: true, mark });
  }
}
