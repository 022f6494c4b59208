import { SHRINK_STOP, type ShrinkControl } from '@core/shrinker';
import type { CachedKey } from './cached-key.js';
import type { KeyTable } from './key-table.js';

/** For an allocation: keys that it evicts at most, and keys that it looks at. */
const EVICT_COUNT = 16;
const EVICT_SCAN = 512;

/** What became of the keys that the shrinker looked at. */
export interface WalkCounts {
  requestedToFree: number;
  freed: number;
  skippedDirty: number;
  skippedAccessed: number;
  skippedLockFail: number;
}

/**
 * Walks over the table for keys that can go, round and round by bucket, a whole bucket at a time.
 *
 * @see fs/bcachefs/btree_key_cache.c, bch2_btree_key_cache_scan
 */
export class Walker {
  readonly counts: WalkCounts = noCounts();
  /** Of walks for allocations, which nobody asks about. */
  private readonly own: WalkCounts = noCounts();
  /** Buckets visited, for tests. */
  visited = 0;
  private cursor = 0;
  private readonly table: KeyTable;
  private readonly evictKey: (key: CachedKey) => void;

  constructor(table: KeyTable, evictKey: (key: CachedKey) => void) {
    this.table = table;
    this.evictKey = evictKey;
  }

  /** For the shrinker. What waits for readers is not scanned, and so not counted. */
  scan(sc: ShrinkControl): number {
    const { table, counts } = this;
    if (table.rehashing) {
      sc.nrScanned = 0;
      return SHRINK_STOP;
    }
    counts.requestedToFree += sc.nrToScan;
    const { freed } = counts;
    sc.nrScanned = this.walk(sc.nrToScan, Infinity, counts);
    table.tidy();
    return counts.freed - freed;
  }

  /** For an allocation. @returns how many were evicted */
  evict(): number {
    const { freed } = this.own;
    this.walk(EVICT_SCAN, EVICT_COUNT, this.own);
    return this.own.freed - freed;
  }

  /** The first key that is clean and not locked, used or not. */
  findClean(): CachedKey | null {
    const { table } = this;
    const { buckets } = table;
    for (let visited = 0; visited < buckets; visited++) {
      this.cursor = (this.cursor + 1) % buckets;
      for (let key = table.bucket(this.cursor); key !== null; key = key.chain) {
        if (!key.dirty && !key.locked) {
          return key;
        }
      }
    }
    return null;
  }

  /** @returns how many keys were looked at, each of which counts as one thing */
  private walk(scan: number, evict: number, counts: WalkCounts): number {
    const { table } = this;
    const { buckets } = table;
    let left = scan;
    let wanted = evict;
    for (let visited = 0; visited < buckets && left > 0 && wanted > 0; visited++) {
      this.cursor = (this.cursor + 1) % buckets;
      this.visited++;
      let next: CachedKey | null = table.bucket(this.cursor);
      while (next !== null) {
        const key = next;
        next = key.chain;
        left--;
        if (key.dirty) {
          counts.skippedDirty++;
        } else if (key.accessed) {
          key.accessed = false;
          counts.skippedAccessed++;
        } else if (key.locked) {
          counts.skippedLockFail++;
        } else {
          this.evictKey(key);
          counts.freed++;
          wanted--;
        }
      }
    }
    return scan - left;
  }
}

function noCounts(): WalkCounts {
  return { requestedToFree: 0, freed: 0, skippedDirty: 0, skippedAccessed: 0, skippedLockFail: 0 };
}
