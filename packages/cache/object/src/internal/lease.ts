import type { RcuHead } from '@core/rcu-pending';
import type { DisposeReason } from '../options.js';

/** What is known of a value that is held, or that has left and waits to be disposed of. Used again and again. */
export class Lease<K, V> implements RcuHead {
  rcuNext: RcuHead | null = null;
  key: K | undefined = undefined;
  value: V | undefined = undefined;
  bytes = 0;
  holds = 0;
  /** Why the value left, or null while it is in the cache. */
  reason: DisposeReason | null = null;
}
