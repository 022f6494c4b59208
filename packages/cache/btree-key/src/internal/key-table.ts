import { assert, type Scheduler } from '@core/base';
import type { CachedKey } from './cached-key.js';
import type { KeySpace } from './key-space.js';

const MIN_BUCKETS = 256;
/** At least. With one, half of the lookups pass another key first, which the processor has not in its cache. */
const BUCKETS_PER_KEY = 2;
/** A table this much larger than its keys shrinks, so that a walk does not cross deserts. */
const SPARSE = 8;
/** Buckets moved by each change while a table is rehashed, and in each turn of the event loop. */
const STEP = 16;
const TURN_STEP = 4096;

type Heads = (CachedKey | null)[];

/**
 * A hash table of cached keys, linked through the keys themselves. Grows and shrinks a few buckets at a time, so that no
 * operation waits for a million keys to move.
 *
 * @see lib/rhashtable.c
 */
export class KeyTable {
  count = 0;
  /** Rehashes that have begun. */
  rehashes = 0;
  private heads: Heads = emptyHeads(MIN_BUCKETS);
  /** While it is rehashed: the table before; its buckets below `moved` are empty. */
  private old: Heads | null = null;
  private moved = 0;
  private readonly scheduler: Scheduler;
  private readonly onTurn = (): void => {
    if (this.old !== null) {
      this.step(TURN_STEP);
      this.scheduleStep();
    }
  };

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }

  /** Whether buckets are on the move, so that a walk by bucket would meet some twice and some never. */
  get rehashing(): boolean {
    return this.old !== null;
  }

  /** How many buckets a walk over all keys visits: those of the table, and behind them those that have not moved. */
  get buckets(): number {
    return this.heads.length + (this.old === null ? 0 : this.old.length);
  }

  /** The first key of a bucket below {@link buckets}. */
  bucket(index: number): CachedKey | null {
    const size = this.heads.length;
    return (index < size ? this.heads[index] : (this.old as Heads)[index - size]) ?? null;
  }

  /** @param key canonical */
  find(space: KeySpace, key: string, hash: number): CachedKey | null {
    let entry = this.headOf(hash);
    while (entry !== null && (entry.hash !== hash || entry.key !== key || entry.space !== space)) {
      entry = entry.chain;
    }
    return entry;
  }

  /** As {@link find}, by the bytes of the key. Allocates nothing. */
  findBytes(space: KeySpace, key: Uint8Array, hash: number): CachedKey | null {
    let entry = this.headOf(hash);
    while (entry !== null && (entry.hash !== hash || entry.space !== space || !hasBytes(entry.key, key))) {
      entry = entry.chain;
    }
    return entry;
  }

  /** The key must not be there yet. */
  insert(entry: CachedKey): void {
    const heads = this.tableOf(entry.hash);
    const index = entry.hash & (heads.length - 1);
    entry.chain = heads[index] as CachedKey | null;
    heads[index] = entry;
    this.count++;
    if (this.old !== null) {
      this.step(STEP);
    } else if (this.count * BUCKETS_PER_KEY > this.heads.length) {
      this.rehash(this.heads.length * 2);
    }
  }

  /** @returns whether it was there: only the winner goes on to evict it */
  remove(entry: CachedKey): boolean {
    const heads = this.tableOf(entry.hash);
    const index = entry.hash & (heads.length - 1);
    let before: CachedKey | null = null;
    let found = heads[index] as CachedKey | null;
    while (found !== null && found !== entry) {
      before = found;
      found = found.chain;
    }
    if (found === null) {
      return false;
    }
    if (before === null) {
      heads[index] = entry.chain;
    } else {
      before.chain = entry.chain;
    }
    entry.chain = null;
    this.count--;
    return true;
  }

  /** Moves a few more buckets if it is rehashed, or begins to shrink it if it has become sparse. Not within a walk. */
  tidy(): void {
    if (this.old !== null) {
      this.step(STEP);
    } else if (this.heads.length > MIN_BUCKETS && this.count * SPARSE < this.heads.length) {
      let size = this.heads.length;
      // With room left, so that the next key does not make it grow again.
      while (size > MIN_BUCKETS && this.count * 2 * BUCKETS_PER_KEY < size) {
        size /= 2;
      }
      this.rehash(size);
    }
  }

  checkInvariants(visit: (entry: CachedKey) => void): void {
    let count = 0;
    for (let index = 0; index < this.buckets; index++) {
      for (let entry = this.bucket(index); entry !== null; entry = entry.chain) {
        const { space, key, hash } = entry;
        assert(space !== null && key !== '', 'A poisoned key is in the table');
        assert(space.hash(key) === hash, 'A key has the hash of another');
        assert(this.find(space, key, hash) === entry, 'A key is in the table twice, or cannot be found');
        count++;
        visit(entry);
      }
    }
    assert(count === this.count, () => `There are ${count} keys in the table, and ${this.count} are counted`);
  }

  private headOf(hash: number): CachedKey | null {
    const heads = this.old === null ? this.heads : this.tableOf(hash);
    return heads[hash & (heads.length - 1)] as CachedKey | null;
  }

  private tableOf(hash: number): Heads {
    const { old } = this;
    return old !== null && (hash & (old.length - 1)) >= this.moved ? old : this.heads;
  }

  private rehash(size: number): void {
    this.rehashes++;
    this.old = this.heads;
    this.moved = 0;
    this.heads = emptyHeads(size);
    this.scheduleStep();
  }

  private scheduleStep(): void {
    if (this.old !== null) {
      this.scheduler.nextTurn(this.onTurn, false);
    }
  }

  private step(buckets: number): void {
    const old = this.old as Heads;
    const end = Math.min(this.moved + buckets, old.length);
    const { heads } = this;
    for (let index = this.moved; index < end; index++) {
      let entry = old[index] as CachedKey | null;
      old[index] = null;
      while (entry !== null) {
        const { chain } = entry;
        const at = entry.hash & (heads.length - 1);
        entry.chain = heads[at] as CachedKey | null;
        heads[at] = entry;
        entry = chain;
      }
    }
    this.moved = end;
    if (end === old.length) {
      this.old = null;
    }
  }
}

function emptyHeads(size: number): Heads {
  // Array.from fills one by one, which takes ten times as long for a million.
  // oxlint-disable-next-line unicorn/no-new-array
  return new Array<CachedKey | null>(size).fill(null);
}

function hasBytes(key: string, bytes: Uint8Array): boolean {
  if (key.length !== bytes.length) {
    return false;
  }
  for (let at = 0; at < bytes.length; at++) {
    if (key.charCodeAt(at) !== bytes[at]) {
      return false;
    }
  }
  return true;
}
