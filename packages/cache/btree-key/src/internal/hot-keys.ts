import { assert } from '@core/base';
import type { CachedKey } from './cached-key.js';

/** Keys at most. Then all go, and those that are still hot come again. */
const MOST = 4096;
/** One lookup of so many counts: who is met by those is hot. A power of two. */
const SAMPLE = 8;

/**
 * The keys of a tree that are looked up most, before the table. A string knows its hash in V8, which a table of our own
 * must compute each time, and a lookup here is of memory that is close to the processor.
 *
 * Only what the table has is here: {@link forget} must be told of what leaves it.
 */
export class HotKeys {
  private readonly keys = new Map<string, CachedKey>();
  /** Those with another number have gone with the rest. */
  private round = 1;
  private lookups = 0;

  get(key: string): CachedKey | undefined {
    return this.keys.get(key);
  }

  /** The key was found in the table, and is the one that was asked for, letter by letter. */
  offer(key: CachedKey): void {
    if ((++this.lookups & (SAMPLE - 1)) !== 0) {
      return;
    }
    if (this.keys.size >= MOST) {
      this.clear();
    }
    this.keys.set(key.key, key);
    key.hot = this.round;
  }

  forget(key: CachedKey): void {
    if (key.hot === this.round) {
      this.keys.delete(key.key);
    }
    key.hot = 0;
  }

  clear(): void {
    this.keys.clear();
    this.round++;
  }

  checkInvariants(isThere: (key: CachedKey) => boolean): void {
    for (const [name, key] of this.keys) {
      assert(key.key === name && key.hot === this.round && isThere(key), 'A hot key is not in the table');
    }
    assert(this.keys.size <= MOST, 'Too many keys are hot');
  }
}
