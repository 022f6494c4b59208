import { AbstractLevel, type AbstractDatabaseOptions, type AbstractIteratorOptions } from 'abstract-level';
import { type BegunRange, KeyLevelIterator } from './key-level-iterator.js';
import type { LevelBackend, LevelBackendRange, LevelOperation } from './level-backend.js';
import { type EncodedRange, toBackendKey, toBackendRange, toSoughtRange } from './level-keys.js';

/** Keys that `clear` deletes at once. */
const CLEAR_BATCH = 1000;

export interface KeyLevelOptions<K, V> extends AbstractDatabaseOptions<K, V> {
  /** Whether what was written is there when it is opened again, for `supports`. Default: true. */
  readonly permanence?: boolean;
}

interface WriteOptions {
  readonly sync?: boolean;
}

/**
 * The key cache, or a store, as a database of abstract-level: for whatever is written for `classic-level` and its kin.
 *
 * `sync` of `put`, `del` and `batch` is what the backend calls `durable`; without it the backend's default counts, which
 * for a key cache is to wait for its journal. An iterator reads from the snapshot of the moment it was made, and after
 * `seek` from one of that moment. There is no `getSync`, and no explicit snapshot.
 *
 * @see https://github.com/Level/abstract-level
 */
export class KeyLevel<K = string, V = string> extends AbstractLevel<Uint8Array, K, V> {
  readonly #source: LevelBackend | (() => LevelBackend | Promise<LevelBackend>);
  #backend: LevelBackend | null = null;
  /** Iterators that have not got their snapshot yet. */
  readonly #snapshots = new Set<Promise<unknown>>();

  /**
   * @param source a backend, which stays the caller's to close; or a function that opens one whenever the database is
   *   opened, which closes with it
   * @throws {TypeError} it is neither
   */
  constructor(
    source: LevelBackend | (() => LevelBackend | Promise<LevelBackend>),
    options: KeyLevelOptions<K, V> = {},
  ) {
    if (typeof source !== 'function' && typeof source?.range !== 'function') {
      throw new TypeError('Cannot create a KeyLevel: pass a key cache, a store, or a function that opens one');
    }
    const { permanence = true, ...rest } = options;
    super(
      {
        encodings: { view: true },
        has: true,
        seek: true,
        // Iterators have them, but not those that seek.
        implicitSnapshots: false,
        permanence,
        createIfMissing: false,
        errorIfExists: false,
      },
      rest,
    );
    this.#source = source;
  }

  async _open(): Promise<void> {
    this.#backend = typeof this.#source === 'function' ? await this.#source() : this.#source;
  }

  async _close(): Promise<void> {
    const backend = this.#opened;
    this.#backend = null;
    if (typeof this.#source === 'function') {
      await backend.close();
    }
  }

  async _get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#opened.get(toBackendKey(key));
  }

  async _getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#opened.getMany(keys.map(toBackendKey));
  }

  async _has(key: Uint8Array): Promise<boolean> {
    return (await this._get(key)) !== undefined;
  }

  async _hasMany(keys: readonly Uint8Array[]): Promise<boolean[]> {
    const values = await this._getMany(keys);
    return values.map((value) => value !== undefined);
  }

  async _put(key: Uint8Array, value: Uint8Array, options: WriteOptions): Promise<void> {
    await this.#write([{ type: 'put', key: toBackendKey(key), value }], options);
  }

  async _del(key: Uint8Array, options: WriteOptions): Promise<void> {
    await this.#write([{ type: 'del', key: toBackendKey(key) }], options);
  }

  async _batch(operations: readonly LevelOperation[], options: WriteOptions): Promise<void> {
    await this.#write(
      operations.map((operation) => ({ ...operation, key: toBackendKey(operation.key) })),
      options,
    );
  }

  /** Deletes what is there now, some keys at a time: what is written meanwhile may stay. */
  async _clear(options: EncodedRange & WriteOptions): Promise<void> {
    let operations: LevelOperation[] = [];
    for await (const [key] of this.#opened.range(toBackendRange(options))) {
      operations.push({ type: 'del', key });
      if (operations.length === CLEAR_BATCH) {
        await this.#write(operations, options);
        operations = [];
      }
    }
    await this.#write(operations, options);
  }

  _iterator(options: AbstractIteratorOptions<K, V> & EncodedRange): KeyLevelIterator<K, V> {
    return new KeyLevelIterator(this, options, (target) => {
      const range = target === undefined ? toBackendRange(options) : toSoughtRange(options, target);
      return range === null ? null : this.#begin(range);
    });
  }

  get #opened(): LevelBackend {
    // abstract-level calls nothing but `_open` on a database that is not open.
    return this.#backend as LevelBackend;
  }

  async #write(operations: readonly LevelOperation[], { sync }: WriteOptions): Promise<void> {
    if (this.#snapshots.size > 0) {
      // A snapshot that was asked for before this write must not have it.
      await Promise.allSettled(this.#snapshots);
    }
    await this.#opened.batch(operations, sync === undefined ? {} : { durable: sync });
  }

  #begin(bounds: LevelBackendRange): BegunRange {
    const range = this.#opened.range(bounds);
    const first = range.next();
    const settled = (): void => {
      this.#snapshots.delete(first);
    };
    this.#snapshots.add(first);
    // Whoever reads the iterator hears of a fault.
    first.then(settled, settled);
    return { range, first };
  }
}
