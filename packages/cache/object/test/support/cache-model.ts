import { assert } from '@core/base';
import type { DisposeReason } from '../../src/index.js';

/** A value that notices when it is used after its end. */
export class Value {
  readonly id: number;
  size: number;
  /** Disposed of: whoever looks at it now has kept it too long. */
  poisoned = false;
  /** Ends of this value by `dispose`. */
  ends = 0;

  constructor(id: number, size: number) {
    this.id = id;
    this.size = size;
  }
}

export interface ModelEntry {
  value: Value;
  size: number;
  staleAtMs: number;
  used: boolean;
}

/** One value's way out of the cache. */
export interface Leaving {
  readonly key: number;
  readonly reason: DisposeReason;
  readonly size: number;
  /** The turn in which it left, or, if it was held then, in which it was let go. */
  sinceTurn: number;
  /** The readers that were open then. */
  readers: readonly Reader[];
}

/** A section that spans turns. */
export interface Reader {
  open: boolean;
  /** What it has found. */
  readonly found: Value[];
}

export interface ModelOptions {
  readonly max: number;
  readonly maxBytes: number;
  readonly ttlMs: number;
  readonly graceMs: number;
  /** Whether anybody hears of values that left. */
  readonly wanted: boolean;
}

/**
 * What a cache should hold: a plain `Map`, two lists of keys for second chance, and what has left and not ended.
 *
 * It does each thing in the plainest way; the test compares everything after each operation.
 */
export class CacheModel {
  readonly entries = new Map<number, ModelEntry>();
  /** Keys that may be evicted, oldest first. */
  order: number[] = [];
  /** Keys that eviction has met while they were held. */
  parked: number[] = [];
  /** Open holds on each value. */
  readonly holds = new Map<Value, number>();
  /** Values that have left, held or not, and were neither disposed of nor taken for reuse. */
  readonly leaving = new Map<Value, Leaving>();
  readonly counts = { hits: 0, misses: 0, evictions: 0, expirations: 0, rejected: 0, disposed: 0, recycled: 0 };
  nowMs = 0;
  turn = 0;
  readers: Reader[] = [];
  private readonly options: ModelOptions;

  constructor(options: ModelOptions) {
    this.options = options;
  }

  get bytes(): number {
    return [...this.entries.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get held(): number {
    return [...this.holds.values()].reduce((sum, holds) => sum + holds, 0);
  }

  get retiredBytes(): number {
    return [...this.leaving.values()].reduce((sum, { size }) => sum + size, 0);
  }

  isStale(key: number): boolean {
    return this.nowMs >= (this.entries.get(key) as ModelEntry).staleAtMs;
  }

  remainingMs(key: number): number {
    const entry = this.entries.get(key);
    return entry === undefined ? 0 : Math.max(0, entry.staleAtMs - this.nowMs);
  }

  /** The fresh entry, as `get` and its like look for it. */
  findFresh(key: number): ModelEntry | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined || !this.isStale(key)) {
      return entry;
    }
    if (this.isGone(key)) {
      this.expire(key);
    }
    return undefined;
  }

  lookUp(key: number): Value | undefined {
    const entry = this.findFresh(key);
    if (entry === undefined) {
      this.counts.misses++;
      return undefined;
    }
    entry.used = true;
    this.counts.hits++;
    return entry.value;
  }

  set(key: number, value: Value, size: number, ttlMs = this.options.ttlMs): void {
    const old = this.entries.get(key);
    if (size > this.options.maxBytes) {
      this.counts.rejected++;
      if (old !== undefined) {
        this.remove(key, old.value === value ? 'reject' : 'set');
      }
      if (old?.value !== value) {
        this.leave(key, value, size, 'reject');
      }
      return;
    }
    const staleAtMs = this.nowMs + ttlMs;
    if (old === undefined) {
      this.makeRoom(size, null);
      if (this.entries.size === this.options.max) {
        this.evict(null);
      }
      this.entries.set(key, { value, size, staleAtMs, used: false });
      this.order.push(key);
      return;
    }
    if (old.value !== value) {
      this.unpark(key);
      this.leave(key, old.value, old.size, 'set');
    }
    Object.assign(old, { value, size, staleAtMs, used: true });
    if (this.bytes > this.options.maxBytes) {
      this.toTail(key);
      this.makeRoom(0, key);
    }
  }

  delete(key: number): boolean {
    if (!this.entries.has(key)) {
      return false;
    }
    if (this.isStale(key)) {
      this.expire(key);
      return false;
    }
    this.remove(key, 'delete');
    return true;
  }

  clear(): void {
    for (const key of this.entries.keys()) {
      this.remove(key, 'delete');
    }
  }

  purge(): number {
    const gone = [...this.entries.keys()].filter((key) => this.isGone(key));
    for (const key of gone) {
      this.expire(key);
    }
    return gone.length;
  }

  /** A shrinker's walk. @returns how many were removed, and looked at */
  walk(nrToScan: number): { removed: number; scanned: number } {
    let removed = 0;
    let scanned = 0;
    // What is rotated comes again at the tail, if the walk gets there: as of a queue.
    for (let at = 0; at < this.order.length && scanned < nrToScan;) {
      scanned++;
      const key = this.order[at] as number;
      const entry = this.entries.get(key) as ModelEntry;
      if (this.isGone(key)) {
        this.expire(key);
        removed++;
      } else if (entry.used) {
        entry.used = false;
        if (at === this.order.length - 1) {
          // The last one stays where it is, and the walk ends.
          break;
        }
        this.toTail(key);
      } else if (this.isHeld(key)) {
        this.park(key);
      } else {
        this.counts.evictions++;
        this.remove(key, 'evict');
        removed++;
      }
      at = 0;
    }
    return { removed, scanned };
  }

  hold(value: Value): void {
    this.holds.set(value, (this.holds.get(value) ?? 0) + 1);
  }

  letGo(key: number, value: Value): void {
    const left = (this.holds.get(value) as number) - 1;
    if (left > 0) {
      this.holds.set(value, left);
      return;
    }
    this.holds.delete(value);
    const leaving = this.leaving.get(value);
    if (leaving === undefined) {
      if (this.entries.get(key)?.value === value) {
        this.unpark(key);
      }
    } else if (this.options.wanted) {
      leaving.sinceTurn = this.turn;
      leaving.readers = [...this.readers];
    } else {
      this.leaving.delete(value);
    }
  }

  /** `dispose` was called. */
  disposed(value: Value, key: number, reason: DisposeReason): void {
    const leaving = this.end(value);
    assert(leaving.key === key, () => `Value ${value.id} was disposed of under key ${key}, and left ${leaving.key}`);
    assert(leaving.reason === reason, () => `Value ${value.id} left by ${leaving.reason}, and was told ${reason}`);
    this.counts.disposed++;
    value.ends++;
    value.poisoned = true;
  }

  /** `recycle` is called: the value is nobody's, until it is stored again. */
  taken(value: Value): Leaving {
    return this.end(value);
  }

  /** A value left, or came and was not stored. */
  leave(key: number, value: Value, size: number, reason: DisposeReason): void {
    assert(!this.leaving.has(value), () => `Value ${value.id} leaves twice`);
    if (this.options.wanted || this.holds.has(value)) {
      this.leaving.set(value, { key, reason, size, sinceTurn: this.turn, readers: [...this.readers] });
    }
  }

  private end(value: Value): Leaving {
    const leaving = this.leaving.get(value);
    assert(leaving !== undefined, () => `Value ${value.id} ended and had not left, or had ended before`);
    assert(!this.holds.has(value), () => `Value ${value.id} ended while it was held`);
    assert(leaving.sinceTurn < this.turn, () => `Value ${value.id} ended in the turn in which it left`);
    assert(
      leaving.readers.every(({ open }) => !open),
      () => `Value ${value.id} ended before a reader that was open when it left`,
    );
    this.leaving.delete(value);
    return leaving;
  }

  private isGone(key: number): boolean {
    return this.nowMs >= (this.entries.get(key) as ModelEntry).staleAtMs + this.options.graceMs;
  }

  private expire(key: number): void {
    this.counts.expirations++;
    this.remove(key, 'expire');
  }

  private remove(key: number, reason: DisposeReason): void {
    const entry = this.entries.get(key) as ModelEntry;
    this.entries.delete(key);
    this.order = this.order.filter((each) => each !== key);
    this.parked = this.parked.filter((each) => each !== key);
    this.leave(key, entry.value, entry.size, reason);
  }

  private makeRoom(size: number, keep: number | null): void {
    while (this.bytes + size > this.options.maxBytes && this.entries.size > (keep === null ? 0 : 1)) {
      this.evict(keep);
    }
  }

  private evict(keep: number | null): void {
    this.counts.evictions++;
    while (this.order.some((key) => key !== keep)) {
      const key = this.order[0] as number;
      const entry = this.entries.get(key) as ModelEntry;
      if (key !== keep && !entry.used && !this.isHeld(key)) {
        this.remove(key, 'evict');
        return;
      }
      if (key !== keep && !entry.used) {
        this.park(key);
      } else {
        entry.used = key === keep && entry.used;
        this.toTail(key);
      }
    }
    // Only held ones are left: the one that was met first.
    if (this.parked[0] === keep) {
      this.parked.push(this.parked.shift() as number);
    }
    this.remove(this.parked[0] as number, 'evict');
  }

  private isHeld(key: number): boolean {
    return this.holds.has((this.entries.get(key) as ModelEntry).value);
  }

  private toTail(key: number): void {
    if (this.order.includes(key)) {
      this.order = [...this.order.filter((each) => each !== key), key];
    }
  }

  private park(key: number): void {
    this.order = this.order.filter((each) => each !== key);
    this.parked.push(key);
  }

  private unpark(key: number): void {
    if (this.parked.includes(key)) {
      this.parked = this.parked.filter((each) => each !== key);
      this.order.push(key);
    }
  }
}
