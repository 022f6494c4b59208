import type { MemoryGroup } from '@core/shrinker';
import { Account, type Contents } from './account.js';
import type { Limits } from './check-options.js';
import type { DentryTree, Place } from './dentry-tree.js';
import type { RememberedPaths } from './remembered-paths.js';

/** What is over a limit is looked at in portions of so many, rather than one by one. */
const BATCH = 32;

/** Keeps a cache within its limits, and within what its group has room for. */
export class Upkeep<I extends object> {
  private readonly tree: DentryTree<I>;
  private readonly paths: RememberedPaths<I>;
  private readonly limits: Limits;
  private readonly account: Account | null;
  /** Evictions when the paths were aged last. */
  private agedAt = 0;

  constructor(tree: DentryTree<I>, paths: RememberedPaths<I>, limits: Limits, group: MemoryGroup | null) {
    this.tree = tree;
    this.paths = paths;
    this.limits = limits;
    this.account = group === null ? null : new Account(group);
  }

  get isCharged(): boolean {
    return this.account !== null;
  }

  /** Bytes. */
  get charged(): number {
    return this.account?.charged ?? 0;
  }

  /** Frees what is over. May run anything, by a charge: not in the middle of a change. */
  trim(): void {
    const { tree, limits, account } = this;
    if (tree.count > limits.max) {
      tree.prune(Math.max(BATCH, tree.count - limits.max));
    }
    if (tree.negativeCount > limits.maxNegative) {
      tree.pruneNegatives(Math.max(BATCH, tree.negativeCount - limits.maxNegative));
    }
    if (tree.listedNames > limits.maxListedTotal) {
      tree.pruneListings(BATCH);
    }
    this.agePaths();
    if (account !== null && account.settle(this.contents()) > 0) {
      this.makeDo(account);
    }
  }

  /** Frees old dentries and listings: looks at `nr` of them. @returns how many were freed */
  prune(nr: number, place?: Place): number {
    const freed = this.tree.prune(nr, place);
    this.agePaths();
    this.drain();
    return freed;
  }

  /** Gives back what is charged and not needed. */
  drain(): void {
    this.account?.drain(this.contents());
  }

  /** The group has no room: of what there is most of, some goes, until what is left can be charged. */
  private makeDo(account: Account): void {
    const { tree } = this;
    this.paths.clear();
    // What was used is spared once, so a round may free nothing.
    let idle = 0;
    while (idle < 2 && account.settle(this.contents()) > 0) {
      const { evictions } = tree;
      if (tree.listedNames > tree.count) {
        tree.pruneListings(BATCH);
      } else {
        tree.prune(BATCH);
      }
      idle = tree.evictions === evictions ? idle + 1 : 0;
    }
  }

  /** Paths keep alive what they led to: after evictions they must not outnumber what is left of that. */
  private agePaths(): void {
    const { evictions, count, listedNames } = this.tree;
    if (evictions > this.agedAt && this.paths.size > count + listedNames) {
      this.agedAt = evictions;
      this.paths.age();
    }
  }

  private contents(): Contents {
    return { dentries: this.tree.count, listedNames: this.tree.listedNames, paths: this.paths.size };
  }
}
