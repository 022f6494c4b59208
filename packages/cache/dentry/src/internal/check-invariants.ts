import { assert } from '@core/base';
import { KIND_DIRECTORY, KIND_NONE } from '../dentry.js';
import { DEAD, type DentryNode, IN_LOOKUP, pathOf, UNHASHED } from './dentry-node.js';
import type { DentryTree } from './dentry-tree.js';
import { kindOfEntry } from './kinds.js';
import { isAmbiguous } from './names.js';

/**
 * Throws when anything about the tree is not as it must be. O(dentries). For tests, between operations.
 *
 * @param held all dentries that somebody has besides walks; null while walks wait, which nobody can tell
 */
export function checkInvariants<I extends object>(
  tree: DentryTree<I>,
  held: readonly DentryNode<I>[] | null = [],
): void {
  const totals = { nodes: 0, negative: 0, names: 0, listings: 0 };
  const orphans = new Set<DentryNode<I>>();
  for (let node of held ?? []) {
    // What keeps an orphan alive keeps those above it.
    while ((node.flags & UNHASHED) !== 0 && node.parent !== null) {
      orphans.add(node);
      node = node.parent;
    }
  }
  const stack = [tree.root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    checkNode(tree, node, orphans);
    if (node !== tree.root) {
      totals.nodes++;
      totals.negative += isNegative(node) ? 1 : 0;
    }
    totals.listings += node.listing === null ? 0 : 1;
    totals.names += node.listing?.entries.size ?? 0;
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      stack.push(child);
    }
  }
  assert(
    held === null || tree.hashed === totals.nodes,
    () => `${tree.hashed} are hashed, ${totals.nodes} can be reached`,
  );
  for (const orphan of orphans) {
    assert((orphan.flags & DEAD) === 0, () => `${pathOf(orphan)} is dead, and somebody has it`);
    totals.negative += isNegative(orphan) ? 1 : 0;
  }
  const known = totals.nodes + orphans.size;
  // Walks that wait keep dentries that were dropped, and have trees of their own.
  const agrees = held === null ? (a: number, b: number) => a >= b : (a: number, b: number) => a === b;
  assert(agrees(tree.count, known), () => `${tree.count} dentries, not ${known}`);
  assert(agrees(tree.negativeCount, totals.negative), () => `${tree.negativeCount} negative, not ${totals.negative}`);
  assert(
    agrees(tree.listings.length, totals.listings),
    () => `${tree.listings.length} listings, not ${totals.listings}`,
  );
  assert(agrees(tree.listedNames, totals.names), () => `${tree.listedNames} listed names, not ${totals.names}`);
  for (const lru of [tree.positives, tree.negatives]) {
    for (const node of lru) {
      assert((node.flags & (UNHASHED | DEAD)) === 0, () => `${pathOf(node)} is on a list, and cannot be found`);
      assert((node.kind === KIND_NONE) === (lru === tree.negatives), () => `${pathOf(node)} is on the wrong list`);
    }
  }
}

function isNegative(node: DentryNode<object>): boolean {
  return node.kind === KIND_NONE && (node.flags & IN_LOOKUP) === 0;
}

function checkNode<I extends object>(tree: DentryTree<I>, node: DentryNode<I>, orphans: Set<DentryNode<I>>): void {
  const what = (fault: string) => () => `${pathOf(node)}: ${fault}`;
  assert((node.flags & (UNHASHED | DEAD)) === 0, what('can be reached, and is unhashed or dead'));
  assert(node.seq % 2 === 0, what('its sequence number is odd'));
  let pins = node.holds + (node.request === null ? 0 : 1);
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    assert(child.parent === node, what(`${child.name} is among its children`));
    assert(node.kind === KIND_DIRECTORY, what('has children and is no directory'));
    pins++;
  }
  for (const orphan of orphans) {
    pins += orphan.parent === node ? 1 : 0;
  }
  assert(node.refs >= pins, what(`${node.refs} references, of which ${pins} are known`));
  assert(
    (node.kind === KIND_NONE) === (node.missing !== null || (node.flags & IN_LOOKUP) !== 0),
    what('is and is not'),
  );
  assert(node.kind !== KIND_NONE || node.inode === null, what('is negative and has an inode'));
  if (node === tree.root) {
    return;
  }
  assert(tree.find(node.parent as DentryNode<I>, node.name) === node, what('is not found by its name'));
  const isAged = tree.positives.has(node) || tree.negatives.has(node);
  assert(node.refs > 0 || isAged, what('nobody has it, and it does not age'));
  checkListed(node);
}

/** A listing and the dentries of its directory say the same. */
function checkListed(node: DentryNode<object>): void {
  const listing = node.parent?.listing;
  if (listing === null || listing === undefined || (node.flags & IN_LOOKUP) !== 0 || isAmbiguous(node.name)) {
    return;
  }
  const entry = listing.entries.get(node.key);
  const agrees =
    entry === undefined || node.kind === KIND_NONE
      ? entry === undefined && node.kind === KIND_NONE
      : entry.kind === 'unknown' || kindOfEntry(entry.kind) === node.kind;
  assert(agrees, () => `${pathOf(node)} is of kind ${node.kind}, and listed as ${entry?.kind ?? 'absent'}`);
}
