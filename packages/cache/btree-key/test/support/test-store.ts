import type {
  OrderedStore,
  StoreBatchOptions,
  StoreCaps,
  StoreEntry,
  StoreOperation,
  StoreRange,
} from '@core/ordered-store';

interface Version {
  readonly entries: ReadonlyMap<string, Uint8Array>;
  readonly mark: number;
}

type Action = 'get' | 'range' | 'batch' | 'batched' | 'mark';

/** A store in memory that does what it is told: waits, fails, tears nothing, and crashes. */
export class TestStore implements OrderedStore {
  readonly caps: StoreCaps = { maxKeyBytes: 1000, maxValueBytes: 1_000_000, durable: true, snapshots: true };
  /** Called before each operation, and as `batched` after a batch: may wait, or throw. */
  before: ((action: Action, detail: unknown) => void | Promise<void>) | null = null;
  /** Only after {@link readsAtOnce}. */
  getSync?: (key: Uint8Array) => Uint8Array | undefined;
  readonly batches: { readonly operations: readonly StoreOperation[]; readonly options: StoreBatchOptions }[] = [];
  gets = 0;
  private version: Version = { entries: new Map(), mark: 0 };
  private saved: Version = this.version;

  /** What a crash leaves on the disk: the last durable batch, and maybe later ones. */
  crash(keepsAll = false): TestStore {
    const next = new TestStore();
    next.version = keepsAll ? this.version : this.saved;
    next.saved = next.version;
    this.before = () => {
      throw new Error('crashed');
    };
    return next;
  }

  /** As lmdb does. Nobody waits for `before` then; it may throw. */
  readsAtOnce(): this {
    this.getSync = (key) => {
      this.gets++;
      const name = latin(key);
      void this.before?.('get', name);
      return this.version.entries.get(name)?.slice();
    };
    return this;
  }

  /** What is in the store, as text. */
  get contents(): Record<string, string> {
    return Object.fromEntries(
      [...this.version.entries].map(([key, value]) => [key, Buffer.from(value).toString('latin1')]),
    );
  }

  get currentMark(): number {
    return this.version.mark;
  }

  /** Puts text there, as if it had always been there. */
  preset(entries: Record<string, string>): this {
    const all = new Map(this.version.entries);
    for (const [key, value] of Object.entries(entries)) {
      all.set(key, new Uint8Array(Buffer.from(value, 'latin1')));
    }
    this.version = { ...this.version, entries: all };
    this.saved = this.version;
    return this;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.gets++;
    const name = latin(key);
    await this.before?.('get', name);
    return this.version.entries.get(name)?.slice();
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  async *range(range: StoreRange): AsyncGenerator<StoreEntry, void, undefined> {
    await this.before?.('range', range);
    const { entries } = this.version;
    const { gte, gt, lte, lt, reverse, limit = Infinity } = range;
    const keys = [...entries.keys()]
      .filter((key) => (gt === undefined ? gte === undefined || key >= latin(gte) : key > latin(gt)))
      .filter((key) => (lt === undefined ? lte === undefined || key <= latin(lte) : key < latin(lt)))
      .sort();
    let left = limit;
    for (const key of reverse === true ? keys.toReversed() : keys) {
      if (left-- <= 0) {
        return;
      }
      yield [new Uint8Array(Buffer.from(key, 'latin1')), (entries.get(key) as Uint8Array).slice()];
      await Promise.resolve();
    }
  }

  async batch(operations: readonly StoreOperation[], options: StoreBatchOptions = {}): Promise<void> {
    await this.before?.('batch', operations);
    // Not copied before the wait: who hands bytes in must leave them alone until the batch has ended.
    const entries = new Map(this.version.entries);
    for (const operation of operations) {
      if (operation.type === 'put') {
        entries.set(latin(operation.key), new Uint8Array(operation.value));
      } else {
        entries.delete(latin(operation.key));
      }
    }
    this.version = { entries, mark: options.mark ?? this.version.mark };
    if (options.durable === true) {
      this.saved = this.version;
    }
    this.batches.push({ operations: [...operations], options });
    await this.before?.('batched', operations);
  }

  async mark(): Promise<number> {
    await this.before?.('mark', null);
    return this.version.mark;
  }

  async close(): Promise<void> {}
}

function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
