import type { GroupNode } from './group-node.js';
import { ALL_ZONES } from './limits.js';

/**
 * Whether reclaim that comes from `target`, or from above all if null, has to leave the group alone: it, or a group
 * between it and the target, uses no more than it is guaranteed.
 *
 * A guarantee is worth no more than what the groups above it guarantee in turn; the target itself, and the root, stand
 * in nobody's way. Where the children of a group claim more than it has, each has its part of it; what none claims goes
 * to all of them by what they use beyond their own.
 *
 * @see Linux mm/page_counter.c, effective_protection
 */
export function isProtected(group: GroupNode, target: GroupNode, desperate: boolean, zoneIndex: number): boolean {
  if (group === target) {
    return false;
  }
  return (
    isBelow('mins', group, target, zoneIndex) ||
    isBelow('mins', group, target, ALL_ZONES) ||
    (!desperate && (isBelow('lows', group, target, zoneIndex) || isBelow('lows', group, target, ALL_ZONES)))
  );
}

type Kind = 'mins' | 'lows';

function isBelow(kind: Kind, group: GroupNode, target: GroupNode, index: number): boolean {
  const guaranteed = effective(kind, group, target, index);
  return guaranteed > 0 && (group.used[index] as number) <= guaranteed;
}

function effective(kind: Kind, group: GroupNode, target: GroupNode, index: number): number {
  const above = group.above;
  const own = limitOf(kind, group, index);
  if (above === null || above === target) {
    return own;
  }
  const ofAbove = effective(kind, above, target, index);
  if (ofAbove === 0) {
    return 0;
  }
  const used = group.used[index] as number;
  const claimed = Math.min(own, used);
  let allClaimed = 0;
  for (const sibling of above.below()) {
    allClaimed += Math.min(limitOf(kind, sibling, index), sibling.used[index] as number);
  }
  if (allClaimed > ofAbove) {
    return (claimed * ofAbove) / allClaimed;
  }
  const usedAbove = above.used[index] as number;
  if (used > claimed && usedAbove > allClaimed) {
    return claimed + Math.min(used - claimed, ((ofAbove - allClaimed) * (used - claimed)) / (usedAbove - allClaimed));
  }
  return own;
}

function limitOf(kind: Kind, group: GroupNode, index: number): number {
  return group.set === null ? 0 : (group.set[kind][index] as number);
}
