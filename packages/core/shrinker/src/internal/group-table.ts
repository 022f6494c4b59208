import type { Zone } from '../spec.js';
import type { Entry } from './entry.js';
import { GroupInfo, Unit, type UnitSource } from './group-info.js';
import type { GroupNode } from './group-node.js';
import { ANY_ZONE, ZONES } from './zones.js';

/** One more than the zones: a bitmap, and a GroupInfo, for each and for {@link ANY_ZONE}. */
export const SLOTS: number = ZONES.length + 1;

/** The slot under which the entry's bits and counts for the zone are. */
export function slotOf(entry: Entry, zoneIndex: number): number {
  return entry.zoneAware ? zoneIndex : ANY_ZONE;
}

/**
 * The groups of a registry, the ids of its group-aware shrinkers, and which group has a bit at all.
 *
 * Ids are small and are used again, which is what keeps bitmaps short; whoever gets one finds neither bits nor counts
 * of the one before. The root has no bits: a pass over everything calls every shrinker for it.
 */
export class GroupTable implements UnitSource {
  /** By `index`. The root is the first; a place that is free is null. */
  readonly groups: (GroupNode | null)[] = [];
  /** By `bitId`. */
  readonly entries: (Entry | null)[] = [];
  /** By slot, a bit for each group that has one. */
  readonly any: number[][] = [];
  /** Groups with a `min` or a `low`. */
  protecting = 0;
  /** Whether a charge has a reclaim in progress, from inside which no other is begun. */
  reclaiming = false;
  /** Bytes that were ever charged, and at how many of them the one who watches is told next. */
  charged = 0;
  meterAt: number = Infinity;
  private readonly freeIndices: number[] = [];
  private readonly freeIds: number[] = [];

  constructor() {
    for (let slot = 0; slot < SLOTS; slot++) {
      this.any.push([0]);
    }
  }

  get root(): GroupNode {
    return this.groups[0] as GroupNode;
  }

  unit(): Unit {
    return new Unit();
  }

  /** Gives the group its place. */
  enter(group: GroupNode): void {
    const index = this.freeIndices.pop() ?? this.groups.length;
    this.groups[index] = group;
    group.index = index;
    for (const words of this.any) {
      if (index >>> 5 >= words.length) {
        words.push(0);
      }
    }
  }

  /** Takes the place back from a group that has no bits. */
  leave(group: GroupNode): void {
    this.groups[group.index] = null;
    this.freeIndices.push(group.index);
    group.index = -1;
  }

  /** Gives the entry an id of its own. */
  takeId(entry: Entry): void {
    const id = this.freeIds.pop() ?? this.entries.length;
    this.entries[id] = entry;
    entry.bitId = id;
  }

  /** Takes the id back. O(1), or O(groups) if it was ever told of in a group. */
  giveId(entry: Entry): void {
    const id = entry.bitId;
    if (id < 0) {
      return;
    }
    entry.bitId = -1;
    this.entries[id] = null;
    if (entry.marked) {
      for (const group of this.groups) {
        if (group !== null) {
          this.purge(group, id);
        }
      }
    }
    this.freeIds.push(id);
  }

  /** Sets the entry's bit in the group, or in its heir. */
  mark(group: GroupNode, entry: Entry, slot: number): void {
    const id = entry.bitId;
    if (id < 0) {
      return;
    }
    const at = group.heir;
    if (at.index === 0) {
      return;
    }
    const info = at.infos[slot];
    if (info !== null && info !== undefined && info.has(id)) {
      return;
    }
    const set = info ?? new GroupInfo();
    set.set(id, this);
    entry.marked = true;
    at.putInfo(slot, set);
    const words = this.any[slot] as number[];
    words[at.index >>> 5] = (words[at.index >>> 5] as number) | (1 << (at.index & 31));
  }

  /** Clears a bit. */
  unmark(group: GroupNode, id: number, slot: number): void {
    const info = group.infos[slot];
    if (info !== null && info !== undefined) {
      info.clear(id);
      this.settleAny(group, slot, info);
    }
  }

  takeDeferred(group: GroupNode, entry: Entry, slot: number): number {
    const info = group.infos[slot];
    return info === null || info === undefined || entry.bitId < 0 ? 0 : info.takeDeferred(entry.bitId);
  }

  /** Puts work off in the group, or in its heir, which is not the root. */
  addDeferred(group: GroupNode, entry: Entry, slot: number, count: number): number {
    const info = group.infos[slot];
    if (entry.bitId < 0 || (count === 0 && (info === null || info === undefined))) {
      return 0;
    }
    const put = info ?? new GroupInfo();
    const sum = put.addDeferred(entry.bitId, count, this);
    entry.marked = true;
    group.putInfo(slot, put);
    return sum;
  }

  /**
   * Moves bits and deferred counts of a group to another, which may be the root. Sums are conserved. The group is
   * offline already, so that whoever puts anything off from now on does it in the heir.
   */
  reparent(from: GroupNode, to: GroupNode): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      const info = from.infos[slot];
      if (info === null || info === undefined) {
        continue;
      }
      info.eachDeferred((id, count) => {
        const entry = this.entries[id] as Entry | null;
        entry?.addDeferredIn(to, slot, count);
      });
      for (let id = info.next(0); id >= 0; id = info.next(id + 1)) {
        const entry = this.entries[id] as Entry | null;
        if (entry !== null) {
          this.mark(to, entry, slot);
        }
      }
      const words = this.any[slot] as number[];
      words[from.index >>> 5] = (words[from.index >>> 5] as number) & ~(1 << (from.index & 31));
    }
    from.dropInfos();
  }

  /** Adds the groups that have a bit for the zone to the list: of all, or of the target and those below it. */
  collect(target: GroupNode | null, zoneIndex: number, into: GroupNode[]): void {
    if (target !== null) {
      if (target.hasBits(zoneIndex) || target.hasBits(ANY_ZONE)) {
        into.push(target);
      }
      for (const below of target.below()) {
        this.collect(below, zoneIndex, into);
      }
      return;
    }
    const ofZone = this.any[zoneIndex] as number[];
    const ofAny = this.any[ANY_ZONE] as number[];
    for (let word = 0; word < ofZone.length; word++) {
      let left = (ofZone[word] as number) | (ofAny[word] as number);
      while (left !== 0) {
        into.push(this.groups[word * 32 + 31 - Math.clz32(left & -left)] as GroupNode);
        left &= left - 1;
      }
    }
  }

  /** The group by group sum of what an entry has put off below the root, by slot. O(groups). */
  deferredBelow(entry: Entry): number[] {
    const sums = Array.from({ length: SLOTS }, () => 0);
    for (const group of entry.marked ? this.groups : []) {
      if (group !== null) {
        for (const [slot, info] of group.infos.entries()) {
          sums[slot] = (sums[slot] as number) + (info?.deferredAt(entry.bitId) ?? 0);
        }
      }
    }
    return sums;
  }

  private purge(group: GroupNode, id: number): void {
    for (const [slot, info] of group.infos.entries()) {
      if (info !== null) {
        info.purge(id);
        this.settleAny(group, slot, info);
      }
    }
  }

  private settleAny(group: GroupNode, slot: number, info: GroupInfo): void {
    if (info.live === 0) {
      const words = this.any[slot] as number[];
      words[group.index >>> 5] = (words[group.index >>> 5] as number) & ~(1 << (group.index & 31));
    }
  }
}

/** A record by zone of what a function says of each. */
export function byZone(valueOf: (index: number) => number): Record<Zone, number> {
  return { heap: valueOf(0), external: valueOf(1), shared: valueOf(2) };
}
