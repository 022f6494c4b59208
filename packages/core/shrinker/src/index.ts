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
