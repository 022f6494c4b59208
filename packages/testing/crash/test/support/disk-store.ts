import { MemoryStore, type OrderedStore, type StoreBatchOptions, type StoreOperation } from '@core/ordered-store';

import type { SimDisk } from '../../src/index.js';

const DIRECTORY = '/store';
const FILE = `${DIRECTORY}/data`;

/** How a store may lie. */
export interface StoreLies {
  /** A batch is told of before it is on disk. */
  readonly early?: boolean;
}

interface Contents {
  readonly mark: number;
  readonly entries: readonly (readonly [key: string, value: string])[];
}

/**
 * A store on a simulated disk, beside the journal. A batch is a new file with all that there is, which takes the place of
 * the old one: there as a whole or not at all, whenever the power fails.
 */
export class DiskStore implements OrderedStore {
  readonly caps: OrderedStore['caps'];
  readonly #disk: SimDisk;
  readonly #lies: StoreLies;
  readonly #inner = new MemoryStore({ maxKeyBytes: 100, maxValueBytes: 10_000 });
  readonly #entries = new Map<string, string>();
  #mark = 0;
  #written: Promise<void> = Promise.resolve();

  private constructor(disk: SimDisk, lies: StoreLies) {
    this.#disk = disk;
    this.#lies = lies;
    this.caps = { ...this.#inner.caps, durable: true };
  }

  static async open(disk: SimDisk, lies: StoreLies = {}): Promise<DiskStore> {
    const store = new DiskStore(disk, lies);
    await disk.makeDirectory(DIRECTORY);
    if ((await disk.list(DIRECTORY)).includes('data')) {
      // What a sync is told of can be read: a name that is not synced yet may be gone after the next power loss.
      await disk.syncDirectory(DIRECTORY);
      const { mark, entries } = JSON.parse(disk.bytesOf(FILE).toString()) as Contents;
      await store.#apply(
        entries.map(([key, value]) => ({
          type: 'put',
          key: Buffer.from(key, 'hex'),
          value: Buffer.from(value, 'hex'),
        })),
        mark,
      );
    }
    return store;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.getSync(key);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    const value = this.#entries.get(Buffer.from(key).toString('hex'));
    return value === undefined ? undefined : Buffer.from(value, 'hex');
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#inner.getMany(keys);
  }

  range(range: Parameters<OrderedStore['range']>[0]): ReturnType<OrderedStore['range']> {
    return this.#inner.range(range);
  }

  async mark(): Promise<number> {
    return this.#mark;
  }

  batch(
    operations: readonly StoreOperation[],
    { durable = false, mark = this.#mark }: StoreBatchOptions = {},
  ): Promise<void> {
    if (!durable) {
      throw new Error('Cannot store a batch: this store has durable ones only');
    }
    const batch = this.#written.then(async () => {
      await this.#apply(operations, mark);
      const saved = this.#save();
      await (this.#lies.early === true ? undefined : saved);
    });
    this.#written = batch.catch(() => {});
    return batch;
  }

  async close(): Promise<void> {
    await this.#written;
    await this.#inner.close();
  }

  async #apply(operations: readonly StoreOperation[], mark: number): Promise<void> {
    for (const operation of operations) {
      const key = Buffer.from(operation.key).toString('hex');
      if (operation.type === 'put') {
        this.#entries.set(key, Buffer.from(operation.value).toString('hex'));
      } else {
        this.#entries.delete(key);
      }
    }
    this.#mark = mark;
    await this.#inner.batch(operations);
  }

  async #save(): Promise<void> {
    const contents: Contents = { mark: this.#mark, entries: [...this.#entries] };
    const bytes = Buffer.from(JSON.stringify(contents));
    if (this.#lies.early === true) {
      // What was told of comes a good deal later.
      for (let turn = 0; turn < 50; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const file = await this.#disk.open(`${FILE}.new`, 'create');
    await file.write(bytes, 0, bytes.length, 0);
    await file.sync();
    await file.close();
    await this.#disk.rename(`${FILE}.new`, FILE);
    await this.#disk.syncDirectory(DIRECTORY);
  }
}
