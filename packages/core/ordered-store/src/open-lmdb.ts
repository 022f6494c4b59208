import { ByteArena, checkOptionNames } from '@core/base';
import type * as Lmdb from 'lmdb';
import { BackedStore } from './internal/backed-store.js';
import type { Backend, Cursor } from './internal/backend.js';
import { bytesOfMark, markOfBytes } from './internal/bytes.js';
import { failedOf } from './internal/failed.js';
import { type KeyRange, takeInside } from './internal/key-range.js';
import { checkLmdbFiles, roomIn } from './internal/lmdb-files.js';
import { Waves } from './internal/waves.js';
import type { OrderedStore, StoreCaps, StoreEntry, StoreOperation } from './ordered-store.js';
import { StoreError } from './store-error.js';

export interface LmdbOptions {
  /** A directory, made where there is none; with an extension (`counters.mdb`) a file. */
  readonly path: string;
  /** How many ranges may be open at once, in all processes together. Default: 126. */
  readonly maxReaders?: number;
}

type Table = Lmdb.Database<Uint8Array, Uint8Array>;
type Root = Lmdb.RootDatabase<Uint8Array, Uint8Array>;

const CAPS: StoreCaps = { maxKeyBytes: 1978, maxValueBytes: 2 ** 30, durable: true, snapshots: true };
const MARK_KEY = Uint8Array.of(0);
/** ENOSPC, EFBIG, EDQUOT, MDB_MAP_FULL. */
const FULL: ReadonlySet<unknown> = new Set([28, 27, 122, -30792]);
const EIO = 5;
/** What a batch may take besides its own bytes: for each key the pages above it, and the list of free pages. */
const BYTES_A_KEY = 16_384;
const SPARE_BYTES = 2 ** 20;
/** Memory of a batch up to so large is used again. */
const KEPT_BYTES = 8 * 2 ** 20;

/**
 * Opens a store on lmdb, which is loaded now.
 *
 * Reads are synchronous inside. Batches are written and synced by a thread; those that come while it is busy share the
 * next transaction and its sync. Every batch is on disk when it resolves, `durable` or not.
 *
 * @throws {StoreError} ERR_STORE_UNAVAILABLE, ERR_STORE_FULL, ERR_STORE_FAILED
 * @see https://github.com/kriszyp/lmdb-js
 */
export async function openLmdb(options: LmdbOptions): Promise<OrderedStore> {
  checkOptionNames(options, ['path', 'maxReaders'], 'an lmdb store');
  const { path, maxReaders = 126 } = options;
  if (typeof path !== 'string' || path === '') {
    throw new TypeError('Cannot open an lmdb store: "path" is no path');
  }
  if (!Number.isSafeInteger(maxReaders) || maxReaders < 1) {
    throw new RangeError(`Cannot open an lmdb store for ${maxReaders} readers: pass a whole number ≥1`);
  }
  const { open } = await load();
  try {
    await checkLmdbFiles(path);
    const root = open<Uint8Array, Uint8Array>({
      path,
      maxReaders,
      maxDbs: 2,
      // A transaction is synced before it is visible: one whose sync failed was never there, and `close()` does not
      // wait for it for ever.
      overlappingSync: false,
      // With it, lmdb keeps a promise of its own for each turn's writes, and nobody catches it when the disk is full.
      eventTurnBatching: false,
      // A wave is one transaction: none is begun before all of the wave is there.
      txnStartThreshold: Number.MAX_SAFE_INTEGER,
    } as Lmdb.RootDatabaseOptionsWithPath);
    try {
      return new BackedStore(new LmdbBackend(root, path));
    } catch (error) {
      await root.close();
      throw error;
    }
  } catch (error) {
    throw failedOf(error, 'open an lmdb store');
  }
}

async function load(): Promise<typeof Lmdb> {
  try {
    return await import('lmdb');
  } catch (error) {
    throw new StoreError(
      'ERR_STORE_UNAVAILABLE',
      'Cannot open an lmdb store: lmdb does not load; install it with its binary for this platform',
      { cause: error },
    );
  }
}

class LmdbBackend implements Backend {
  readonly caps: StoreCaps = CAPS;
  readonly #root: Root;
  readonly #path: string;
  /** Keys and the mark are apart: none of the user's keys can be the mark's. */
  readonly #entries: Table;
  readonly #marks: Table;
  readonly #waves = new Waves();
  /** Of a batch that has ended: a new one each time would make the collector run. */
  #spareCopy: BatchCopy | null = null;
  /** What left the environment unusable: a transaction begun now would never end. */
  #panic: unknown = null;

  constructor(root: Root, path: string) {
    this.#root = root;
    this.#path = path;
    const binary = { keyEncoding: 'binary', encoding: 'binary' } as const;
    this.#entries = root.openDB<Uint8Array, Uint8Array>('entries', binary);
    this.#marks = root.openDB<Uint8Array, Uint8Array>('marks', binary);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.getSync(key);
  }

  getSync(key: Uint8Array): Uint8Array | undefined {
    return plain(this.#entries.getBinary(key));
  }

  getMany(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    // Not lmdb's own `getMany`: its thread may still be reading when the environment is closed.
    return keys.map((key) => plain(this.#entries.getBinary(key)));
  }

  openCursor(range: KeyRange): Cursor {
    return new LmdbCursor(this.#entries, range);
  }

  async write(operations: readonly StoreOperation[], _durable: boolean, mark: number | undefined): Promise<void> {
    const copy = this.#spareCopy ?? new BatchCopy();
    // Somebody's until the batch has ended.
    this.#spareCopy = null;
    copy.take(operations);
    // While a transaction runs, none may be queued: one begun after a panic would never end.
    await this.#waves.run(() => this.#store(copy, mark));
    // Not after a failure, when lmdb may still look at it.
    copy.clear();
    this.#spareCopy = copy;
  }

  async #store(copy: BatchCopy, mark: number | undefined): Promise<void> {
    if (this.#panic !== null) {
      throw this.#panic;
    }
    const { needsBytes } = copy;
    if (this.#isFull(null, needsBytes)) {
      throw noRoom(needsBytes);
    }
    try {
      await this.#entries.batch(() => {
        for (const [at, key] of copy.keys.entries()) {
          const value = copy.values[at] as Uint8Array | null;
          if (value === null) {
            void this.#entries.remove(key);
          } else {
            void this.#entries.put(key, value);
          }
        }
        if (mark !== undefined) {
          void this.#marks.put(MARK_KEY, bytesOfMark(mark));
        }
      });
    } catch (error) {
      const cause = await causeOf(error);
      if (!this.#answers()) {
        this.#panic = cause;
      } else if (this.#isFull(cause, needsBytes)) {
        throw noRoom(needsBytes, cause);
      }
      throw cause;
    }
  }

  mark(): number {
    return markOfBytes(this.#marks.getBinary(MARK_KEY));
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  faultOf(error: unknown, action: string): StoreError {
    return this.#panic === null
      ? failedOf(error, action)
      : new StoreError('ERR_STORE_FAILED', `Cannot ${action}: lmdb could not write its root; open the store again`, {
          cause: this.#panic,
        });
  }

  /** Whether lmdb still works after a failed batch. It does not when it could not write its root. */
  #answers(): boolean {
    try {
      // The transaction of earlier reads would not notice.
      this.#root.resetReadTxn();
      this.mark();
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Asked before each batch, since a write that fails makes lmdb write a message over the end of its buffer, which may
   * end the process; and after one that failed, since a write that a full disk cut short comes as EIO.
   */
  #isFull(cause: unknown, needsBytes: number): boolean {
    const code: unknown = (cause as { code?: unknown } | null)?.code;
    return FULL.has(code) || ((cause === null || code === EIO) && roomIn(this.#path) < needsBytes);
  }
}

function noRoom(bytes: number, cause?: unknown): StoreError {
  return new StoreError(
    'ERR_STORE_FULL',
    `Cannot store a batch: it may take ${bytes} bytes, and the disk has less; make room and try again`,
    cause === undefined ? {} : { cause },
  );
}

/** All keys and values of a batch: they are looked at when the caller has its own back. */
class BatchCopy {
  readonly keys: Uint8Array[] = [];
  /** Null: the key is to be deleted. */
  readonly values: (Uint8Array | null)[] = [];
  /** What it may take on the disk. */
  needsBytes = 0;
  readonly #arena = new ByteArena(KEPT_BYTES);

  take(operations: readonly StoreOperation[]): void {
    let bytes = 0;
    for (const operation of operations) {
      const value = operation.type === 'put' ? operation.value : null;
      bytes += operation.key.length + (value === null ? 0 : value.length);
      this.keys.push(this.#copyOf(operation.key));
      this.values.push(value === null ? null : this.#copyOf(value));
    }
    this.needsBytes = bytes + operations.length * BYTES_A_KEY + SPARE_BYTES;
  }

  clear(): void {
    this.keys.length = 0;
    this.values.length = 0;
    this.#arena.clear();
  }

  #copyOf(bytes: Uint8Array): Uint8Array {
    const copy = this.#arena.take(bytes.length);
    copy.set(bytes);
    return copy;
  }
}

class LmdbCursor implements Cursor {
  readonly #range: KeyRange;
  readonly #iterator: Iterator<{ key: Uint8Array; value: Uint8Array }>;

  constructor(entries: Table, range: KeyRange) {
    this.#range = range;
    const { reverse } = range;
    const start = (reverse ? range.upper : range.lower)?.subarray(0, CAPS.maxKeyBytes);
    const entriesFrom = entries.getRange({
      reverse,
      ...(start === undefined ? {} : { start }),
      // Given, though undefined: without it, a reverse range would end before the key of one zero byte.
      end: undefined as unknown as Uint8Array,
    });
    this.#iterator = entriesFrom[Symbol.iterator]();
  }

  next(count: number): StoreEntry[] {
    return takeInside(this.#range, count, () => {
      const { done, value: entry } = this.#iterator.next();
      return done === true ? undefined : [plain(entry.key), plain(entry.value)];
    });
  }

  close(): void {
    this.#iterator.return?.();
  }
}

/** A copy already, that no later read changes; without what a `Buffer` does in another way. */
function plain<T extends Uint8Array | undefined>(bytes: T): T {
  return bytes && (new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) as T);
}

/** What lmdb says of a commit is an error that holds a promise of the reason. */
async function causeOf(error: unknown): Promise<unknown> {
  const reason = (error as { commitError?: Promise<unknown> } | null)?.commitError;
  try {
    await reason;
  } catch (cause) {
    return cause;
  }
  return error;
}
