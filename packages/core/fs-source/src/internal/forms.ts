import type { BigIntStats } from 'node:fs';
import { bigStatsOf } from './big-stats.js';
import type { AnyStats } from './node-fs.js';

/** Options of node:fs. Objects of their own would be made for each call. */
export const BIG: { readonly bigint: true } = { bigint: true };
export const TYPED: { readonly withFileTypes: true } = { withFileTypes: true };

/** The promise of a call that takes a callback; what the call throws at once rejects it. */
export function promised<T>(call: (callback: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      // Some file systems pass undefined for no error.
      if (error === null || (error as Error | undefined) === undefined) {
        resolve(value);
      } else {
        reject(error);
      }
    });
  });
}

/** The promise of a call that is synchronous. */
export function attempt<T>(call: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(call());
  });
}

export function toBigStats(stats: AnyStats): BigIntStats {
  return typeof stats.ino === 'bigint' ? (stats as BigIntStats) : bigStatsOf(stats as Exclude<AnyStats, BigIntStats>);
}
