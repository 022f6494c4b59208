import { assert } from '@core/base';
import type { DisposeReason } from '../options.js';
import type { Graveyard } from './graveyard.js';
import { Lease } from './lease.js';

/** Leases kept for the next hold. */
const MAX_SPARE_LEASES = 256;

/** Who holds what, in the cache and out of it. A value that has left goes to the graveyard when its last hold ends. */
export class Holds<K, V> {
  /** Holds of users that are open. */
  open = 0;
  /** Bytes of the values that have left the cache and are held. */
  retiredBytes = 0;
  /** Of these, bytes of values that are charged to no group, since there was no room. */
  exemptBytes = 0;
  /** Values that are held, in the cache and out of it. */
  count = 0;
  private readonly left = new Set<Lease<K, V>>();
  private readonly graveyard: Graveyard<K, V>;
  private readonly spares: Lease<K, V>[] = [];

  constructor(graveyard: Graveyard<K, V>) {
    this.graveyard = graveyard;
  }

  /** Values that have left the cache and are held. */
  get retired(): number {
    return this.left.size;
  }

  /** A lease on a value, which must be held or pinned next. */
  lease(key: K, value: V): Lease<K, V> {
    this.count++;
    const lease = this.spares.pop() ?? new Lease<K, V>();
    lease.key = key;
    lease.value = value;
    return lease;
  }

  hold(lease: Lease<K, V>, times: number): void {
    lease.holds += times;
    this.open += times;
  }

  /** As a hold, but the cache's own. */
  pin(lease: Lease<K, V>): void {
    lease.holds++;
  }

  /** The value has left the cache, or came and was not stored; then it may be `exempt` from charges. */
  leave(lease: Lease<K, V>, bytes: number, reason: DisposeReason, exempt: boolean = false): void {
    if (exempt) {
      lease.exempt = true;
      this.exemptBytes += bytes;
    }
    lease.bytes = bytes;
    lease.reason = reason;
    this.left.add(lease);
    this.retiredBytes += bytes;
  }

  /** Keys of the values that have left and are held. */
  *keys(): IterableIterator<K> {
    for (const { key } of this.left) {
      yield key as K;
    }
  }

  /** The lease on a value of this key that has left. O(those). */
  findRetired(key: K, value: V): Lease<K, V> | null {
    for (const lease of this.left) {
      if (lease.value === value && Object.is(lease.key, key)) {
        return lease;
      }
    }
    return null;
  }

  /** The value, which has left, is in the cache again. */
  revive(lease: Lease<K, V>): void {
    this.cameBack(lease);
    lease.reason = null;
  }

  /** A hold ends. @returns whether it was the last one on a value in the cache; then {@link forget} the lease */
  release(lease: Lease<K, V>): boolean {
    this.open--;
    return this.unpin(lease);
  }

  /** As {@link release}, of a pin. */
  unpin(lease: Lease<K, V>): boolean {
    assert(lease.holds > 0, 'Cannot let go of a value that is not held');
    lease.holds--;
    if (lease.holds > 0) {
      return false;
    }
    if (lease.reason === null) {
      return true;
    }
    const { key, value, bytes, reason } = lease;
    this.cameBack(lease);
    this.forget(lease);
    if (this.graveyard.wanted) {
      this.graveyard.retire(key as K, value as V, bytes, reason);
    }
    return false;
  }

  /** Takes back a lease that nobody uses any more. */
  forget(lease: Lease<K, V>): void {
    this.count--;
    lease.key = undefined;
    lease.value = undefined;
    lease.reason = null;
    if (this.spares.length < MAX_SPARE_LEASES) {
      this.spares.push(lease);
    }
  }

  checkInvariants(): void {
    assert(this.open >= 0, 'More holds have ended than began');
    assert(this.retired > 0 || this.retiredBytes === 0, 'No value is held outside of the cache, and bytes are');
    assert(this.count >= this.retired, 'More values have left and are held than are held');
    let exempt = 0;
    for (const lease of this.left) {
      exempt += lease.exempt ? lease.bytes : 0;
      assert(lease.holds > 0 && lease.reason !== null, 'A value that has left is kept, and nobody holds it');
    }
    assert(Math.abs(exempt - this.exemptBytes) < 1e-6 * Math.max(1, exempt), 'Other bytes are exempt from charges');
    for (const lease of this.spares) {
      assert(
        !lease.exempt && lease.holds === 0 && lease.value === undefined && lease.reason === null,
        'A spare lease is in use',
      );
    }
  }

  private cameBack(lease: Lease<K, V>): void {
    this.left.delete(lease);
    if (lease.exempt) {
      lease.exempt = false;
      this.exemptBytes -= lease.bytes;
    }
    if (this.retired === 0) {
      // Sizes that are fractions would leave something.
      this.exemptBytes = 0;
    }
    this.retiredBytes = this.retired === 0 ? 0 : this.retiredBytes - lease.bytes;
  }
}
