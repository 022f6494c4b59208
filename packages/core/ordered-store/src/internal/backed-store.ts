import type {
  OrderedStore,
  StoreBatchOptions,
  StoreCaps,
  StoreEntry,
  StoreOperation,
  StoreRange,
} from '../ordered-store.js';
import { StoreError } from '../store-error.js';
import type { Backend, Cursor } from './backend.js';
import { checkBatch, checkKey } from './check-input.js';
import { type KeyRange, toKeyRange } from './key-range.js';

/** A range asks for few entries at first, since many are left early, then for twice as many each time up to this. */
const FIRST_CHUNK = 4;
const LARGEST_CHUNK = 128;

/**
 * The store that all backends share: checks input, gives errors their codes, and counts what runs, so that the backend
 * is closed when nothing uses it any more.
 */
export class BackedStore implements OrderedStore {
  /** Only if the backend has it. */
  readonly getSync?: (key: Uint8Array) => Uint8Array | undefined;
  readonly #backend: Backend;
  readonly #cursors = new Set<Cursor>();
  #running = 0;
  #idle: (() => void) | null = null;
  #closed = false;
  #closing: Promise<void> | null = null;

  constructor(backend: Backend) {
    this.#backend = backend;
    if (backend.getSync !== undefined) {
      this.getSync = (key) => this.#getSync(key);
    }
  }

  get caps(): StoreCaps {
    return this.#backend.caps;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    checkKey(key, this.caps, 'get a key');
    this.#enter('get a key');
    try {
      return await this.#backend.get(key);
    } catch (error) {
      throw this.#backend.faultOf(error, 'get a key');
    } finally {
      this.#leave();
    }
  }

  #getSync(key: Uint8Array): Uint8Array | undefined {
    checkKey(key, this.caps, 'get a key');
    this.#checkOpen('get a key');
    try {
      return this.#backend.getSync?.(key);
    } catch (error) {
      throw this.#backend.faultOf(error, 'get a key');
    }
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    if (!Array.isArray(keys)) {
      throw new TypeError('Cannot get keys: they are no array');
    }
    for (const key of keys as readonly Uint8Array[]) {
      checkKey(key, this.caps, 'get keys');
    }
    this.#enter('get keys');
    try {
      return await this.#backend.getMany(keys);
    } catch (error) {
      throw this.#backend.faultOf(error, 'get keys');
    } finally {
      this.#leave();
    }
  }

  /**
   * A snapshot is held from the first `next()` until the end, `return()`, or `close()`: leave no range half read.
   *
   * @throws {TypeError} {@link StoreRange} with a bound that is no `Uint8Array`, or an unknown name
   * @throws {RangeError} a limit that is no whole number ≥0
   */
  range(range: StoreRange): AsyncIterableIterator<StoreEntry> {
    return this.#entries(toKeyRange(range));
  }

  async *#entries(range: KeyRange | null): AsyncGenerator<StoreEntry, void, undefined> {
    if (range === null) {
      this.#checkOpen('read a range');
      return;
    }
    const cursor = await this.#run('read a range', () => this.#openCursor(range));
    try {
      let left = range.limit;
      let size = FIRST_CHUNK;
      while (left > 0) {
        const count = Math.min(size, left);
        const entries = await this.#run('read a range', () => cursor.next(count));
        for (const entry of entries) {
          this.#checkOpen('read a range');
          yield entry;
        }
        if (entries.length < count) {
          return;
        }
        left -= count;
        size = Math.min(size * 2, LARGEST_CHUNK);
      }
    } finally {
      // Whatever is still in the set when the store closes, `close()` closes.
      if (!this.#closed && this.#cursors.delete(cursor)) {
        await this.#run('end a range', () => cursor.close());
      }
    }
  }

  async #openCursor(range: KeyRange): Promise<Cursor> {
    const cursor = await this.#backend.openCursor(range);
    this.#cursors.add(cursor);
    return cursor;
  }

  async batch(operations: readonly StoreOperation[], options: StoreBatchOptions = {}): Promise<void> {
    checkBatch(operations, options, this.caps);
    const { durable = false, mark } = options;
    this.#enter('store a batch');
    try {
      if (operations.length > 0 || mark !== undefined) {
        await this.#backend.write(operations, durable, mark);
      }
    } catch (error) {
      throw this.#backend.faultOf(error, 'store a batch');
    } finally {
      this.#leave();
    }
  }

  mark(): Promise<number> {
    return this.#run('read the mark', () => this.#backend.mark());
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    try {
      // The backend is closed also when a cursor cannot be: nobody could try again.
      const ended = await Promise.allSettled([...this.#cursors].map(async (cursor) => cursor.close()));
      this.#cursors.clear();
      await this.#backend.close();
      for (const end of ended) {
        if (end.status === 'rejected') {
          throw end.reason;
        }
      }
    } catch (error) {
      throw this.#backend.faultOf(error, 'close the store');
    }
  }

  async #run<T>(action: string, work: () => T | Promise<T>): Promise<T> {
    this.#enter(action);
    try {
      return await work();
    } catch (error) {
      throw this.#backend.faultOf(error, action);
    } finally {
      this.#leave();
    }
  }

  #enter(action: string): void {
    this.#checkOpen(action);
    this.#running++;
  }

  #leave(): void {
    if (--this.#running === 0) {
      this.#idle?.();
    }
  }

  #checkOpen(action: string): void {
    if (this.#closed) {
      throw new StoreError('ERR_STORE_CLOSED', `Cannot ${action}: the store is closed; open it again`);
    }
  }
}
