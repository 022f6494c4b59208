import { checkOptionNames } from '@core/base';
import { BackedStore } from './internal/backed-store.js';
import type { Backend, Cursor } from './internal/backend.js';
import { bytesOfMark, compareBytes, copyOf, markOfBytes } from './internal/bytes.js';
import { failedOf } from './internal/failed.js';
import { InOrder } from './internal/in-order.js';
import type { KeyRange } from './internal/key-range.js';
import type { OrderedStore, StoreCaps, StoreEntry, StoreOperation } from './ordered-store.js';
import { StoreError } from './store-error.js';

/** Of an abstract-level database, whatever its own keys and values are, as much as the store needs: bytes. */
export interface Level {
  readonly supports: { readonly permanence: boolean; readonly implicitSnapshots: boolean };
  get(key: Uint8Array, options: LevelEncodings): Promise<Uint8Array | undefined>;
  getMany(keys: Uint8Array[], options: LevelEncodings): Promise<(Uint8Array | undefined)[]>;
  batch(operations: StoreOperation[], options: LevelEncodings): Promise<void>;
  iterator(options: LevelEncodings & LevelRange): LevelIterator;
  close(): Promise<void>;
}

/** What abstract-level calls bytes. */
export interface LevelEncodings {
  readonly keyEncoding: 'view';
  readonly valueEncoding: 'view';
}

export interface LevelRange {
  gt?: Uint8Array;
  gte?: Uint8Array;
  lt?: Uint8Array;
  lte?: Uint8Array;
  reverse: boolean;
}

export interface LevelIterator {
  /** May be fewer than asked for; none at the end. */
  nextv(count: number): Promise<[Uint8Array, Uint8Array][]>;
  close(): Promise<void>;
}

export interface LevelStoreOptions {
  /**
   * The one key that the store keeps for itself: its value is the mark. Ranges leave it out, and calls that name it fail.
   * Default: the bytes 0, 'reclaim:mark'.
   */
  readonly markKey?: Uint8Array;
}

const MARK_KEY = new TextEncoder().encode('\0reclaim:mark');
const BYTES: LevelEncodings = { keyEncoding: 'view', valueEncoding: 'view' };
/** Of a disk without room LevelDB has no code, only the system's words. */
const FULL = /ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/;

/**
 * A store on a database of abstract-level: classic-level, memory-level, a sublevel of either. The store's keys are the
 * database's keys. Closing the store closes the database.
 *
 * A durable batch passes `sync: true`, which classic-level heeds: its log is synced before the batch resolves. Order
 * must be bytewise, as it is for all databases of the Level organisation.
 *
 * @throws {TypeError} `level` is no such database, or `markKey` no `Uint8Array` of at least one byte
 */
export function storeOfLevel(level: Level, options: LevelStoreOptions = {}): OrderedStore {
  checkOptionNames(options, ['markKey'], 'a store on a level');
  const { markKey = MARK_KEY } = options;
  if (typeof level?.batch !== 'function' || typeof level.iterator !== 'function') {
    throw new TypeError('Cannot create a store on this: it is no abstract-level database');
  }
  if (!(markKey instanceof Uint8Array) || markKey.length === 0) {
    throw new TypeError('Cannot create a store on a level: "markKey" is no Uint8Array of at least one byte');
  }
  return new BackedStore(new LevelBackend(level, copyOf(markKey)));
}

class LevelBackend implements Backend {
  readonly caps: StoreCaps;
  readonly #level: Level;
  readonly #markKey: Uint8Array;
  /** Threads of a database may overtake each other. */
  readonly #writes = new InOrder();

  constructor(level: Level, markKey: Uint8Array) {
    this.#level = level;
    this.#markKey = markKey;
    this.caps = {
      maxKeyBytes: Infinity,
      maxValueBytes: Infinity,
      durable: level.supports.permanence,
      snapshots: level.supports.implicitSnapshots,
    };
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#checkKey(key, 'get a key');
    return ownOf(await this.#level.get(copyOf(key), BYTES));
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    for (const key of keys) {
      this.#checkKey(key, 'get keys');
    }
    const values = await this.#level.getMany(keys.map(copyOf), BYTES);
    return values.map(ownOf);
  }

  openCursor({ lower, lowerOpen, upper, upperOpen, reverse }: KeyRange): Cursor {
    const iterator = this.#level.iterator({
      ...BYTES,
      reverse,
      ...(lower === undefined ? {} : { [lowerOpen ? 'gt' : 'gte']: lower }),
      ...(upper === undefined ? {} : { [upperOpen ? 'lt' : 'lte']: upper }),
    });
    return new LevelCursor(iterator, this.#markKey);
  }

  async write(operations: readonly StoreOperation[], durable: boolean, mark: number | undefined): Promise<void> {
    const batch = operations.map((operation): StoreOperation => {
      this.#checkKey(operation.key, `${operation.type} a key`);
      const key = copyOf(operation.key);
      return operation.type === 'put' ? { type: 'put', key, value: copyOf(operation.value) } : { type: 'del', key };
    });
    if (mark !== undefined) {
      batch.push({ type: 'put', key: this.#markKey, value: bytesOfMark(mark) });
    }
    const options: LevelEncodings & { readonly sync: boolean } = { ...BYTES, sync: durable };
    await this.#writes.run(() => this.#level.batch(batch, options));
  }

  async mark(): Promise<number> {
    return markOfBytes(await this.#level.get(this.#markKey, BYTES));
  }

  async close(): Promise<void> {
    await this.#level.close();
  }

  faultOf(error: unknown, action: string): StoreError {
    if (!StoreError.is(error) && error instanceof Error && FULL.test(`${error.message} ${causeOf(error)}`)) {
      return new StoreError(
        'ERR_STORE_FULL',
        `Cannot ${action}: no room on the disk; make room and open the store again`,
        {
          cause: error,
        },
      );
    }
    return failedOf(error, action);
  }

  #checkKey(key: Uint8Array, action: string): void {
    if (compareBytes(key, this.#markKey) === 0) {
      throw new StoreError(
        'ERR_STORE_KEY_RESERVED',
        `Cannot ${action}: the key is the store's own, for its mark; choose another "markKey"`,
      );
    }
  }
}

class LevelCursor implements Cursor {
  readonly #iterator: LevelIterator;
  readonly #markKey: Uint8Array;

  constructor(iterator: LevelIterator, markKey: Uint8Array) {
    this.#iterator = iterator;
    this.#markKey = markKey;
  }

  async next(count: number): Promise<StoreEntry[]> {
    const found: StoreEntry[] = [];
    while (found.length < count) {
      // May be fewer than asked for before the end.
      const entries = await this.#iterator.nextv(count - found.length);
      if (entries.length === 0) {
        break;
      }
      for (const [key, value] of entries) {
        if (compareBytes(key, this.#markKey) !== 0) {
          found.push([copyOf(key), copyOf(value)]);
        }
      }
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#iterator.close();
  }
}

/** Databases in memory may hand out what they hold. */
function ownOf(value: Uint8Array | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : copyOf(value);
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? cause.message : '';
}
