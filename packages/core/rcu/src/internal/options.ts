import { LAST_IDLE } from './sequence.js';

const DEFAULT_BUDGET_MS = 1;
const DEFAULT_STALL_MS = 21_000;

export function checkBudget(budgetMs: number = DEFAULT_BUDGET_MS): number {
  if (!(budgetMs > 0)) {
    throw new RangeError(`Cannot use a callback budget of ${budgetMs} ms: it must be above 0`);
  }
  return budgetMs;
}

export function checkStall(stallMs: number = DEFAULT_STALL_MS): number {
  if (!(stallMs > 0)) {
    throw new RangeError(`Cannot report stalls after ${stallMs} ms: it must be above 0; Infinity reports none`);
  }
  return stallMs;
}

export function checkSequence(firstSequence: number = 0): number {
  if (!(firstSequence >= 0 && firstSequence <= LAST_IDLE && firstSequence % 4 === 0)) {
    throw new RangeError(`Cannot start at sequence ${firstSequence}: it must be a multiple of 4 from 0 to 2^53 - 12`);
  }
  return firstSequence;
}

/**
 * Refuses channels and ports that would fail only when they are needed: an error that comes to a channel which is no
 * function would be lost.
 *
 * @param kinds the methods that an option must have; one without any must be a function itself
 * @throws {TypeError}
 */
export function checkKinds(options: object, kinds: Readonly<Record<string, readonly string[]>>): void {
  for (const [name, methods] of Object.entries(kinds)) {
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined) {
      continue;
    }
    if (methods.length === 0 && typeof value !== 'function') {
      throw new TypeError(`Cannot use ${name} ${String(value)}: it must be a function`);
    }
    for (const method of methods) {
      if (typeof (value as Record<string, unknown> | null)?.[method] !== 'function') {
        throw new TypeError(`Cannot use ${name} ${String(value)}: it must have the method ${method}()`);
      }
    }
  }
}

export function checkCallback(callback: unknown): void {
  if (typeof callback !== 'function') {
    throw new TypeError(`Cannot queue a callback: it is ${callback === null ? 'null' : typeof callback}, no function`);
  }
}
