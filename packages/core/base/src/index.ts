export { assert, AssertionError, must, unreachable } from './assert.js';
export { CoarseClock } from './coarse-clock.js';
export { CodedError, hasBrand } from './coded-error.js';
export { type Clock, systemClock } from './clock.js';
export { type Scheduled, type Scheduler, systemScheduler } from './scheduler.js';
export { type Rng, SeededRng } from './rng.js';
export { reportUncaught } from './report-uncaught.js';
export { TurnBudget } from './turn-budget.js';
export { isThenable } from './thenable.js';
