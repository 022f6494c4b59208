export { SimClock } from './sim-clock.js';
export { SimError, type SimErrorCode } from './sim-error.js';
export { type RunUntilIdleOptions, SimScheduler, type SimSchedulerOptions } from './sim-scheduler.js';
export {
  ALL_HOPS,
  type EventLoop,
  type Hop,
  hopOn,
  HOPS_WITHIN_A_TURN,
  randomYield,
  withRandomYields,
} from './event-loop.js';
export { RealLoop } from './real-loop.js';
export { SimLoop, type SimLoopOptions } from './sim-loop.js';
export { guardReader, type ReaderGuards, type ReaderProtocol, spansTurns, turnReader } from './reader-protocol.js';
export { torture, type TortureOptions } from './torture.js';
export {
  formatReport,
  type Primitive,
  PRIMITIVES,
  type TortureCheck,
  type TortureFailure,
  type TortureReport,
} from './torture-report.js';
export { ReferenceFlavor } from './reference/reference-flavor.js';
export { type ReferenceOptions, ReferenceRcu } from './reference/reference-rcu.js';
export { type ReferenceIndex, ReferenceSrcu, type ReferenceSrcuOptions } from './reference/reference-srcu.js';
export { explore, type ExploreResult, replay } from './explore.js';
export type { ExploreFailure, ExploreOptions, Step, ThreadBody } from './explore-options.js';
export {
  SRCU_VARIANTS,
  srcuModel,
  type SrcuModelOptions,
  type SrcuRegisters,
  type SrcuVariant,
} from './models/srcu-model.js';
export {
  PENDING_VARIANTS,
  pendingModel,
  type PendingModelOptions,
  type PendingRegisters,
  type PendingVariant,
} from './models/pending-model.js';
export {
  QUIESCENT_STATES,
  type QuiescentState,
  turnModel,
  type TurnModelOptions,
  type TurnRegisters,
} from './models/turn-model.js';
