import { KIND_NONE } from '../dentry.js';
import { type DentryNode, STALE } from './dentry-node.js';
import type { DentryTree } from './dentry-tree.js';
import { PathCache, PathEntry, STRAIGHT } from './path-cache.js';
import type { Walker } from './walker.js';

/** Whole paths, and where walks found that they lead. */
export class RememberedPaths<I extends object> {
  /** Paths that were answered. */
  hits = 0;
  private readonly tree: DentryTree<I>;
  /** Paths whose last symlink was followed, and others. */
  private readonly followed: PathCache<I>;
  private readonly unfollowed: PathCache<I>;

  constructor(tree: DentryTree<I>, max: number) {
    this.tree = tree;
    this.followed = new PathCache<I>(max / 2);
    this.unfollowed = new PathCache<I>(max / 2);
  }

  get size(): number {
    return this.followed.size + this.unfollowed.size;
  }

  /** Where the path leads, if that was remembered and still is so; else null. */
  recall(path: string, follow: boolean, attributes: boolean, now: number): DentryNode<I> | null {
    const entry = (follow ? this.followed : this.unfollowed).get(path);
    if (
      entry === undefined ||
      entry.seq !== entry.guard.seq ||
      (entry.bends !== STRAIGHT && entry.bends !== this.tree.bends) ||
      entry.validUntil < now
    ) {
      return null;
    }
    const { result } = entry;
    if (attributes && result.kind !== KIND_NONE && (result.inode === null || (result.flags & STALE) !== 0)) {
      return null;
    }
    entry.guard.referenced = true;
    this.hits++;
    return result;
  }

  /** Remembers what a walk has found, unless that is for itself, or something has moved on its way since. */
  remember(path: string, follow: boolean, walker: Walker<I>): void {
    const { result, guard, seq, bends, validUntil } = walker;
    if (walker.root === this.tree.root && walker.epoch === this.tree.epoch) {
      const entry = new PathEntry(result, guard, seq, walker.bent ? bends : STRAIGHT, validUntil);
      (follow ? this.followed : this.unfollowed).set(path, entry);
    }
  }

  /** A directory is not where or what it was: no path through it can be told from others. */
  clear(): void {
    this.followed.clear();
    this.unfollowed.clear();
    this.tree.epoch++;
  }

  /** Lets go of what was not asked for since the last time. */
  age(): void {
    this.followed.age();
    this.unfollowed.age();
  }
}
