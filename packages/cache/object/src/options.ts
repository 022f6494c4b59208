import type { Clock, Scheduler } from '@core/base';
import type { NodePool } from '@core/genradix';
import type { RcuFlavor } from '@core/rcu';
import type { MemoryGroup, Zone } from '@core/shrinker';
import type { EvictionPolicyFactory, EvictionPolicyName } from './policy/eviction-policy.js';

/**
 * Why a value left: `evict` to make room or under pressure, `expire` its time was over, `set` another value took its
 * key, `delete` by `delete`, `clear` or `close`, `reject` too large or too late to be stored at all.
 */
export type DisposeReason = 'evict' | 'expire' | 'set' | 'delete' | 'reject';

/** What a load function is told besides the key. */
export interface LoadContext<V> {
  /** Aborted when every caller has given up, and when the cache is closed. */
  readonly signal: AbortSignal;
  /**
   * The value that is being replaced, if there is one. It is not disposed of before the load has settled, and may be
   * returned: then it is fresh again.
   */
  readonly stale: V | undefined;
  /**
   * With `recycle`, a value that nobody uses any more, made ready for this key: make the new one of it, and return it.
   * If it is not returned, it leaves once more when the load has settled.
   */
  readonly recycled: V | undefined;
}

/** Makes the value of a key. */
export type Load<K, V> = (key: K, context: LoadContext<V>) => V | PromiseLike<V>;

export interface ObjectCacheOptions<K, V> {
  /** For reports, and the name of the shrinker. Default `'object'`. */
  readonly name?: string;
  /** Entries at most; no more than 8,388,608, which is also the default. */
  readonly max?: number;
  /**
   * Bytes at most, as `sizeOf` or `set`'s `size` say, or in a `group`, as they are estimated. Fractions add up
   * inexactly. Default unlimited.
   */
  readonly maxBytes?: number;
  /**
   * Who goes when room is needed: one of the policies that come with the package, or a function that makes another one
   * for this cache. See docs/decisions/0006-eviction-policies.md for which is good at what. Default `'workingset'`.
   */
  readonly policy?: EvictionPolicyName | EvictionPolicyFactory;
  /** Milliseconds for which a value is fresh. Default for ever. */
  readonly ttlMs?: number;
  /**
   * For so many milliseconds after that, stale values are kept, and `fetch`, `use` and `acquireOrLoad` answer with them
   * while the new one is loaded. Default 0.
   */
  readonly staleWhileRevalidateMs?: number;
  /**
   * Bytes that a value holds, 0 or more. Asked once for each time that the value is stored. Absent, in a `group`:
   * `approximateSize`, of objects for each 32nd, later for each 256th, and the mean of these for the others.
   */
  readonly sizeOf?: (value: V, key: K) => number;
  /**
   * Called once for every value that left, unless it was recycled: after its last holder has let go of it and a grace
   * period has passed, in a turn of its own. A promise that it returns is waited for by `close`.
   */
  readonly dispose?: (value: V, key: K, reason: DisposeReason) => unknown;
  /**
   * Makes a value that nobody uses any more ready for another key, in place, or returns another to use instead. With
   * it, a miss takes such a value instead of allocating. A value that was taken is not disposed of; if this throws, it
   * is.
   *
   * Some values that have left are kept for this, and so disposed of later: one for each 8 of `max`, but no less than
   * 16 or `max`, whichever is smaller, and no more than 1,024; and 1/8 of `maxBytes`, but one in any case. In a `group`
   * only as long as it has room. A shrinker takes them first.
   */
  readonly recycle?: (value: V, key: K) => V | void;
  /** What `fetch`, `acquireOrLoad`, and `use` on a miss, make values with. */
  readonly load?: Load<K, V>;
  /** Cost to refill, for the shrinker. Default 2; 0 means free to refill. */
  readonly seeks?: number;
  /**
   * Whose memory the cache takes: bytes of the values, and 96 for each entry, are charged to it, and its limits act on
   * the cache. Register the cache's shrinker and attach it (`cache.attach`), or the group's reclaim finds nothing
   * here, and when the group is full, `set` stores nothing any more. Default, and null: none.
   */
  readonly group?: MemoryGroup | null;
  /** What kind of memory the values are in. Default: that of the first value that is stored in a `group`, else `heap`. */
  readonly zone?: Zone;
  /** Whose grace periods values wait for. Default: an `Rcu` that all such caches share. */
  readonly rcu?: RcuFlavor;
  /** Where bookkeeping nodes of waiting values come from. */
  readonly nodes?: NodePool;
  /** Milliseconds for deadlines. Default: a coarse clock of 1 ms. */
  readonly clock?: Clock;
  /** Where turns come from, when there is more to dispose of than one turn has time for. Default: the event loop. */
  readonly scheduler?: Scheduler;
  /**
   * Where errors of `dispose`, of loads that nobody waits for, and leaks go; `key` is undefined if it is not of one.
   * Default: an uncaught exception.
   */
  readonly onError?: (error: unknown, key: K | undefined) => void;
}

export interface SetOptions {
  /** Milliseconds for which this value is fresh, instead of the cache's `ttlMs`. */
  readonly ttlMs?: number;
  /** Bytes, instead of what `sizeOf` says. */
  readonly size?: number;
}

export interface FetchOptions<K, V> extends SetOptions {
  /** Gives up waiting. The load goes on while others wait for it. */
  readonly signal?: AbortSignal;
  /** Loads even if there is a fresh value, and replaces it. */
  readonly forceRefresh?: boolean;
  /** Makes the value, instead of the cache's `load`; unless a load of this key is under way, which is joined. */
  readonly load?: Load<K, V>;
}

export interface ObjectCacheStats {
  readonly name: string;
  readonly size: number;
  readonly bytes: number;
  /** The name of the eviction policy. */
  readonly policy: string;
  /** Bytes of what the policy remembers of evicted keys. Part of `chargedBytes`, not of `bytes`. */
  readonly shadowBytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly expirations: number;
  /** Values that were not stored, since they were too large, or their group had no room. */
  readonly rejected: number;
  /** Of these, those that the group had no room for. */
  readonly uncharged: number;
  /** Bytes that are charged to the group now: what is needed, and a stock for the next values. */
  readonly chargedBytes: number;
  /** Loads that were begun. */
  readonly loads: number;
  /** Callers who joined a load that was under way. */
  readonly coalesced: number;
  /** Loads that failed; not those that were aborted. */
  readonly loadErrors: number;
  /** Holds by `use` and `acquire` that are open. */
  readonly held: number;
  /** Guards that were garbage-collected while they held. */
  readonly leaks: number;
  /** Values that left and have not been disposed of: held, waiting for their grace period, or kept for reuse. */
  readonly retired: number;
  /** Bytes of these. */
  readonly retiredBytes: number;
  /** Of these, how many are kept for reuse. */
  readonly reusable: number;
  /** Values that left for good. */
  readonly disposed: number;
  /** Values that were made ready for another key. */
  readonly recycled: number;
}
