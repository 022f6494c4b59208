import { type Entry, checkName } from './internal/entry.js';
import { callByHand, countByHand } from './internal/by-hand.js';
import type { GroupNode } from './internal/group-node.js';
import { byZone, type GroupTable } from './internal/group-table.js';
import type { ShrinkerList } from './internal/shrinker-list.js';
import { ANY_ZONE, zoneIndexOf, ZONES } from './internal/zones.js';
import type { GroupStats, MemoryGroup } from './memory-group.js';
import { ShrinkerError } from './shrinker-error.js';
import type { ShrinkerProperties } from './shrinker.js';
import type { Zone } from './spec.js';

/** One registered shrinker, as {@link ShrinkerDebug.list} tells. */
export interface ShrinkerInfo extends ShrinkerProperties {
  /** References: 1 for being registered and 1 for each run in progress. */
  readonly refs: number;
  /** Whether it was freed, and its last runs are awaited. */
  readonly freeing: boolean;
  /** Scans whose promise has not settled. */
  readonly inFlight: number;
  /** The work put off to later passes, in all groups together. A shrinker that does not know zones has it all under the first. */
  readonly deferred: Readonly<Record<Zone, number>>;
}

/** How many objects a group could free. */
export interface ShrinkerCount {
  /** Null for a shrinker that knows no groups. */
  readonly group: MemoryGroup | null;
  /** By zone. A shrinker that does not know zones has it all under the first. */
  readonly zones: Readonly<Record<Zone, number>>;
}

/** How much work a group has put off to later passes. */
export type ShrinkerDeferred = ShrinkerCount;

/** What to scan by hand. */
export interface ScanRequest {
  /** Absent or null: the root. */
  readonly group?: MemoryGroup | null;
  /** Absent: `heap`. */
  readonly zone?: Zone;
  /** How many objects. */
  readonly nr: number;
}

/**
 * Drives one shrinker by name and by hand: for tests, consoles and the curious. Touches no deferred count and no
 * statistics.
 *
 * @see Linux mm/shrinker_debug.c
 */
export class ShrinkerDebug {
  readonly #list: ShrinkerList;
  readonly #names: Map<string, Entry>;
  readonly #table: GroupTable;
  readonly #nodeOf: (group: MemoryGroup) => GroupNode;

  /** @internal */
  constructor(
    list: ShrinkerList,
    names: Map<string, Entry>,
    table: GroupTable,
    nodeOf: (group: MemoryGroup) => GroupNode,
  ) {
    this.#list = list;
    this.#names = names;
    this.#table = table;
    this.#nodeOf = nodeOf;
  }

  /** O(shrinkers × groups). The shrinkers in the order of registration, those included that were freed and are still running. */
  list(): ShrinkerInfo[] {
    const infos: ShrinkerInfo[] = [];
    for (let entry = this.#list.first; entry !== null; entry = entry.next) {
      const { id, name, seeks, batch, zoneAware, groupAware, nonSlab, refs, inFlight } = entry;
      const below = this.#table.deferredBelow(entry);
      const deferredAt = (index: number): number =>
        entry.deferredAt(index) + (below[index] as number) + (index === 0 ? (below[ANY_ZONE] as number) : 0);
      infos.push({
        id,
        name,
        seeks,
        batch,
        zoneAware,
        groupAware,
        nonSlab,
        refs: Math.abs(refs),
        freeing: refs < 0,
        inFlight,
        deferred: byZone(deferredAt),
      });
    }
    return infos;
  }

  /**
   * Calls `count` for each group and zone, whether or not it was told of any object there, and returns one row for each
   * group that has anything to free, the root first.
   *
   * @throws {ShrinkerError} ERR_SHRINKER_UNKNOWN, ERR_SHRINKER_BAD_RESULT; and whatever `count` throws
   */
  count(name: string): ShrinkerCount[] {
    const entry = this.#find(name);
    return this.#rows(entry, (group, index) =>
      index === 0 || entry.zoneAware ? countByHand(entry, ZONES[index] as Zone, group) : 0,
    );
  }

  /** The stats of every group that is online, the root first. O(groups). */
  groups(): GroupStats[] {
    const stats: GroupStats[] = [];
    for (const group of this.#table.groups) {
      if (group !== null) {
        stats.push(group.stats());
      }
    }
    return stats;
  }

  /**
   * What the shrinker has put off to later passes, one row for each group that has anything, the root first.
   *
   * @throws {ShrinkerError} ERR_SHRINKER_UNKNOWN
   */
  deferred(name: string): ShrinkerDeferred[] {
    const entry = this.#find(name);
    return this.#rows(entry, (group, index) => {
      const slot = entry.zoneAware ? index : ANY_ZONE;
      if (slot === ANY_ZONE && index !== 0) {
        return 0;
      }
      return group.index === 0 ? entry.deferredAt(index) : (group.infos[slot]?.deferredAt(entry.bitId) ?? 0);
    });
  }

  /**
   * Calls `scan` once for `nr` objects, and resolves to how many it freed; 0 if it stopped. `free` waits for it.
   *
   * @returns a promise that rejects with RangeError when the zone is unknown or `nr` is not an integer from 0, with
   *   ShrinkerError ERR_SHRINKER_UNKNOWN, ERR_SHRINKER_NO_GROUPS, ERR_SHRINKER_BAD_RESULT, ERR_GROUP_OFFLINE,
   *   ERR_GROUP_FOREIGN, and with whatever `scan` throws
   */
  async scan(name: string, request: ScanRequest): Promise<number> {
    const entry = this.#find(name);
    const { group = null, zone = 'heap', nr } = request ?? {};
    zoneIndexOf(zone);
    const node = group === null ? this.#table.root : this.#nodeOf(group);
    if (node.index !== 0 && !entry.groupAware) {
      throw new ShrinkerError(
        'ERR_SHRINKER_NO_GROUPS',
        `Cannot scan group ${node.path} of shrinker ${name}: it does not keep objects apart by group`,
      );
    }
    if (node.isOffline) {
      throw new ShrinkerError(
        'ERR_GROUP_OFFLINE',
        `Cannot scan group ${node.path} of shrinker ${name}: it is offline, use its heir ${node.heir.path}`,
      );
    }
    if (!Number.isSafeInteger(nr) || nr < 0) {
      throw new RangeError(`Cannot scan ${String(nr)} objects: give an integer from 0`);
    }
    if (nr === 0 || !this.#list.tryGet(entry)) {
      return 0;
    }
    try {
      return await callByHand(entry, zone, node, nr);
    } finally {
      this.#list.put(entry);
    }
  }

  /**
   * Gives the shrinker another name. It keeps its id.
   *
   * @throws {TypeError} when `next` is not a string with something in it
   * @throws {ShrinkerError} ERR_SHRINKER_UNKNOWN, ERR_SHRINKER_NAME_TAKEN
   */
  rename(name: string, next: string): void {
    const entry = this.#find(name);
    checkName(next);
    if (next === name) {
      return;
    }
    if (this.#names.has(next)) {
      throw new ShrinkerError(
        'ERR_SHRINKER_NAME_TAKEN',
        `Cannot rename shrinker ${name} to ${next}: another one has this name`,
      );
    }
    this.#names.delete(name);
    this.#names.set(next, entry);
    entry.name = next;
  }

  #rows(entry: Entry, valueOf: (group: GroupNode, index: number) => number): ShrinkerCount[] {
    const rows: ShrinkerCount[] = [];
    for (const group of entry.groupAware ? this.#table.groups.slice() : [this.#table.root]) {
      if (group !== null && group.online) {
        const zones = byZone((index) => valueOf(group, index));
        if (zones.heap + zones.external + zones.shared > 0) {
          rows.push({ group: entry.groupAware ? group : null, zones });
        }
      }
    }
    return rows;
  }

  #find(name: string): Entry {
    const entry = this.#names.get(name);
    if (entry === undefined) {
      throw new ShrinkerError(
        'ERR_SHRINKER_UNKNOWN',
        `Cannot find shrinker ${String(name)}: none is registered by this name`,
      );
    }
    return entry;
  }
}
