import { type Entry, checkName } from './internal/entry.js';
import { callByHand, countByHand } from './internal/by-hand.js';
import type { ShrinkerList } from './internal/shrinker-list.js';
import { zoneIndexOf, ZONES } from './internal/zones.js';
import { ShrinkerError } from './shrinker-error.js';
import type { ShrinkerProperties } from './shrinker.js';
import type { MemoryGroup, Zone } from './spec.js';

/** One registered shrinker, as {@link ShrinkerDebug.list} tells. */
export interface ShrinkerInfo extends ShrinkerProperties {
  /** References: 1 for being registered and 1 for each run in progress. */
  readonly refs: number;
  /** Whether it was freed, and its last runs are awaited. */
  readonly freeing: boolean;
  /** Scans whose promise has not settled. */
  readonly inFlight: number;
  /** The work put off to later passes. A shrinker that does not know zones has it all under the first. */
  readonly deferred: Readonly<Record<Zone, number>>;
}

/** How many objects a group could free. */
export interface ShrinkerCount {
  readonly group: MemoryGroup | null;
  /** By zone. A shrinker that does not know zones has it all under the first. */
  readonly zones: Readonly<Record<Zone, number>>;
}

/** What to scan by hand. */
export interface ScanRequest {
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

  /** @internal */
  constructor(list: ShrinkerList, names: Map<string, Entry>) {
    this.#list = list;
    this.#names = names;
  }

  /** The shrinkers in the order of registration, those included that were freed and are still running. */
  list(): ShrinkerInfo[] {
    const infos: ShrinkerInfo[] = [];
    for (let entry = this.#list.first; entry !== null; entry = entry.next) {
      const { id, name, seeks, batch, zoneAware, groupAware, nonSlab, refs, inFlight } = entry;
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
        deferred: {
          heap: entry.deferredAt(0),
          external: entry.deferredAt(1),
          shared: entry.deferredAt(2),
        },
      });
    }
    return infos;
  }

  /**
   * Calls `count` for each zone, and returns one row for each group that has anything to free.
   *
   * @throws {ShrinkerError} ERR_SHRINKER_UNKNOWN, ERR_SHRINKER_BAD_RESULT; and whatever `count` throws
   */
  count(name: string): ShrinkerCount[] {
    const entry = this.#find(name);
    const zones: Record<Zone, number> = { heap: 0, external: 0, shared: 0 };
    let total = 0;
    for (const zone of entry.zoneAware ? ZONES : ZONES.slice(0, 1)) {
      zones[zone] = countByHand(entry, zone);
      total += zones[zone];
    }
    return total === 0 ? [] : [{ group: null, zones }];
  }

  /**
   * Calls `scan` once for `nr` objects, and resolves to how many it freed; 0 if it stopped. `free` waits for it.
   *
   * @returns a promise that rejects with RangeError when the zone is unknown or `nr` is not an integer from 0, with
   *   ShrinkerError ERR_SHRINKER_UNKNOWN, ERR_SHRINKER_NO_GROUPS, ERR_SHRINKER_BAD_RESULT, and with whatever `scan`
   *   throws
   */
  async scan(name: string, request: ScanRequest): Promise<number> {
    const entry = this.#find(name);
    const { group = null, zone = 'heap', nr } = request ?? {};
    zoneIndexOf(zone);
    if (group !== null) {
      throw new ShrinkerError(
        'ERR_SHRINKER_NO_GROUPS',
        `Cannot scan a group of shrinker ${name}: there are no groups yet`,
      );
    }
    if (!Number.isSafeInteger(nr) || nr < 0) {
      throw new RangeError(`Cannot scan ${String(nr)} objects: give an integer from 0`);
    }
    if (nr === 0 || !this.#list.tryGet(entry)) {
      return 0;
    }
    try {
      return await callByHand(entry, zone, nr);
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
