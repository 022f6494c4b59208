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
export { torture, type TortureOptions, type TortureSubject } from './torture.js';
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
  SHRINKER_BIT_VARIANTS,
  shrinkerBitModel,
  type ShrinkerBitModelOptions,
  type ShrinkerBitRegisters,
  type ShrinkerBitVariant,
} from './models/shrinker-bit-model.js';
export {
  QUIESCENT_STATES,
  type QuiescentState,
  turnModel,
  type TurnModelOptions,
  type TurnRegisters,
} from './models/turn-model.js';
export { torturePending, type TorturePendingOptions } from './torture-pending.js';
export { formatPendingReport, type PendingCheck, type PendingReport } from './torture-pending-report.js';
export type { PendingHooks, PendingObject, PendingUnderTest } from './pending-under-test.js';
export { ReferencePending } from './reference/reference-pending.js';
export { BUSTED_FLAVORS, BUSTED_PENDINGS, type BustedFlavor, type BustedPending } from './busted/catalogue.js';
export { AwaitSrcu, ImpatientSrcu, MicrotaskRcu, NoFlipSrcu, WrongEpochSrcu } from './busted/early-flavors.js';
export {
  EagerCallRcu,
  EndlessRcu,
  FlickeringPollRcu,
  ForgetfulCallRcu,
  HastyBarrierRcu,
  LateCookieRcu,
  ManyCookiesRcu,
  PollLastRcu,
  RejectingRcu,
  RepeatedCallRcu,
  SilentSrcu,
  StartingGetStateRcu,
  UncountedRcu,
  UnequalRcu,
} from './busted/faulty-flavors.js';
export {
  CarelessClaimPending,
  EarlyPending,
  FirstOfBatchPending,
  ForgetfulPending,
  HastyBarrierPending,
  HastyExpiredPending,
  ImmediatePending,
  KeptDequeuePending,
  OpenPending,
  UncountedDequeuePending,
  UnweighedDequeuePending,
} from './busted/pendings.js';
export {
  assertTorture,
  type TorturePorts,
  tortureSuite,
  type TortureSuiteOptions,
  type TortureSuiteSubject,
} from './torture-suite.js';
export { ObjectCookieRcu, ZeroCookieRcu } from './reference/odd-flavors.js';
