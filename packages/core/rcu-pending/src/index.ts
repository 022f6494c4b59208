export { asShrinker, type PendingShrinkerOptions } from './as-shrinker.js';
export { CallRcu, type CallRcuHead, type CallRcuOptions } from './call-rcu.js';
export { type Freeable, KvFree, type KvFreeOptions } from './kv-free.js';
export { nodePoolShrinker, type NodePoolShrinkerOptions } from './node-pool-shrinker.js';
export { PendingError, type PendingErrorCode } from './pending-error.js';
export { RcuPending } from './rcu-pending.js';
export type { BulkProcess, EnqueueOptions, RcuHead, RcuPendingOptions, RcuPendingStats, ShardPort } from './types.js';
