import { checkOptionNames } from '@core/base';
import { BackedStore } from './internal/backed-store.js';
import type { Backend, Cursor } from './internal/backend.js';
import { compareBytes, copyOf } from './internal/bytes.js';
import { failedOf } from './internal/failed.js';
import { InOrder } from './internal/in-order.js';
import { type KeyRange, takeInside } from './internal/key-range.js';
import { type Change, SortedEntries, type Walk } from './internal/sorted-entries.js';
import type { StoreCaps, StoreEntry, StoreOperation } from './ordered-store.js';
import { StoreError } from './store-error.js';

export type StoreAction = 'get' | 'getMany' | 'range' | 'batch' | 'mark' | 'close';

/**
 * Asked before and after each action of a `MemoryStore`: what it throws, the action fails with; what it returns, the
 * action waits for. After `before`, nothing is done yet; before `after`, all is done, and the caller has not heard.
 */
export interface StoreFaults {
  before?(action: StoreAction): void | Promise<void>;
  after?(action: StoreAction): void | Promise<void>;
}

export interface MemoryStoreOptions {
  /** What survives when the store is closed, or just forgotten as in a crash. Default: nothing does. */
  readonly disk?: MemoryDisk;
  readonly faults?: StoreFaults;
  /** Default: Infinity. */
  readonly maxKeyBytes?: number;
  /** Default: Infinity. */
  readonly maxValueBytes?: number;
}

interface Version {
  readonly entries: SortedEntries;
  readonly mark: number;
}

/**
 * What durable batches of a `MemoryStore` are on. Belongs to the store that was opened on it last: batches of one before
 * that fail, as those of a process that was killed.
 */
export class MemoryDisk {
  constructor() {
    CONTENTS.set(this, { saved: EMPTY, owner: null });
  }

  /** How many keys would be there after a crash now. */
  get size(): number {
    return contentsOf(this).saved.entries.length;
  }

  /** The mark that would be there after a crash now. */
  get mark(): number {
    return contentsOf(this).saved.mark;
  }
}

interface DiskContents {
  saved: Version;
  owner: MemoryBackend | null;
}

const EMPTY: Version = { entries: SortedEntries.EMPTY, mark: 0 };
const CONTENTS = new WeakMap<MemoryDisk, DiskContents>();

/**
 * A store in memory, for tests and examples. Batches make versions that share what they have in common, so that each
 * range has its snapshot.
 *
 * Of batches that are not durable, a disk has what came before the last durable one, and all when the store is closed.
 */
export class MemoryStore extends BackedStore {
  readonly #backend: MemoryBackend;

  /** @throws {RangeError} a size that is not above 0 */
  constructor(options: MemoryStoreOptions = {}) {
    checkOptionNames(options, ['disk', 'faults', 'maxKeyBytes', 'maxValueBytes'], 'a MemoryStore');
    const backend = new MemoryBackend(options);
    super(backend);
    this.#backend = backend;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#backend.size;
  }
}

const NO_FAULTS: StoreFaults = {};

class MemoryBackend implements Backend {
  readonly caps: StoreCaps;
  readonly #disk: DiskContents | null;
  readonly #faults: StoreFaults;
  readonly #writes = new InOrder();
  #version: Version;

  constructor({ disk, faults = NO_FAULTS, maxKeyBytes = Infinity, maxValueBytes = Infinity }: MemoryStoreOptions) {
    if (!(maxKeyBytes > 0) || !(maxValueBytes > 0)) {
      throw new RangeError(
        `Cannot create a MemoryStore of keys up to ${maxKeyBytes} bytes and values up to ${maxValueBytes}: both must be above 0`,
      );
    }
    this.caps = { maxKeyBytes, maxValueBytes, durable: disk !== undefined, snapshots: true };
    this.#disk = disk === undefined ? null : contentsOf(disk);
    this.#faults = faults;
    this.#version = this.#disk?.saved ?? EMPTY;
    if (this.#disk !== null) {
      this.#disk.owner = this;
    }
  }

  get size(): number {
    return this.#version.entries.length;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const wanted = copyOf(key);
    return this.#act('get', () => this.#read(wanted));
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const wanted = keys.map(copyOf);
    return this.#act('getMany', () => wanted.map((key) => this.#read(key)));
  }

  async openCursor(range: KeyRange): Promise<Cursor> {
    return this.#act('range', () => new MemoryCursor(this.#version.entries, range));
  }

  async write(operations: readonly StoreOperation[], durable: boolean, mark: number | undefined): Promise<void> {
    const changes = changesOf(operations);
    return this.#writes.run(() => this.#act('batch', () => this.#apply(changes, durable, mark)));
  }

  async mark(): Promise<number> {
    return this.#act('mark', () => this.#version.mark);
  }

  async close(): Promise<void> {
    return this.#act('close', () => {
      if (this.#disk?.owner === this) {
        this.#disk.saved = this.#version;
        this.#disk.owner = null;
      }
    });
  }

  faultOf(error: unknown, action: string): StoreError {
    return failedOf(error, action);
  }

  #read(key: Uint8Array): Uint8Array | undefined {
    const value = this.#version.entries.get(key);
    return value === undefined ? undefined : copyOf(value);
  }

  #apply(changes: readonly Change[], durable: boolean, mark: number = this.#version.mark): void {
    if (this.#disk !== null && this.#disk.owner !== this) {
      throw new StoreError(
        'ERR_STORE_FAILED',
        'Cannot store a batch: the disk was opened by another store; open it again',
      );
    }
    this.#version = { entries: this.#version.entries.with(changes), mark };
    if (durable && this.#disk !== null) {
      this.#disk.saved = this.#version;
    }
  }

  async #act<T>(action: StoreAction, work: () => T): Promise<T> {
    await this.#faults.before?.(action);
    const result = work();
    await this.#faults.after?.(action);
    return result;
  }
}

class MemoryCursor implements Cursor {
  readonly #range: KeyRange;
  readonly #walk: Walk;

  constructor(entries: SortedEntries, range: KeyRange) {
    this.#range = range;
    this.#walk = range.reverse ? entries.walkBack(range.upper) : entries.walk(range.lower);
  }

  next(count: number): StoreEntry[] {
    return takeInside(this.#range, count, () => this.#walk.next()).map(([key, value]) => [copyOf(key), copyOf(value)]);
  }

  close(): void {}
}

function contentsOf(disk: MemoryDisk): DiskContents {
  const contents = CONTENTS.get(disk);
  if (contents === undefined) {
    throw new TypeError('Cannot create a MemoryStore on this disk: it is no MemoryDisk');
  }
  return contents;
}

/** Copies, by key; of a key that comes twice, the last. */
function changesOf(operations: readonly StoreOperation[]): Change[] {
  const changes = operations.map((operation): Change => [
    copyOf(operation.key),
    operation.type === 'put' ? copyOf(operation.value) : undefined,
  ]);
  // The sort is stable.
  changes.sort((one, other) => compareBytes(one[0], other[0]));
  return changes.filter((change, index) => {
    const next = changes[index + 1];
    return next === undefined || compareBytes(change[0], next[0]) !== 0;
  });
}
