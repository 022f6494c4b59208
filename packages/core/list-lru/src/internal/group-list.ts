import type { MemoryGroup, Zone } from '@core/shrinker';

import type { SlotLru } from '../slot-lru.js';

/**
 * The objects of one group in one zone: its own list, and those that it has from groups below that have ended.
 *
 * A list changes hands as it is, which costs the same however long it is, and leaves a walk that is in the middle of it
 * alone. Inherited lists are taken as the older ones.
 */
export class GroupList {
  /** Null is the root. */
  readonly group: MemoryGroup | null;
  /** The zone to tell the group of. */
  readonly zone: Zone;
  readonly own: SlotLru;
  /** In the order of inheritance. Lists that run empty are dropped by the next walk. */
  readonly inherited: SlotLru[] = [];
  /** The objects on all of them. */
  length = 0;

  constructor(group: MemoryGroup | null, zone: Zone, own: SlotLru) {
    this.group = group;
    this.zone = zone;
    this.own = own;
  }

  /** The lists, oldest first. */
  *parts(): IterableIterator<SlotLru> {
    yield* this.inherited;
    yield this.own;
  }
}
