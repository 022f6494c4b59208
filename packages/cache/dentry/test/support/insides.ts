import type { Dentry, DentryCache } from '../../src/index.js';
import { checkInvariants } from '../../src/internal/check-invariants.js';
import type { DentryNode } from '../../src/internal/dentry-node.js';
import type { DentryTree } from '../../src/internal/dentry-tree.js';

interface Insides<I extends object> {
  readonly tree: DentryTree<I>;
}

export function treeOf<I extends object>(cache: DentryCache<I>): DentryTree<I> {
  return (cache as unknown as Insides<I>).tree;
}

export function nodeOf<I extends object>(dentry: Dentry<I>): DentryNode<I> {
  return dentry as DentryNode<I>;
}

/** @param held all that the test holds; null while walks wait */
export function check<I extends object>(cache: DentryCache<I>, held: readonly Dentry<I>[] | null = []): void {
  checkInvariants(treeOf(cache), held as readonly DentryNode<I>[] | null);
}
