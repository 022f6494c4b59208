import type { MemoryGroup } from './memory-group.js';

/** Smaller is dearer to refill: a shrinker of 2 seeks gives back half of what it has for each halving of memory. */
export const DEFAULT_SEEKS = 2;
/** How many objects a scan is asked for at a time, unless the shrinker says otherwise. */
export const SHRINK_BATCH = 128;
/** The mildest priority, at which 1/4096 of a cache is looked at; 0 is desperate. */
export const DEF_PRIORITY = 12;
/** Returned by `scan`: no progress can be made now, do not call again in this pass. */
export const SHRINK_STOP = -1;
/** Returned by `count`: there is nothing at all, as against nothing that can be freed just now (0). */
export const SHRINK_EMPTY = -2;

/** Memory with a limit of its own: V8's heap, ArrayBuffers and native memory, SharedArrayBuffer arenas. */
export type Zone = 'heap' | 'external' | 'shared';

/** What a shrinker is told in `count` and `scan`. Reused between calls: read it, do not keep it. */
export interface ShrinkControl {
  readonly zone: Zone;
  /** Whose objects: those of this group itself, not of the groups below. Null for a shrinker that knows no groups. */
  readonly group: MemoryGroup | null;
  /** How many objects to look at. `count` ignores it. */
  nrToScan: number;
  /** Set to `nrToScan` before each scan; a scan that looked at fewer or more says so here. */
  nrScanned: number;
  /** 12 (mild) to 0 (desperate). */
  readonly priority: number;
  /** `direct` while somebody waits for the memory: answer quickly. */
  readonly mode: 'background' | 'direct';
}

/** What a cache registers to give memory back. */
export interface ShrinkerSpec {
  /** Unique within the registry, for reports; may be changed later through `registry.debug.rename`. */
  readonly name: string;
  /** Cost to refill an object, in the kernel's unit; absent is {@link DEFAULT_SEEKS}, 0 means free to refill. */
  readonly seeks?: number;
  /** Objects per scan; absent or 0 is {@link SHRINK_BATCH}. */
  readonly batch?: number;
  /** Whether it keeps objects apart by zone; otherwise it answers in any zone's pass and has one deferred count. */
  readonly zoneAware?: boolean;
  /**
   * Whether it keeps objects apart by group. It is called for the root in every pass over everything, and for another
   * group when `group.setShrinkerBit` has told of objects there. One that is not is called only in passes over
   * everything.
   */
  readonly groupAware?: boolean;
  /** Whether it runs in groups even where objects are not accounted to groups. */
  readonly nonSlab?: boolean;
  /** How many objects could be freed: cheap, synchronous, may be stale; or {@link SHRINK_EMPTY}. */
  count(sc: ShrinkControl): number;
  /** Looks at up to `sc.nrToScan` objects and returns how many it freed, or {@link SHRINK_STOP}. */
  scan(sc: ShrinkControl): number | Promise<number>;
  /**
   * Bytes that have left the cache, are charged to no group any more, and are not free yet: they wait for readers. Who
   * steers by memory adds them to what is used, and does not ask for them again. Cheap, synchronous. Absent: none.
   */
  retiredBytes?(zone: Zone): number;
  /** For reports: for how long the oldest of these has waited, in milliseconds; 0 if none does. Absent: unknown. */
  retiredAgeMs?(): number;
  /**
   * Bytes of one object, on average. With it, a pass above priority 0 scans a cache of larger objects more, and one of
   * smaller objects less, than its count says: in proportion, and as much as before in all. A large object must be used
   * as much more often to be worth its room; `seeks` says what it costs to make again. Cheap, synchronous. Absent: not
   * known, and it is scanned by its count alone.
   */
  objectBytes?(zone: Zone): number;
  /** For reports: how many objects could not be freed now, by the reason. Absent: unknown. */
  skipped?(): Readonly<Record<string, number>>;
}
