export {
  DEF_PRIORITY,
  DEFAULT_SEEKS,
  SHRINK_BATCH,
  SHRINK_EMPTY,
  SHRINK_STOP,
  type ShrinkControl,
  type ShrinkerSpec,
  type Zone,
} from './spec.js';
export { Shrinker, type ShrinkerProperties } from './shrinker.js';
export {
  type RegistryStats,
  type ShrinkerRegistryOptions,
  ShrinkerRegistry,
  type ShrinkerStats,
  type ShrinkRequest,
} from './registry.js';
export {
  type ScanRequest,
  type ShrinkerCount,
  type ShrinkerDeferred,
  type ShrinkerDebug,
  type ShrinkerInfo,
} from './shrinker-debug.js';
export {
  type GroupLimitDetails,
  GroupLimitError,
  type GroupUser,
  ShrinkerError,
  type ShrinkerErrorCode,
} from './shrinker-error.js';
export { type GroupHolder, type GroupStats, MemoryGroup } from './memory-group.js';
export type { GroupLimit, GroupLimits } from './group-limits.js';
export { SHRINK_END_CHANNEL, SHRINK_START_CHANNEL, type ShrinkEnd, type ShrinkStart } from './trace.js';
