export type { MemoryReading, MemorySource } from './memory-source.js';
export {
  type HeapSource,
  type MajorCollection,
  type V8Like,
  V8HeapSource,
  type V8HeapSourceOptions,
} from './heap-source.js';
export { type HeapLimit, heapLimitOf, type HeapLimitFacts } from './internal/heap-limit.js';
export { ProcessSource } from './process-source.js';
export { type CgroupLevel, CgroupSource, type CgroupSourceOptions, type FileReader } from './cgroup-source.js';
export { PsiSource, type PsiSourceOptions } from './psi-source.js';
export { type Watermarks, type WatermarkShares } from './watermarks.js';
export type { BudgetName, MemoryBudget, MemoryLimits } from './memory-budget.js';
export { type BudgetState, MemoryMonitor, type MemoryMonitorOptions, type MonitorStats } from './memory-monitor.js';
export { Reclaimer, type ReclaimerOptions, type ReclaimerStats, type ShortReason } from './reclaimer.js';
export {
  formatReport,
  type MemoryReport,
  type ReportedGroup,
  type ReportedOthers,
  type ReportedPending,
  type ReportedReader,
  type ReportedShrinker,
  reportOf,
} from './memory-report.js';
