export type { AdvanceObserver, Cookie, RcuFlavor, RcuStats } from './flavor.js';
export { Rcu, type RcuOptions } from './rcu.js';
export { RcuError, type RcuErrorCode } from './rcu-error.js';
export { Srcu, type SrcuIndex, type SrcuOptions } from './srcu.js';
export type { SrcuGuard } from './srcu-guard.js';
export type { SrcuReport } from './srcu-report.js';
