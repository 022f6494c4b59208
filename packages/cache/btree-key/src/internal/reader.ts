import type { OrderedStore } from '@core/ordered-store';
import { BtreeKeyError, reasonOf } from '../btree-key-error.js';
import type { Key } from '../options.js';
import type { Activity } from './activity.js';
import { type CachedKey, NO_VALUE } from './cached-key.js';
import type { Core } from './core.js';
import type { KeySpace } from './key-space.js';

/** What a fill came to: the value of the store, and whether the cache has it now. */
export interface Filled {
  readonly value: Uint8Array | undefined;
  readonly cached: boolean;
}

/**
 * Reads through the cache.
 *
 * A missing key is put into the table first, locked and without a value, and read from the store then. So one read
 * serves all who ask meanwhile, and nobody can write the key while its value is on its way: what is filled in is what
 * the store still has.
 */
export class Reader {
  hits = 0;
  misses = 0;
  uncached = 0;
  private readonly core: Core;
  private readonly store: OrderedStore;
  private readonly activity: Activity;

  constructor(core: Core, store: OrderedStore, activity: Activity) {
    this.core = core;
    this.store = store;
    this.activity = activity;
  }

  /** Whether a key can be read from the store at once. */
  get fillsNow(): boolean {
    return this.store.getSync !== undefined;
  }

  get(space: KeySpace, key: Key): Promise<Uint8Array | undefined> {
    const found = this.core.find(space, key);
    if (found !== null && found.filled) {
      return Promise.resolve(this.hit(found));
    }
    const canonical = space.canonical(key);
    const added = found === null && this.fillsNow ? this.core.insert(space, canonical, 0) : null;
    if (added === null) {
      return this.getMissing(space, canonical);
    }
    this.misses++;
    const value = this.readNow(space, canonical, added);
    if (this.accept(added, value)) {
      this.core.release(added);
    } else {
      this.uncached++;
    }
    return Promise.resolve(value);
  }

  getSync(space: KeySpace, key: Key): Uint8Array | undefined {
    const found = this.core.find(space, key);
    if (found !== null && found.filled) {
      return this.hit(found);
    }
    // Only to be told if it is no key.
    space.canonical(key);
    return undefined;
  }

  peek<T>(space: KeySpace, key: Key, read: (bytes: Uint8Array, length: number) => T): T | undefined {
    const found = this.core.find(space, key);
    if (found === null || !found.filled) {
      space.canonical(key);
      return undefined;
    }
    this.touch(found);
    return found.length === NO_VALUE ? undefined : read(found.value, found.length);
  }

  /** Reads a key, which the caller has locked, from the store. Without room for the value, or if that fails, it goes. */
  async fill(space: KeySpace, key: string, cached: CachedKey): Promise<Filled> {
    let value: Uint8Array | undefined;
    try {
      value = await this.read(space, key);
    } catch (error) {
      this.core.release(cached);
      throw error;
    }
    return { value, cached: this.accept(cached, value) };
  }

  /** As {@link fill}, at once. @returns whether the cache has it now */
  fillNow(space: KeySpace, key: string, cached: CachedKey): boolean {
    return this.accept(cached, this.readNow(space, key, cached));
  }

  /** What the store has, for a key that the caller has locked, and which goes if there is no room for it. */
  private accept(cached: CachedKey, value: Uint8Array | undefined): boolean {
    if (this.core.grow(cached, value?.length ?? 0)) {
      this.core.fill(cached, value);
      return true;
    }
    this.core.release(cached);
    return false;
  }

  private readNow(space: KeySpace, key: string, cached: CachedKey): Uint8Array | undefined {
    try {
      return this.store.getSync?.(space.storeKey(key));
    } catch (error) {
      this.core.release(cached);
      throw readError(error);
    }
  }

  private hit(found: CachedKey): Uint8Array | undefined {
    this.touch(found);
    return found.copy();
  }

  private touch(found: CachedKey): void {
    this.hits++;
    if (!found.accessed) {
      found.accessed = true;
    }
  }

  private async getMissing(space: KeySpace, key: string): Promise<Uint8Array | undefined> {
    const { core } = this;
    this.activity.begin();
    try {
      for (;;) {
        const found = core.findCanonical(space, key);
        if (found === null) {
          const added = core.insert(space, key, 0);
          if (added !== null) {
            return await this.fillAndRelease(space, key, added);
          }
          if (core.findCanonical(space, key) === null) {
            this.misses++;
            this.uncached++;
            return await this.read(space, key);
          }
        } else if (found.filled) {
          return this.hit(found);
        } else if (await found.waitForLock()) {
          core.release(found);
        }
      }
    } finally {
      this.activity.end();
    }
  }

  private async fillAndRelease(space: KeySpace, key: string, added: CachedKey): Promise<Uint8Array | undefined> {
    this.misses++;
    const { value, cached } = await this.fill(space, key, added);
    if (cached) {
      this.core.release(added);
    } else {
      this.uncached++;
    }
    return value;
  }

  private async read(space: KeySpace, key: string): Promise<Uint8Array | undefined> {
    try {
      return await this.store.get(space.storeKey(key));
    } catch (error) {
      throw readError(error);
    }
  }
}

function readError(cause: unknown): BtreeKeyError {
  return new BtreeKeyError('ERR_BTREE_KEY_STORE', `Cannot read a key from the store: ${reasonOf(cause)}`, { cause });
}
