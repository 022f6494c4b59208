import { type Clock, type Scheduler, assert, isThenable } from '@core/base';
import type { NodePool } from '@core/genradix';
import type { AdvanceObserver, RcuFlavor } from '@core/rcu';
import { RcuPending } from '@core/rcu-pending';
import type { DisposeReason } from '../options.js';
import { Bin } from './bin.js';
import { BinList } from './bin-list.js';
import { sharedRcu } from './shared-rcu.js';

// As of `Bin`; an imported constant would be read from a module cell each time.
const CELLS = 3;
/** Values to a bin: enough that the pending costs nothing per value, few enough for its time budget to be kept. */
const BIN_SIZE = 32;
/** Bins kept for the next values: for as many as leave in a few busy turns. */
const MAX_SPARE_BINS = 512;

export interface GraveyardOptions<K, V> {
  readonly rcu: RcuFlavor;
  readonly nodes: NodePool | undefined;
  readonly scheduler: Scheduler | undefined;
  readonly clock: Clock | undefined;
  readonly dispose: ((value: V, key: K, reason: DisposeReason) => unknown) | null;
  readonly recycle: ((value: V, key: K) => V | void) | null;
  /** How many values, and bytes of them, are kept for reuse. */
  readonly maxReusable: number;
  readonly maxReusableBytes: number;
  /** Asked before a value of so many bytes is kept for reuse. Must not throw. */
  readonly mayKeep?: (bytes: number) => boolean;
  /** Must not throw. */
  readonly onError: (error: unknown, key: K | undefined) => void;
}

/**
 * Values that have left the cache and that nobody holds: for a grace period, and with `recycle`, longer.
 *
 * Values wait in bins. The open bin has been handed to the pending already, and takes more values until the cookie
 * advances: so long they would be stored under the same cookie, and need no call each. The flavour says so before, and
 * then the bin is closed. A flavour that tells nothing gets a bin for each value.
 */
export class Graveyard<K, V> implements AdvanceObserver {
  /** Whether values that leave must come here; else dropping them is what the garbage collector is for. */
  readonly wanted: boolean;
  disposed = 0;
  recycled = 0;
  /** Values here, and their bytes. */
  count = 0;
  bytes = 0;
  private readonly rcu: RcuFlavor;
  private readonly pending: RcuPending<Bin<K, V>>;
  /** Those that wait. */
  private readonly bins = new BinList<K, V>();
  private open: Bin<K, V> | null = null;
  private observing = false;
  private closed = false;
  /** Where values wait if the flavour refuses them, since it was closed. */
  private refuge: RcuFlavor | null = null;
  private readonly spares: Bin<K, V>[] = [];
  /** Values whose grace period is over, kept for reuse. */
  private readonly ready = new Bin<K, V>(0);
  private readyBytes = 0;
  private readonly maxReusable: number;
  private readonly maxReusableBytes: number;
  private readonly mayKeep: ((bytes: number) => boolean) | null;
  private readonly disposeValue: ((value: V, key: K, reason: DisposeReason) => unknown) | null;
  private readonly recycleValue: ((value: V, key: K) => V | void) | null;
  private readonly onError: (error: unknown, key: K | undefined) => void;

  constructor(options: GraveyardOptions<K, V>) {
    this.rcu = options.rcu;
    this.disposeValue = options.dispose;
    this.recycleValue = options.recycle;
    this.wanted = options.dispose !== null || options.recycle !== null;
    this.maxReusable = options.recycle === null ? 0 : options.maxReusable;
    this.maxReusableBytes = options.maxReusableBytes;
    this.mayKeep = options.mayKeep ?? null;
    this.onError = options.onError;
    this.pending = new RcuPending<Bin<K, V>>({
      rcu: options.rcu,
      ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
      ...(options.scheduler === undefined ? {} : { scheduler: options.scheduler }),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      process: (bin) => this.process(bin),
      onError: (error) => options.onError(error, undefined),
    });
  }

  /** Values kept for reuse. */
  get reusable(): number {
    return this.ready.length;
  }

  /** Bytes of these. */
  get reusableBytes(): number {
    return this.readyBytes;
  }

  /** Bytes of the values that wait for a grace period. */
  get waitingBytes(): number {
    return this.bytes - this.readyBytes;
  }

  /** For how long the oldest value has waited for its grace period, in milliseconds; 0 if none does. */
  get oldestAgeMs(): number {
    return this.pending.stats().oldestAgeMs;
  }

  /** A value has left, and nobody holds it. Only if it is {@link wanted}. */
  retire(key: K, value: V, bytes: number, reason: DisposeReason): void {
    this.count++;
    if (bytes !== 0) {
      this.bytes += bytes;
    }
    const { open } = this;
    if (open === null) {
      this.openBin(key, value, bytes, reason);
    } else {
      open.put(key, value, bytes, reason);
      if (open.length === BIN_SIZE) {
        this.open = null;
      }
    }
  }

  cookieAdvanced(): void {
    this.observing = false;
    this.open = null;
  }

  /**
   * A value that nobody uses any more, made ready for `key`, or `undefined`.
   *
   * @throws what `recycle` throws, and TypeError if it returns a promise
   */
  reuse(key: K): V | undefined {
    const { ready } = this;
    if (ready.length === 0) {
      return undefined;
    }
    const last = ready.length - 1;
    const value = ready.valueAt(last);
    const oldKey = ready.keyAt(last);
    const reason = ready.reasonAt(last);
    const bytes = this.takeReady();
    this.left(bytes);
    let made: V | void;
    try {
      made = (this.recycleValue as (value: V, key: K) => V | void)(value, key);
      if (made !== undefined && isThenable(made) && !isThenable(value)) {
        throw new TypeError('Cannot reuse a value: recycle returned a promise; it must be synchronous');
      }
    } catch (error) {
      // It may be half made over, so nobody else may have it.
      this.buryForGood(oldKey, value, bytes, reason);
      throw error;
    }
    this.recycled++;
    return made === undefined ? value : made;
  }

  /** Whether the value of this key waits here. O(values here): for what is rare. */
  has(key: K, value: V): boolean {
    return this.binOf(key, value) !== null;
  }

  /** Takes a value that waits here back, since somebody holds it now. O(values here). @returns what it left with */
  rescue(key: K, value: V): { readonly bytes: number; readonly reason: DisposeReason } | null {
    const bin = this.binOf(key, value);
    if (bin === null) {
      return null;
    }
    const index = bin.indexOf(key, value);
    const bytes = bin.bytesAt(index);
    const reason = bin.reasonAt(index);
    bin.punch(index);
    this.left(bytes);
    return { bytes, reason };
  }

  /** Lets up to `limit` of the values kept for reuse be disposed of, in a later turn. @returns how many */
  discard(limit: number): number {
    const { ready } = this;
    let done = 0;
    while (done < limit && ready.length > 0) {
      const bin = this.binForGood();
      while (bin.length < BIN_SIZE && done < limit && ready.length > 0) {
        const last = ready.length - 1;
        const value = ready.valueAt(last);
        const key = ready.keyAt(last);
        const reason = ready.reasonAt(last);
        bin.put(key, value, this.takeReady(), reason);
        done++;
      }
      this.enqueue(bin);
    }
    return done;
  }

  /** Keeps nothing for reuse any more. Resolves when every value that is here has been disposed of. */
  async close(): Promise<void> {
    this.closed = true;
    this.discard(Infinity);
    await this.pending.barrier();
    await this.refuge?.barrier();
  }

  checkInvariants(): void {
    this.pending.checkInvariants();
    let count = this.ready.length;
    let bytes = this.readyBytes;
    for (const bin of this.bins) {
      for (let index = 0; index < bin.length; index++) {
        count += bin.isHole(index) ? 0 : 1;
        bytes += bin.isHole(index) ? 0 : bin.bytesAt(index);
      }
    }
    assert(count === this.count, () => `${count} values are retired, and ${this.count} are counted`);
    assert(
      Math.abs(bytes - this.bytes) < 1e-6 * Math.max(1, bytes),
      () => `${bytes} bytes are retired, not ${this.bytes}`,
    );
    assert(this.ready.length <= this.maxReusable, 'More values are kept for reuse than may be');
    for (const bin of this.spares) {
      assert(bin.length === 0 && bin.cells.every((cell) => cell === undefined), 'A spare bin holds something');
    }
    assert(
      this.open === null || (this.open.length > 0 && this.open.length < BIN_SIZE),
      'The open bin is empty or full',
    );
  }

  private openBin(key: K, value: V, bytes: number, reason: DisposeReason): void {
    const bin = this.spares.pop() ?? new Bin<K, V>(BIN_SIZE);
    bin.put(key, value, bytes, reason);
    if (this.rcu.notifyAdvance !== undefined) {
      // Before it is enqueued: what the pending does then may already advance the cookie, and so close it.
      this.open = bin;
      if (!this.observing) {
        this.observing = true;
        this.rcu.notifyAdvance(this);
      }
    }
    this.enqueue(bin);
  }

  private binForGood(): Bin<K, V> {
    const bin = this.spares.pop() ?? new Bin<K, V>(BIN_SIZE);
    bin.reusable = false;
    return bin;
  }

  private buryForGood(key: K, value: V, bytes: number, reason: DisposeReason): void {
    this.count++;
    this.bytes += bytes;
    const bin = this.binForGood();
    bin.put(key, value, bytes, reason);
    this.enqueue(bin);
  }

  private binOf(key: K, value: V): Bin<K, V> | null {
    for (const bin of this.bins) {
      if (bin.indexOf(key, value) >= 0) {
        return bin;
      }
    }
    return null;
  }

  /** Never throws: the cache is in the middle of something. */
  private enqueue(bin: Bin<K, V>): void {
    this.bins.add(bin);
    try {
      this.pending.enqueue(bin);
    } catch (error) {
      // The flavour was closed under the cache, so it has no readers. Turns are all that is left to wait for.
      this.open = null;
      if (this.refuge === null) {
        this.refuge = sharedRcu();
        // Not here, since it may call back.
        queueMicrotask(() => this.onError(error, undefined));
      }
      this.refuge.call(() => void this.process(bin));
    }
  }

  /** The grace period of the values in `bin` is over. */
  private process(bin: Bin<K, V>): unknown {
    if (this.open === bin) {
      this.open = null;
    }
    const waits = bin.reusable && this.maxReusable > 0 ? this.keepSome(bin) : this.disposeOfAll(bin);
    this.bins.remove(bin);
    bin.length = 0;
    bin.reusable = true;
    if (this.spares.length < MAX_SPARE_BINS) {
      this.spares.push(bin);
    }
    return waits === null ? undefined : Promise.all(waits);
  }

  /** @returns what is to be waited for, if anything */
  private disposeOfAll(bin: Bin<K, V>): PromiseLike<void>[] | null {
    const { cells, sizes, length } = bin;
    let waits: PromiseLike<void>[] | null = null;
    for (let index = 0, at = 0; index < length; index++, at += CELLS) {
      const value = cells[at] as V;
      const key = cells[at + 1] as K;
      const reason = cells[at + 2] as DisposeReason | undefined;
      cells[at] = undefined;
      cells[at + 1] = undefined;
      cells[at + 2] = undefined;
      if (reason !== undefined) {
        waits = this.disposeOf(value, key, sizes === null ? 0 : (sizes[index] as number), reason, waits);
      }
    }
    return waits;
  }

  /** As {@link disposeOfAll}, but of those that are not kept for reuse. */
  private keepSome(bin: Bin<K, V>): PromiseLike<void>[] | null {
    let waits: PromiseLike<void>[] | null = null;
    for (let index = 0; index < bin.length; index++) {
      if (bin.isHole(index)) {
        continue;
      }
      const value = bin.valueAt(index);
      const key = bin.keyAt(index);
      const bytes = bin.bytesAt(index);
      const reason = bin.reasonAt(index);
      bin.punch(index);
      if (this.keeps(bytes)) {
        this.ready.put(key, value, bytes, reason);
        this.readyBytes += bytes;
      } else {
        waits = this.disposeOf(value, key, bytes, reason, waits);
      }
    }
    return waits;
  }

  /** @returns `waits`, with what is to be waited for, if anything */
  private disposeOf(
    value: V,
    key: K,
    bytes: number,
    reason: DisposeReason,
    waits: PromiseLike<void>[] | null,
  ): PromiseLike<void>[] | null {
    const { disposeValue } = this;
    this.left(bytes);
    this.disposed++;
    if (disposeValue !== null) {
      try {
        const result = disposeValue(value, key, reason);
        if (result !== undefined && isThenable(result)) {
          return [...(waits ?? []), this.settled(result, key)];
        }
      } catch (error) {
        this.onError(error, key);
      }
    }
    return waits;
  }

  private async settled(result: PromiseLike<unknown>, key: K): Promise<void> {
    try {
      await result;
    } catch (error) {
      this.onError(error, key);
    }
  }

  /** Whether a value of so many bytes is kept for reuse. */
  private keeps(bytes: number): boolean {
    if (!this.hasPlace(bytes)) {
      return false;
    }
    return this.mayKeep === null || this.mayKeep(bytes);
  }

  /** Whether there may be one more of so many bytes. One there always may. */
  private hasPlace(bytes: number): boolean {
    const { length } = this.ready;
    return (
      !this.closed && length < this.maxReusable && (length === 0 || this.readyBytes + bytes <= this.maxReusableBytes)
    );
  }

  /** Takes out the last of the values kept for reuse. @returns its bytes */
  private takeReady(): number {
    const { ready } = this;
    const bytes = ready.bytesAt(ready.length - 1);
    ready.drop();
    this.readyBytes = ready.length === 0 ? 0 : this.readyBytes - bytes;
    return bytes;
  }

  private left(bytes: number): void {
    this.count--;
    if (bytes !== 0) {
      // Sizes that are fractions would leave something.
      this.bytes = this.count === 0 ? 0 : this.bytes - bytes;
    }
  }
}
