import type { Lease } from './internal/lease.js';
import { ObjectCacheError } from './object-cache-error.js';

/** @internal Who is told that a hold ends. */
export interface GuardOwner<K, V> {
  endHold(lease: Lease<K, V>, leaked: boolean): void;
}

/** Keeps one value from being disposed of, until {@link release} or the end of a `using` block. */
export class ObjectGuard<K, V> implements Disposable {
  readonly key: K;
  private held: V | undefined;
  private readonly ticket: Ticket<K, V>;

  /** @internal Use `cache.acquire(key)`. */
  constructor(owner: GuardOwner<K, V>, lease: Lease<K, V>) {
    this.key = lease.key as K;
    this.held = lease.value;
    this.ticket = { owner, lease, released: false };
    collected.register(this, this.ticket, this.ticket);
  }

  /**
   * The value.
   *
   * @throws {ObjectCacheError} `ERR_OBJECT_CACHE_RELEASED`: the value may be gone
   */
  get value(): V {
    if (this.ticket.released) {
      throw new ObjectCacheError(
        'ERR_OBJECT_CACHE_RELEASED',
        'Cannot read the value of a guard: it was released; acquire it again',
      );
    }
    return this.held as V;
  }

  get released(): boolean {
    return this.ticket.released;
  }

  /** Lets go of the value; a second time is harmless. */
  release(): void {
    if (!this.ticket.released) {
      this.held = undefined;
      collected.unregister(this.ticket);
      end(this.ticket, false);
    }
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

interface Ticket<K, V> {
  readonly owner: GuardOwner<K, V>;
  readonly lease: Lease<K, V>;
  released: boolean;
}

function end<K, V>(ticket: Ticket<K, V>, leaked: boolean): void {
  ticket.released = true;
  ticket.owner.endHold(ticket.lease, leaked);
}

const collected = new FinalizationRegistry<Ticket<unknown, unknown>>((ticket) => end(ticket, true));
