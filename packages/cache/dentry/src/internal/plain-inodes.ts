import type { BigIntStats } from 'node:fs';
import type { InodePort, PlainInode } from '../options.js';
import { kindOfStats } from './kinds.js';

/** Inodes of a cache that was given none: each dentry has the stats for itself. */
export const plainInodes: InodePort<PlainInode> = {
  instantiate: (stats) => ({ stats }),
  release() {},
  update(inode, stats) {
    const same = isSameFile(inode.stats, stats);
    if (same) {
      inode.stats = stats;
    }
    return same;
  },
};

/** A number is used again for another file, which then has been born at another time. */
function isSameFile(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.birthtimeNs === b.birthtimeNs && kindOfStats(a) === kindOfStats(b);
}
