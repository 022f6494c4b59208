import type { Engine } from './internal/engine.js';
import type { KeySpace } from './internal/key-space.js';
import { checkRange, range } from './internal/ranges.js';
import type { Key, KeyEntry, KeyRange, TreeName, Update, WriteOptions } from './options.js';

/** One tree of a cache. */
export class KeyTree {
  protected readonly engine: Engine;
  private readonly space: KeySpace;

  /** @internal */
  constructor(engine: Engine, tree: TreeName | undefined) {
    this.engine = engine;
    this.space = engine.space(tree);
  }

  /**
   * The newest value, for the caller to keep; undefined where there is none. Callers that miss at the same time share
   * one read of the store.
   *
   * Rejects with TypeError or RangeError when it is no key, and with BtreeKeyError `ERR_BTREE_KEY_CLOSED`,
   * `ERR_BTREE_KEY_TOO_LARGE`, `ERR_BTREE_KEY_STORE`.
   */
  get(key: Key): Promise<Uint8Array | undefined> {
    try {
      this.engine.assertReadable();
      return this.engine.reader.get(this.space, key);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The newest value if it is in the cache, for the caller to keep; else undefined, as where there is none.
   *
   * @throws {TypeError | RangeError | BtreeKeyError} as {@link get} rejects, but for the store
   */
  getSync(key: Key): Uint8Array | undefined {
    this.engine.assertReadable();
    return this.engine.reader.getSync(this.space, key);
  }

  /**
   * Has `read` look at the value where it is, if it is in the cache, and returns what that does: the fastest read, since
   * nothing is copied. The value is the first `length` of `bytes`. They are the cache's: `read` must not change them, keep
   * them, or write to the cache.
   *
   * @returns undefined where there is no value, or it is not in the cache; then `read` is not called
   * @throws {TypeError | RangeError | BtreeKeyError} as {@link getSync}, and what `read` throws
   */
  peek<T>(key: Key, read: (bytes: Uint8Array, length: number) => T): T | undefined {
    this.engine.assertReadable();
    return this.engine.reader.peek(this.space, key, read);
  }

  /** As {@link get} for each. */
  getMany(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(key)));
  }

  /**
   * Changes a value, and resolves to the new one once the journal has it. What `update` throws rejects, and nothing has
   * changed.
   *
   * Rejects as {@link get}, and with `ERR_BTREE_KEY_JOURNAL`: then the change may be there or not.
   */
  update(key: Key, update: Update, options?: WriteOptions): Promise<Uint8Array | undefined> {
    try {
      if (typeof update !== 'function') {
        throw new TypeError('Cannot update a key: pass a function that returns its next value');
      }
      this.engine.assertOpen();
      return this.engine.writer.write(this.space, key, update, undefined, options?.durable !== false);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Stores a value, whatever was there, without reading it. The bytes are copied. Rejects as {@link update}. */
  async put(key: Key, value: Uint8Array, options?: WriteOptions): Promise<void> {
    this.engine.assertOpen();
    if (!(value instanceof Uint8Array)) {
      throw new TypeError('Cannot put this value: it must be a Uint8Array');
    }
    await this.engine.writer.write(this.space, key, null, value, options?.durable !== false);
  }

  /** Removes a key, whether or not it is there. Rejects as {@link update}. */
  async del(key: Key, options?: WriteOptions): Promise<void> {
    this.engine.assertOpen();
    await this.engine.writer.write(this.space, key, null, undefined, options?.durable !== false);
  }

  /**
   * Keys and values in the order of their bytes, as they were at the moment of the first `next()`: of a batch all or
   * nothing, and nothing that came later. Like every read it has what is not acknowledged yet.
   *
   * The first `next()` copies the values within the bounds that the store lacks, up to `limit`.
   *
   * @throws {TypeError | RangeError} the range is none; reading rejects with `ERR_BTREE_KEY_CLOSED` once the cache is
   *   closed, and with what the store throws
   */
  range(options: KeyRange = {}): AsyncIterableIterator<KeyEntry> {
    checkRange(options);
    return range(this.engine.ranges, this.space, options);
  }
}
