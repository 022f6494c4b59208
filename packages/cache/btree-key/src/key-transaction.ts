import { BtreeKeyError } from './btree-key-error.js';
import type { CachedKey } from './internal/cached-key.js';
import type { Core } from './internal/core.js';
import type { KeySpace } from './internal/key-space.js';
import type { Key } from './options.js';

/**
 * A section during which what it has found stays what it is, or is seen to be something else: none of it is freed.
 *
 * It does not keep keys in the cache, and does not isolate from writers.
 */
export class KeyTransaction {
  private readonly core: Core;
  private readonly spaceOf: (tree: string | number | undefined) => KeySpace;
  private over = false;

  /** @internal */
  constructor(core: Core, spaceOf: (tree: string | number | undefined) => KeySpace) {
    this.core = core;
    this.spaceOf = spaceOf;
  }

  /**
   * A handle on a key that is in the cache, or undefined. Neither locks nor waits.
   *
   * @throws {BtreeKeyError} `ERR_BTREE_KEY_TRANSACTION_OVER`, `ERR_BTREE_KEY_NO_TREES`
   */
  find(key: Key, tree?: string | number): KeyHandle | undefined {
    this.assertOpen();
    const space = this.spaceOf(tree);
    const found = this.core.find(space, key);
    return found === null ? undefined : new KeyHandle(this, this.core, found);
  }

  /** @internal */
  end(): void {
    this.over = true;
  }

  /** @internal */
  assertOpen(): void {
    if (this.over) {
      throw new BtreeKeyError(
        'ERR_BTREE_KEY_TRANSACTION_OVER',
        'Cannot read in this transaction: its section has ended; begin another one',
      );
    }
  }
}

/** A key that was found once, so that it need not be looked up again each time. */
export class KeyHandle {
  private readonly transaction: KeyTransaction;
  private readonly core: Core;
  private readonly space: KeySpace;
  private readonly key: string;
  private cached: CachedKey;

  /** @internal */
  constructor(transaction: KeyTransaction, core: Core, cached: CachedKey) {
    this.transaction = transaction;
    this.core = core;
    this.cached = cached;
    this.space = cached.space as KeySpace;
    this.key = cached.key;
  }

  /** Whether the key is in the cache, at its old place or at another. */
  get isCached(): boolean {
    return this.find() !== null;
  }

  /**
   * A copy of the key's value as it is now; undefined if it has none, or is not in the cache any more.
   *
   * @throws {BtreeKeyError} `ERR_BTREE_KEY_TRANSACTION_OVER`
   */
  read(): Uint8Array | undefined {
    return this.find()?.copy();
  }

  private find(): CachedKey | null {
    this.transaction.assertOpen();
    // What was found may have been evicted and be another key by now.
    if (!this.cached.is(this.space, this.key)) {
      const found = this.core.findCanonical(this.space, this.key);
      if (found === null) {
        return null;
      }
      this.cached = found;
    }
    return this.cached.filled ? this.cached : null;
  }
}
