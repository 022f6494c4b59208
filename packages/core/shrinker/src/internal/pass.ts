import type { Entry } from './entry.js';
import type { GroupNode } from './group-node.js';
import type { GroupTable } from './group-table.js';
import { isProtected } from './protection.js';
import { Run } from './run.js';
import type { ShrinkerList } from './shrinker-list.js';
import type { Weights } from './weights.js';
import { ANY_ZONE } from './zones.js';

/**
 * One pass: where it is among the groups, and the run of the shrinker that it is at.
 *
 * Its groups are those that had a bit when it came to them, each once, however the tree changes while it sleeps. Within
 * a group it goes from bit to bit by their ids, and looks at everything anew at each step.
 */
export class Pass {
  run: Run;
  /** Whose objects are wanted; null is everybody's. */
  target: GroupNode | null = null;
  /** Shrinkers that were registered later are left out. */
  until = 0;
  readonly #list: ShrinkerList;
  readonly #table: GroupTable;
  readonly #groups: GroupNode[] = [];
  #at = -1;
  #slot = ANY_ZONE;
  #id = 0;

  constructor(list: ShrinkerList, table: GroupTable, weights: Weights) {
    this.run = new Run(weights);
    this.#list = list;
    this.#table = table;
  }

  /** Goes to the first of the groups. */
  enterGroups(): void {
    this.#table.collect(this.target, this.run.zoneIndex, this.#groups);
    this.#at = -1;
    this.#slot = ANY_ZONE;
  }

  /** Lets go of the groups. */
  leaveGroups(): void {
    this.#groups.length = 0;
  }

  /** Goes to the next shrinker that has its bit set; the caller has a reference on it then. Null when there is none. */
  next(sync: boolean): Entry | null {
    const table = this.#table;
    const { run } = this;
    for (;;) {
      const group = this.#groups[this.#at];
      const id = group === undefined ? -1 : (group.infos[this.#slot]?.next(this.#id) ?? -1);
      if (id < 0) {
        if (!this.#nextSlot()) {
          return null;
        }
        continue;
      }
      this.#id = id + 1;
      const entry = table.entries[id] as Entry | null;
      // A shrinker that cannot run any more. One that cannot run yet keeps its bit.
      if (entry === null || entry.refs < 0) {
        table.unmark(group as GroupNode, id, this.#slot);
        continue;
      }
      if (entry.order > this.until) {
        continue;
      }
      if (sync && entry.inFlight > 0) {
        entry.busy++;
        continue;
      }
      if (!this.#list.tryGet(entry)) {
        continue;
      }
      run.group = group as GroupNode;
      return entry;
    }
  }

  /**
   * Runs the shrinker that {@link next} has returned.
   *
   * Whoever adds the first object sets the bit after it. So when the count says empty, the bit is cleared first, and
   * counted once more after that: an object that was added before the bit was cleared is counted now, and one that is
   * added later finds the bit clear, and sets it.
   *
   * @returns as {@link Run.start}
   */
  startIn(entry: Entry): boolean {
    const { run } = this;
    if (!run.start(entry)) {
      return false;
    }
    if (!run.empty) {
      return true;
    }
    const group = run.group as GroupNode;
    const slot = this.#slot;
    this.#table.unmark(group, entry.bitId, slot);
    const ended = run.start(entry);
    if (!ended || !run.empty) {
      this.#table.mark(group, entry, slot);
    }
    return ended;
  }

  /** The other slot of the group, or the next group that is there and not protected. */
  #nextSlot(): boolean {
    this.#id = 0;
    if (this.#slot !== ANY_ZONE) {
      this.#slot = ANY_ZONE;
      return true;
    }
    this.#slot = this.run.zoneIndex;
    const { root, protecting } = this.#table;
    const desperate = this.run.sc.priority === 0;
    for (;;) {
      const group = this.#groups[++this.#at];
      if (group === undefined) {
        return false;
      }
      if (!group.online) {
        continue;
      }
      if (protecting === 0 || !isProtected(group, this.target ?? root, desperate, this.run.zoneIndex)) {
        return true;
      }
      group.passedOver++;
    }
  }
}
