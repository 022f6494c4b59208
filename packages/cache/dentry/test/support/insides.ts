import type { Dentry, DentryCache } from '../../src/index.js';
import { checkInvariants } from '../../src/internal/check-invariants.js';
import type { DentryNode } from '../../src/internal/dentry-node.js';
import type { Changes } from '../../src/internal/changes.js';
import type { DentryTree, Retired } from '../../src/internal/dentry-tree.js';
import type { Resolver } from '../../src/internal/resolver.js';
import type { RcuPending } from '@core/rcu-pending';

interface Insides<I extends object> {
  readonly tree: DentryTree<I>;
  readonly changes: Changes<I>;
  readonly resolver: Resolver<I>;
  readonly pending: RcuPending<Retired<I>>;
}

export function insidesOf<I extends object>(cache: DentryCache<I>): Insides<I> {
  return cache as unknown as Insides<I>;
}

export function treeOf<I extends object>(cache: DentryCache<I>): DentryTree<I> {
  return insidesOf(cache).tree;
}

export function nodeOf<I extends object>(dentry: Dentry<I>): DentryNode<I> {
  return dentry as DentryNode<I>;
}

/** @param held all that the test holds; null while walks wait */
export function check<I extends object>(cache: DentryCache<I>, held: readonly Dentry<I>[] | null = []): void {
  checkInvariants(treeOf(cache), held as readonly DentryNode<I>[] | null);
}
