import { assert, type Clock, type Scheduler } from '@core/base';
import type { RcuFlavor } from '@core/rcu';
import type { MemoryGroup, Zone } from '@core/shrinker';
import type { Key, ReplayableJournal, TreeName } from '../options.js';
import { Allocator, bytesOf } from './allocator.js';
import { type CachedKey, NO_VALUE } from './cached-key.js';
import { flushRate, flushWantedBytes, mustWait, mustWaitBytes, waitDone, waitDoneBytes } from './dirty-limits.js';
import { DirtyOrder } from './dirty-order.js';
import { NOT_ASCII } from './key-hash.js';
import { KeySpace, prefixOf } from './key-space.js';
import { KeyTable } from './key-table.js';
import { Pins } from './pins.js';
import { Walker } from './walker.js';

export interface CoreOptions {
  readonly journal: ReplayableJournal;
  readonly rcu: RcuFlavor;
  readonly maxBytes: number;
  readonly maxKeyBytes: number;
  readonly group: MemoryGroup | null;
  readonly zone: Zone;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly hashSeed: number;
}

/** What the cache holds, and the changes to it that are never half done: everything here is synchronous. */
export class Core {
  readonly table: KeyTable;
  readonly walker: Walker;
  readonly pins: Pins;
  readonly allocator: Allocator;
  dirty = 0;
  dirtyBytes = 0;
  /** How often a key has become dirty. */
  dirtied = 0;
  duplicates = 0;
  /** Bytes of the last thousand records of the journal or so, on average. */
  recordBytes = 0;
  private readonly maxBytes: number;
  private readonly maxKeyBytes: number;
  private readonly hashSeed: number;
  private readonly spaces = new Map<TreeName | null, KeySpace>();
  private readonly orders: DirtyOrder<CachedKey>[] = [];

  constructor(options: CoreOptions) {
    this.maxBytes = options.maxBytes;
    this.maxKeyBytes = options.maxKeyBytes;
    this.hashSeed = options.hashSeed;
    this.table = new KeyTable(options.scheduler);
    this.walker = new Walker(this.table, (key) => this.evict(key));
    this.pins = new Pins(options.journal);
    const { table, walker } = this;
    this.allocator = new Allocator({
      ...options,
      evictor: {
        get count() {
          return table.count;
        },
        evict: () => (this.dirty >= table.count ? 0 : walker.evict()),
        steal: () => this.steal(),
      },
    });
  }

  /** @param name null: all of the store, with no prefix */
  space(name: TreeName | null): KeySpace {
    let space = this.spaces.get(name);
    if (space === undefined) {
      const prefix = name === null ? '' : prefixOf(name);
      const { maxKeyBytes, hashSeed } = this;
      space = new KeySpace({ name: name ?? '', index: this.spaces.size, prefix, maxKeyBytes, seed: hashSeed });
      this.spaces.set(name, space);
      this.orders.push(new DirtyOrder<CachedKey>());
    }
    return space;
  }

  /** Neither locks nor allocates, but for strings that are not ASCII. */
  find(space: KeySpace, key: Key): CachedKey | null {
    if (typeof key === 'string') {
      const hot = space.hot.get(key);
      if (hot !== undefined) {
        return hot;
      }
      const hash = space.hashText(key);
      if (hash !== NOT_ASCII) {
        const found = this.table.find(space, key, hash);
        if (found !== null) {
          space.hot.offer(found);
        }
        return found;
      }
    } else if (key instanceof Uint8Array) {
      return this.table.findBytes(space, key, space.hash(key));
    }
    return this.findCanonical(space, space.canonical(key));
  }

  findCanonical(space: KeySpace, key: string): CachedKey | null {
    return this.table.find(space, key, space.hash(key));
  }

  /**
   * Adds a key that was not there a moment ago, locked by the caller, without a value.
   *
   * @param key canonical
   * @returns null when there is no room, or when the key is there by now: making room may run anything
   */
  insert(space: KeySpace, key: string, valueBytes: number): CachedKey | null {
    const taken = this.allocator.take(key, valueBytes);
    if (taken === null) {
      return null;
    }
    const hash = space.hash(key);
    if (this.table.find(space, key, hash) !== null) {
      this.duplicates++;
      this.allocator.poison(taken);
      this.allocator.retire(taken);
      return null;
    }
    taken.space = space;
    taken.hash = hash;
    taken.sequence = 0;
    this.table.insert(taken);
    return taken;
  }

  /** Ends the caller's lock. A key whose value never came to be known goes: as it is, it says that there is none. */
  release(key: CachedKey): void {
    if (key.filled) {
      key.unlock();
    } else {
      this.evict(key);
    }
  }

  /** Makes sure that the key, which the caller has locked, has room for a value. */
  grow(key: CachedKey, valueBytes: number): boolean {
    const before = key.value.byteLength;
    const grown = this.allocator.grow(key, valueBytes);
    if (key.dirty) {
      this.dirtyBytes += key.value.byteLength - before;
    }
    return grown;
  }

  /** The store has this. There must be room. */
  fill(key: CachedKey, value: Uint8Array | undefined): void {
    this.copyIn(key, value);
    key.filled = true;
  }

  /** The journal has this, in the newest record. There must be room. */
  apply(key: CachedKey, value: Uint8Array | undefined, sequence: number): void {
    this.copyIn(key, value);
    key.filled = true;
    key.accessed = true;
    key.sequence = sequence;
    if (!key.dirty) {
      key.dirty = true;
      this.dirty++;
      this.dirtied++;
      this.dirtyBytes += bytesOf(key);
      this.pins.add(key, sequence);
      this.orderOf(key).add(key);
    }
  }

  /** The store has the newest value, and will not lose it. */
  clean(key: CachedKey): void {
    this.orderOf(key).remove(key);
    key.dirty = false;
    this.dirty--;
    this.dirtyBytes -= bytesOf(key);
    this.pins.remove(key);
  }

  /** Dirty keys of a tree, in order. */
  order(space: KeySpace): DirtyOrder<CachedKey> {
    const order = this.orders[space.index] as DirtyOrder<CachedKey>;
    if (!order.isBuilt) {
      const keys: CachedKey[] = [];
      for (const key of this.dirtyKeys()) {
        if (key.space === space) {
          keys.push(key);
        }
      }
      order.build(keys);
    }
    return order;
  }

  /** The longest pinned first. */
  *dirtyKeys(): IterableIterator<CachedKey> {
    for (let epoch = this.pins.oldest; epoch !== null; epoch = epoch.next) {
      for (let key = epoch.first; key !== null; key = key.pinNext) {
        yield key;
      }
    }
  }

  /** @param dirtied how many keys have become dirty since the last flush @param batch keys of the next one */
  isFlushDue(dirtied: number, batch: number): boolean {
    return (
      flushWantedBytes(this.dirtyBytes, this.maxBytes) || dirtied * flushRate(this.dirty, this.table.count) >= batch
    );
  }

  get mustWait(): boolean {
    return mustWait(this.dirty, this.table.count) || mustWaitBytes(this.dirtyBytes, this.maxBytes);
  }

  get waitDone(): boolean {
    return waitDone(this.dirty, this.table.count) && waitDoneBytes(this.dirtyBytes, this.maxBytes);
  }

  /** Takes a key out that is clean and not locked by others. */
  evict(key: CachedKey): void {
    this.unlink(key);
    this.allocator.retire(key);
  }

  /** Everything goes. What is dirty is the journal's, which keeps its records: they stay pinned. */
  clear(): void {
    for (const key of this.dirtyKeys()) {
      key.dirty = false;
    }
    this.pins.abandon();
    this.orders.length = 0;
    this.dirty = 0;
    this.dirtyBytes = 0;
    const { table } = this;
    for (let bucket = 0; bucket < table.buckets; bucket++) {
      for (let key = table.bucket(bucket); key !== null; key = table.bucket(bucket)) {
        this.evict(key);
      }
    }
  }

  checkInvariants(): void {
    const keys: CachedKey[] = [];
    let dirty = 0;
    let dirtyBytes = 0;
    const dirtyOf = this.orders.map(() => 0);
    this.table.checkInvariants((key) => {
      keys.push(key);
      assert(key.filled || key.locked, 'A key without a known value is not locked');
      assert(key.locked || !key.hasWaiters, 'Somebody waits for a key that is not locked');
      assert(key.dirty === (key.pinned !== null), 'A dirty key is not pinned, or a clean one is');
      assert(key.length >= NO_VALUE && key.length <= key.value.byteLength, 'A value is longer than its array');
      if (key.dirty) {
        dirty++;
        dirtyBytes += bytesOf(key);
        dirtyOf[(key.space as KeySpace).index] = (dirtyOf[(key.space as KeySpace).index] as number) + 1;
      }
    });
    assert(dirty === this.dirty, () => `${dirty} keys are dirty, and ${this.dirty} are counted`);
    assert(dirtyBytes === this.dirtyBytes, () => `${dirtyBytes} bytes are dirty, and ${this.dirtyBytes} are counted`);
    let pinned = 0;
    for (const key of this.dirtyKeys()) {
      pinned += key.dirty ? 1 : 0;
    }
    assert(pinned === dirty, 'A key is pinned that is not in the table');
    this.pins.checkInvariants();
    for (const [index, order] of this.orders.entries()) {
      order.checkInvariants(dirtyOf[index] as number);
    }
    for (const space of this.spaces.values()) {
      space.hot.checkInvariants((key) => this.findCanonical(space, key.key) === key);
    }
    this.allocator.checkInvariants(keys);
  }

  private copyIn(key: CachedKey, value: Uint8Array | undefined): void {
    if (value === undefined) {
      key.length = NO_VALUE;
    } else {
      key.value.set(value);
      key.length = value.length;
    }
  }

  private steal(): CachedKey | null {
    if (this.dirty >= this.table.count) {
      return null;
    }
    const key = this.walker.findClean();
    if (key !== null) {
      this.unlink(key);
    }
    return key;
  }

  private unlink(key: CachedKey): void {
    (key.space as KeySpace).hot.forget(key);
    const there = this.table.remove(key);
    assert(there && !key.dirty, 'A key is evicted that is dirty, or was evicted before');
    this.allocator.poison(key);
  }

  private orderOf(key: CachedKey): DirtyOrder<CachedKey> {
    return this.orders[(key.space as KeySpace).index] as DirtyOrder<CachedKey>;
  }
}
