import type { Inode, InodeCache } from '@cache/inode';

/** Beyond that, files are forgotten whose attributes nobody asks for. */
const MAX = 1024;
const DAY_NS = 86_400_000_000_000n;

/**
 * Files that were read below since their attributes were looked at: the time of the last access may be another one, so
 * whoever asks for it looks again. Who only reads does not.
 *
 * A system writes that time down where it would be older than the last change, or than a day: at every read would be too
 * much for most of them, as it would be here.
 */
export class AccessTimes {
  private readonly inodes: InodeCache;
  private readonly read = new Set<Inode>();

  constructor(inodes: InodeCache) {
    this.inodes = inodes;
  }

  /** The file is being read. */
  note(inode: Inode): void {
    const { atimeNs, mtimeNs, ctimeNs } = inode.stats;
    if (atimeNs > mtimeNs && atimeNs > ctimeNs && BigInt(Date.now()) * 1_000_000n - atimeNs < DAY_NS) {
      return;
    }
    this.read.add(inode);
    if (this.read.size > MAX) {
      this.settle(this.read.values().next().value as Inode);
    }
  }

  /** Whether the attributes are as new as ever. */
  isSettled(inode: Inode): boolean {
    return this.read.size === 0 || !this.read.has(inode);
  }

  /** Before attributes are asked for. */
  settle(inode: Inode): void {
    if (this.read.size > 0 && this.read.delete(inode) && !inode.isStale) {
      this.inodes.expire(inode);
    }
  }

  clear(): void {
    this.read.clear();
  }
}
