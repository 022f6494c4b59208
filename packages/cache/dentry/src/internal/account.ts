import { type MemoryGroup, ShrinkerError } from '@core/shrinker';

/** Bytes of a dentry with its name and its places in lists; of a name in a listing; of a whole path. Measured. */
export const DENTRY_BYTES = 350;
const LISTED_BYTES = 110;
const PATH_BYTES = 165;
/** Charged ahead, so that not each dentry is charged by itself; twice of it is kept before any is given back. */
const STOCK_BYTES = 16_384;

/** What a cache has, in numbers. */
export interface Contents {
  readonly dentries: number;
  readonly listedNames: number;
  readonly paths: number;
}

/** What a cache has charged to its group for what it has. Inodes are accounted by whoever makes them. */
export class Account {
  /** Bytes that are charged. */
  charged = 0;
  private readonly group: MemoryGroup;

  constructor(group: MemoryGroup) {
    this.group = group;
  }

  /**
   * Charges what there is more than before, or gives back what there is less. May run anything, this cache's own scan
   * included: not in the middle of a change.
   *
   * @returns bytes that are needed and not charged, since the group has no room for them
   */
  settle(contents: Contents): number {
    const missing = this.missing(contents);
    if (missing > 0 && !this.charge(missing + STOCK_BYTES)) {
      return missing;
    }
    if (missing < -2 * STOCK_BYTES) {
      this.giveBack(-missing - STOCK_BYTES);
    }
    return 0;
  }

  /** Bytes that are needed and not charged; less than 0 when more is charged. */
  private missing(contents: Contents): number {
    return bytesOf(contents) - this.charged;
  }

  /** Memory is short: gives back all that is not needed. */
  drain(contents: Contents): void {
    this.giveBack(Math.max(0, -this.missing(contents)));
  }

  private giveBack(bytes: number): void {
    this.charged -= bytes;
    this.group.uncharge(bytes);
  }

  private charge(bytes: number): boolean {
    try {
      this.group.heir.charge(bytes);
    } catch (error) {
      if (ShrinkerError.is(error)) {
        return false;
      }
      throw error;
    }
    this.charged += bytes;
    return true;
  }
}

function bytesOf({ dentries, listedNames, paths }: Contents): number {
  return dentries * DENTRY_BYTES + listedNames * LISTED_BYTES + paths * PATH_BYTES;
}
