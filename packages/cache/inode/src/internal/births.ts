import type { BigIntStats } from 'node:fs';
import { kindOf } from './attributes.js';
import { sameStamp } from './change.js';

/**
 * Tells whether two observations of one inode number are of the same file, or of two that had the number one after the
 * other. The time of birth says so, where there is one: a device that does not know it says 0, or repeats the ctime. So
 * a device is believed from when it has said anything else.
 */
export class Births {
  private readonly told = new Set<bigint>();

  /** Learns from stats whether their device knows times of birth. */
  learn(stats: BigIntStats): void {
    if (stats.birthtimeNs !== stats.ctimeNs && stats.birthtimeNs !== 0n) {
      this.told.add(stats.dev);
    }
  }

  /**
   * @param then and now: of one device and number
   * @param vouched the new stats were got by a name that led to the file before. Without times of birth a changed file
   *   cannot be told from another one; then this decides.
   */
  isSame(then: BigIntStats, now: BigIntStats, vouched: boolean): boolean {
    if (kindOf(then.mode) !== kindOf(now.mode)) {
      return false;
    }
    if (this.told.has(now.dev) && then.birthtimeNs !== 0n && now.birthtimeNs !== 0n) {
      return then.birthtimeNs === now.birthtimeNs;
    }
    return vouched || sameStamp(then, now);
  }
}
