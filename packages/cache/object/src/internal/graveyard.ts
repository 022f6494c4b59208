import type { NodePool } from '@core/genradix';
import type { RcuFlavor } from '@core/rcu';
import { RcuPending } from '@core/rcu-pending';
import { assert } from '@core/base';
import type { DisposeReason } from '../options.js';
import { Lease } from './lease.js';

/** Leases kept for the next value: as many as leave in a busy turn. */
const MAX_SPARE_LEASES = 16_384;

export interface GraveyardOptions<K, V> {
  readonly rcu: RcuFlavor;
  readonly nodes: NodePool | undefined;
  readonly dispose: ((value: V, key: K, reason: DisposeReason) => unknown) | null;
  readonly recycle: ((value: V, key: K) => V | void) | null;
  readonly onError: (error: unknown, key: K | undefined) => void;
}

/**
 * Values that have left the cache, until their last holder has let go and a grace period has passed.
 *
 * Values for which nobody wants to know (no `dispose`, no `recycle`, not held) never come here: dropping a plain object
 * is what the garbage collector is for.
 */
export class Graveyard<K, V> {
  disposed = 0;
  recycled = 0;
  /** Bytes of the values here. */
  bytes = 0;
  /** Holds on values here or in the cache. */
  held = 0;
  private readonly pending: RcuPending<Lease<K, V>>;
  /** Values that have left and are held. */
  private heldRetired = 0;
  private readonly spares: Lease<K, V>[] = [];
  private spareCount = 0;
  private readonly disposeValue: ((value: V, key: K, reason: DisposeReason) => unknown) | null;
  private readonly recycleValue: ((value: V, key: K) => V | void) | null;

  constructor(options: GraveyardOptions<K, V>) {
    this.disposeValue = options.dispose;
    this.recycleValue = options.recycle;
    this.pending = new RcuPending<Lease<K, V>>({
      rcu: options.rcu,
      ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
      process: (lease) => this.finish(lease),
      onError: (error) => options.onError(error, undefined),
    });
  }

  /** Values here: held, or waiting for their grace period. */
  get count(): number {
    return this.pending.count + this.heldRetired;
  }

  /** Whether values that leave must come here even if nobody holds them. */
  get wanted(): boolean {
    return this.disposeValue !== null || this.recycleValue !== null;
  }

  /** A lease on a value, with no hold on it. */
  lease(key: K, value: V, bytes: number): Lease<K, V> {
    let lease: Lease<K, V>;
    if (this.spareCount > 0) {
      this.spareCount--;
      lease = this.spares[this.spareCount] as Lease<K, V>;
    } else {
      lease = new Lease<K, V>();
    }
    lease.key = key;
    lease.value = value;
    lease.bytes = bytes;
    return lease;
  }

  hold(lease: Lease<K, V>): void {
    lease.holds++;
    this.held++;
  }

  /** Lets go. @returns whether that was the last hold on a value still in the cache */
  letGo(lease: Lease<K, V>): boolean {
    assert(lease.holds > 0, 'Cannot let go of a value that is not held');
    lease.holds--;
    this.held--;
    if (lease.holds > 0) {
      return false;
    }
    if (lease.reason === null) {
      return true;
    }
    this.heldRetired--;
    this.bury(lease);
    return false;
  }

  /** The value of `lease` has left the cache. */
  retire(lease: Lease<K, V>, reason: DisposeReason): void {
    lease.reason = reason;
    this.bytes += lease.bytes;
    if (lease.holds === 0) {
      this.bury(lease);
    } else {
      this.heldRetired++;
    }
  }

  /** Gives back a lease of a value that stays in the cache. */
  forget(lease: Lease<K, V>): void {
    lease.key = undefined;
    lease.value = undefined;
    lease.reason = null;
    if (this.spareCount < MAX_SPARE_LEASES) {
      this.spares[this.spareCount] = lease;
      this.spareCount++;
    }
  }

  /** A value that nobody uses any more, made ready for `key`, or `undefined`. */
  recycleFor(key: K): V | undefined {
    if (this.recycleValue === null || this.pending.count === 0) {
      return undefined;
    }
    const lease = this.pending.dequeueExpired();
    if (lease === undefined) {
      return undefined;
    }
    const value = lease.value as V;
    let ready: V | void;
    try {
      ready = this.recycleValue(value, key);
    } catch (error) {
      // It is still to be disposed of, like any other.
      this.pending.enqueue(lease);
      throw error;
    }
    this.leave(lease);
    this.recycled++;
    return ready === undefined ? value : ready;
  }

  /** Resolves when every value that has left and is not held has been disposed of. */
  barrier(): Promise<void> {
    return this.pending.barrier();
  }

  checkInvariants(): void {
    this.pending.checkInvariants();
    assert(this.count > 0 || this.bytes === 0, () => `Nothing is retired, and ${this.bytes} bytes are`);
    for (const lease of this.spares.slice(0, this.spareCount)) {
      assert(lease.holds === 0 && lease.value === undefined, 'A spare lease is in use');
    }
  }

  private bury(lease: Lease<K, V>): void {
    if (this.wanted) {
      this.pending.enqueue(lease);
    } else {
      this.leave(lease);
    }
  }

  private finish(lease: Lease<K, V>): unknown {
    const value = lease.value as V;
    const key = lease.key as K;
    const reason = lease.reason as DisposeReason;
    this.leave(lease);
    this.disposed++;
    return this.disposeValue === null ? undefined : this.disposeValue(value, key, reason);
  }

  private leave(lease: Lease<K, V>): void {
    this.bytes -= lease.bytes;
    this.forget(lease);
  }
}
