import { DEFAULT_SEEKS, SHRINK_BATCH, type ShrinkerSpec } from '../spec.js';
import { Shrinker } from '../shrinker.js';
import type { GroupNode } from './group-node.js';
import { type GroupTable, slotOf } from './group-table.js';
import { ZONES } from './zones.js';

/**
 * Where a shrinker is in its life. Says what its owner may do with it next; whether anybody can find it is said by
 * {@link Entry.refs} alone. `swept`: freed by the registry's own end, after which its owner may still free it once.
 */
export type EntryState = 'allocated' | 'registered' | 'freed' | 'swept';

/** What an entry tells to its registry. */
export interface EntryHost {
  /** Takes an error of a callback. Never throws. */
  report(error: unknown, entry: Entry): void;
  /** Gives ids to group-aware shrinkers, and keeps what they have in groups. */
  readonly table: GroupTable;
  /** Whether objects are accounted to groups. */
  readonly accountsObjects: boolean;
}

/** A shrinker as the registry sees it. */
export class Entry extends Shrinker {
  declare name: string;
  readonly host: EntryHost;
  readonly spec: ShrinkerSpec;
  state: EntryState = 'allocated';

  /**
   * Who keeps it from being unlinked. 0: nobody can find it. n > 0: published, 1 for being registered and 1 for each
   * run. n < 0: being freed, and -n runs are still in progress; no new one can begin.
   */
  refs = 0;
  prev: Entry | null = null;
  next: Entry | null = null;
  linked = false;
  /** Counts registrations, so that a pass can leave out what was registered after it began. */
  order = 0;
  /** Resolved when the last run of a shrinker that is being freed has ended. */
  gone: Promise<void> | null = null;
  complete: (() => void) | null = null;

  /** Whether its `count` or `scan` is on the stack. */
  running = false;
  /** Scans whose promise has not settled. */
  inFlight = 0;

  runs = 0;
  freed = 0;
  scanned = 0;
  errors = 0;
  /** Scans that answered SHRINK_STOP. */
  stops = 0;
  /** Synchronous passes that left it out, since a scan of it was in flight. */
  busy = 0;

  /** Its bit in every group; -1 when it has none, since it is not group-aware or gone. Never 0 for nothing. */
  bitId = -1;
  /** Whether any group below the root was ever told of it. */
  marked = false;

  readonly #deferred: Float64Array = new Float64Array(ZONES.length);

  /** @throws {TypeError | RangeError} when the spec is not valid */
  constructor(host: EntryHost, id: number, spec: ShrinkerSpec) {
    checkSpec(spec);
    super({
      id,
      name: spec.name,
      seeks: spec.seeks ?? DEFAULT_SEEKS,
      batch: spec.batch === undefined || spec.batch === 0 ? SHRINK_BATCH : spec.batch,
      zoneAware: spec.zoneAware ?? false,
      // Where objects are not accounted to groups it runs for all of them at once, as one that knows no groups.
      groupAware: (spec.groupAware ?? false) && (host.accountsObjects || (spec.nonSlab ?? false)),
      nonSlab: spec.nonSlab ?? false,
    });
    this.host = host;
    this.spec = spec;
    if (this.groupAware) {
      host.table.takeId(this);
    }
  }

  /** The work put off for the zone in earlier passes; all of it is under the first if the shrinker knows no zones. */
  deferredAt(zoneIndex: number): number {
    return this.#deferred[zoneIndex] as number;
  }

  /** Takes the deferred work on: whoever else begins a run before this one ends finds none, so it is not done twice. */
  takeDeferred(zoneIndex: number): number {
    const at = this.zoneAware ? zoneIndex : 0;
    const count = this.#deferred[at] as number;
    this.#deferred[at] = 0;
    return count;
  }

  /** As {@link takeDeferred}, of one group; null is the root. */
  takeDeferredIn(group: GroupNode | null, zoneIndex: number): number {
    return group === null || group.index === 0
      ? this.takeDeferred(zoneIndex)
      : this.host.table.takeDeferred(group, this, slotOf(this, zoneIndex));
  }

  /** As {@link addDeferred}, to one group, or to its heir if it is offline; null is the root. */
  addDeferredIn(group: GroupNode | null, zoneIndex: number, count: number): number {
    const heir = group === null ? null : group.heir;
    return heir === null || heir.index === 0
      ? this.addDeferred(zoneIndex, count)
      : this.host.table.addDeferred(heir, this, slotOf(this, zoneIndex), count);
  }

  /** Puts work off; returns all that is put off now. */
  addDeferred(zoneIndex: number, count: number): number {
    const at = this.zoneAware ? zoneIndex : 0;
    return (this.#deferred[at] = (this.#deferred[at] as number) + count);
  }
}

/** @throws {TypeError} when `name` is not a string with something in it */
export function checkName(name: string): void {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`Cannot name a shrinker ${JSON.stringify(name)}: give a string that is not empty`);
  }
}

function checkSpec(spec: ShrinkerSpec): void {
  if (typeof spec !== 'object' || spec === null) {
    throw new TypeError(`Cannot allocate a shrinker of ${String(spec)}: give an object with name, count and scan`);
  }
  checkName(spec.name);
  for (const callback of ['count', 'scan'] as const) {
    if (typeof spec[callback] !== 'function') {
      throw new TypeError(`Cannot allocate shrinker ${spec.name}: its ${callback} is not a function`);
    }
  }
  for (const callback of ['retiredBytes', 'retiredAgeMs', 'objectBytes', 'skipped'] as const) {
    if (spec[callback] !== undefined && typeof spec[callback] !== 'function') {
      throw new TypeError(`Cannot allocate shrinker ${spec.name}: its ${callback} is not a function`);
    }
  }
  for (const option of ['seeks', 'batch'] as const) {
    const value = spec[option];
    if (value !== undefined && typeof value !== 'number') {
      throw new TypeError(`Cannot allocate shrinker ${spec.name}: its ${option} is not a number`);
    }
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
      throw new RangeError(`Cannot allocate shrinker ${spec.name}: its ${option} is ${value}, not an integer from 0`);
    }
  }
}
