export type { AdvanceObserver, Cookie, RcuFlavor, RcuStats } from './flavor.js';
