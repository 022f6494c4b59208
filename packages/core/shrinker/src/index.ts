export {
  DEF_PRIORITY,
  DEFAULT_SEEKS,
  type MemoryGroup,
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
export { type ScanRequest, type ShrinkerCount, type ShrinkerDebug, type ShrinkerInfo } from './shrinker-debug.js';
export { ShrinkerError, type ShrinkerErrorCode } from './shrinker-error.js';
export { SHRINK_END_CHANNEL, SHRINK_START_CHANNEL, type ShrinkEnd, type ShrinkStart } from './trace.js';
