import { assert } from '@core/base';
import type { DisposeReason } from '../../src/index.js';
import type { PlainEntry, PlainPolicy } from './plain-policies.js';

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

export interface ModelEntry extends PlainEntry {
  value: Value;
  size: number;
  staleAtMs: number;
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
  readonly policy: PlainPolicy;
}

/**
 * What a cache should hold: a plain `Map`, the plain policy, a list of held keys, and what has left and not ended.
 *
 * It does each thing in the plainest way; the test compares everything after each operation.
 */
export class CacheModel {
  readonly entries = new Map<number, ModelEntry>();
  readonly policy: PlainPolicy;
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
  private remembers = false;
  private noShadowsUntil = 0;
  private readonly options: ModelOptions;

  constructor(options: ModelOptions) {
    this.options = options;
    this.policy = options.policy;
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
    this.use(entry);
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
      this.makeRoom(size, 0);
      if (this.entries.size === this.options.max) {
        this.evict();
      }
      const entry: ModelEntry = { key, value, size, staleAtMs, uses: 0 };
      this.entries.set(key, entry);
      this.policy.insert(entry);
      return;
    }
    if (old.value !== value) {
      this.unpark(key);
      this.leave(key, old.value, old.size, 'set');
    }
    Object.assign(old, { value, size, staleAtMs });
    this.use(old);
    if (this.bytes > this.options.maxBytes) {
      const { parked } = this;
      const wasParked = parked.includes(key);
      this.parked = parked.filter((each) => each !== key);
      this.policy.remove(old);
      this.makeRoom(0, 1);
      if (wasParked) {
        this.parked.push(key);
      } else {
        this.policy.insert(old);
      }
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
    this.forget();
  }

  /** Evicted keys are forgotten, until as many entries as there are now were evicted. */
  forget(): void {
    this.policy.forget();
    this.remembers = false;
    this.noShadowsUntil = this.counts.evictions + this.entries.size + 1;
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
    for (; scanned < nrToScan; scanned++) {
      const entry = this.policy.hand() as ModelEntry | undefined;
      if (entry === undefined) {
        break;
      }
      if (this.isGone(entry.key)) {
        this.expire(entry.key);
        removed++;
      } else if (entry.uses > 0) {
        this.policy.spare(entry);
      } else if (this.isHeld(entry)) {
        this.park(entry);
      } else {
        this.evictEntry(entry);
        removed++;
      }
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

  private use(entry: ModelEntry): void {
    if (this.parked.includes(entry.key)) {
      // As of a mark: it counts, and the policy is told when the entry comes back.
      entry.uses = Math.min(entry.uses + 1, this.policy.markMax);
    } else {
      this.policy.use(entry);
    }
  }

  private remove(key: number, reason: DisposeReason): void {
    const entry = this.entries.get(key) as ModelEntry;
    this.entries.delete(key);
    this.policy.remove(entry);
    this.parked = this.parked.filter((each) => each !== key);
    this.leave(key, entry.value, entry.size, reason);
  }

  /** Makes room for so many bytes, and leaves at least so many entries. */
  private makeRoom(size: number, least: number): void {
    while (this.bytes + size > this.options.maxBytes && this.entries.size > least) {
      this.evict();
    }
  }

  private evict(): void {
    if (!this.remembers && this.counts.evictions >= this.noShadowsUntil) {
      this.remembers = true;
      this.policy.remember();
    }
    for (;;) {
      const entry = this.policy.hand() as ModelEntry | undefined;
      if (entry === undefined) {
        // Only held ones are left: the one that was met first.
        this.counts.evictions++;
        this.remove(this.parked[0] as number, 'evict');
        return;
      }
      if (entry.uses > 0) {
        this.policy.spare(entry);
      } else if (this.isHeld(entry)) {
        this.park(entry);
      } else {
        this.evictEntry(entry);
        return;
      }
    }
  }

  private evictEntry(entry: ModelEntry): void {
    this.counts.evictions++;
    this.policy.evict(entry);
    this.remove(entry.key, 'evict');
  }

  private isHeld(entry: ModelEntry): boolean {
    return this.holds.has(entry.value);
  }

  private park(entry: ModelEntry): void {
    this.policy.remove(entry);
    entry.uses = 0;
    this.parked.push(entry.key);
  }

  private unpark(key: number): void {
    if (this.parked.includes(key)) {
      this.parked = this.parked.filter((each) => each !== key);
      this.policy.insert(this.entries.get(key) as ModelEntry);
    }
  }
}
