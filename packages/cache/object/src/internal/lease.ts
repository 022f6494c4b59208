import type { DisposeReason } from '../options.js';

/** What is known of a value that is held, in the cache or no longer. Used again and again. */
export class Lease<K, V> {
  key: K | undefined = undefined;
  value: V | undefined = undefined;
  /** Means something once the value has left. */
  bytes = 0;
  /** It has left, and its bytes are charged to no group. */
  exempt = false;
  /** Holds of users, and pins of loads. */
  holds = 0;
  /** Why the value left, or null while it is in the cache. */
  reason: DisposeReason | null = null;
}
