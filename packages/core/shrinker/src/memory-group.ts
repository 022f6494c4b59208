import type { GroupLimits } from './group-limits.js';
import type { Shrinker } from './shrinker.js';
import type { Zone } from './spec.js';

/** Keeps objects apart by group, and is told when one of its groups ends. */
export interface GroupHolder {
  /** Moves what it keeps for `from` to `to`. Must not throw; what it throws goes to the error channel. */
  reparent(from: MemoryGroup, to: MemoryGroup): void;
}

/** What a group uses, and what has happened to it. */
export interface GroupStats {
  readonly path: string;
  readonly offline: boolean;
  /** Bytes of the group and all groups below it. */
  readonly usage: Readonly<Record<Zone, number>>;
  /** Bytes that were charged to the group itself. */
  readonly own: Readonly<Record<Zone, number>>;
  readonly limits: Readonly<GroupLimits>;
  /** Charges that found it at its `max`, and those of them that failed. */
  readonly maxHits: number;
  readonly maxFailures: number;
  /** Charges that got above its `high` and had it reclaimed. */
  readonly highHits: number;
  /** Passes from above that left it alone, since it was protected by a `min` or `low`. */
  readonly passedOver: number;
}

/**
 * A tenant, a class of requests or a subsystem with a memory budget of its own, in a tree under `registry.root`.
 *
 * What is charged to a group counts for each group above it too. Made by `child`, ended by `offline`.
 *
 * @see Linux mm/memcontrol.c, mm/page_counter.c
 */
export abstract class MemoryGroup {
  readonly name: string;
  /** The names from the root down; the root's is `/`. */
  readonly path: string;
  readonly parent: MemoryGroup | null;

  protected constructor(name: string, path: string, parent: MemoryGroup | null) {
    this.name = name;
    this.path = path;
    this.parent = parent;
  }

  /** Whether it has ended. */
  abstract get isOffline(): boolean;

  /** The group itself, or once it is offline, the nearest one above that is not: who has its objects and bytes now. */
  abstract get heir(): MemoryGroup;

  /**
   * May be assigned as a whole, what is left out then has its default, or one by one. A `max` below what is used now is
   * fine: the group is reclaimed as far as that goes, and charges fail until it is below; so with `high`, but nothing
   * fails.
   *
   * @throws {TypeError | RangeError} when a limit is not a number from 0, or names an unknown zone
   */
  abstract get limits(): GroupLimits;
  abstract set limits(limits: Readonly<Partial<GroupLimits>>);

  /**
   * Makes a group below this one.
   *
   * @throws {TypeError | RangeError} when the name is empty or has a slash in it, or a limit is not valid
   * @throws {ShrinkerError} ERR_GROUP_NAME_TAKEN, ERR_GROUP_OFFLINE
   */
  abstract child(name: string, limits?: Readonly<Partial<GroupLimits>>): MemoryGroup;

  /** The groups right below, in the order of their making. */
  abstract children(): MemoryGroup[];

  /**
   * Counts bytes to this group and to each above it. O(depth), and allocates nothing, unless a limit is met.
   *
   * Where a `max` is in the way, the shrinkers of that group and those below are asked to free, at rising priority,
   * before it returns. Only if that is not enough it fails, and nothing has been counted. A charge from inside such a
   * reclaim does not begin another one.
   *
   * @param zone absent: `heap`
   * @throws {TypeError | RangeError} when bytes is not an integer from 0, or the zone is unknown
   * @throws {GroupLimitError} ERR_GROUP_LIMIT, with the group that is full and its largest users
   * @throws {ShrinkerError} ERR_GROUP_OFFLINE
   */
  abstract charge(bytes: number, zone?: Zone): void;

  /**
   * Takes back what was charged to this group. When it is offline, the bytes are its heir's, and taken from there.
   * O(depth).
   *
   * @param zone absent: `heap`
   * @throws {TypeError | RangeError} when bytes is not an integer from 0, or the zone is unknown
   * @throws {ShrinkerError} ERR_GROUP_UNDERFLOW when it has been charged less; nothing has been taken
   */
  abstract uncharge(bytes: number, zone?: Zone): void;

  /** The bytes of this group and of all below it, in one zone or in all. */
  abstract usage(zone?: Zone): number;

  /**
   * Bytes that can be charged before this group, or one above it, meets its `high` or `max` and is reclaimed. Below 0
   * where one is above its limit; Infinity without limits. O(depth).
   *
   * @param zone absent: `heap`
   * @throws {RangeError} when the zone is unknown
   */
  room(zone: Zone = 'heap'): number {
    const { high, max } = this.limits;
    const inAll = this.usage();
    const inZone = this.usage(zone);
    let room = this.parent === null ? Infinity : this.parent.room(zone);
    for (const limit of [high, max]) {
      room = Math.min(room, typeof limit === 'number' ? limit - inAll : (limit[zone] ?? Infinity) - inZone);
    }
    return room;
  }

  /**
   * Ends the group and all below it, the lowest first: lists, deferred counts and bytes go to its heir, and no sum
   * changes. A walk that is in the middle of it goes on behind it. Its name is free again. A second call is harmless.
   *
   * @throws {ShrinkerError} ERR_GROUP_ROOT
   */
  abstract offline(): void;

  /**
   * Tells that a group-aware shrinker has objects here: to be called *after* the first one was added. Passes call only
   * shrinkers that have been told of. When its `count` answers SHRINK_EMPTY that is taken back.
   *
   * Harmless for a shrinker that is not group-aware or was freed. On an offline group it is its heir who is told.
   *
   * @param zone of the object; absent: `heap`. A shrinker that is not zone-aware is called in every zone's pass.
   * @throws {TypeError | RangeError} when it is no shrinker, or the zone is unknown
   * @throws {ShrinkerError} ERR_SHRINKER_FOREIGN
   */
  abstract setShrinkerBit(shrinker: Shrinker, zone?: Zone): void;

  /**
   * Has the holder told when this group ends. Of an offline group nothing is told any more: ask for its heir.
   *
   * @throws {ShrinkerError} ERR_GROUP_OFFLINE
   */
  abstract hold(holder: GroupHolder): void;

  /** Has the holder not told any more. */
  abstract letGo(holder: GroupHolder): void;

  /** O(1). */
  abstract stats(): GroupStats;

  toString(): string {
    return this.path;
  }

  /** The path: a group is a node of a graph, and its stats are to be asked for. */
  toJSON(): string {
    return this.path;
  }
}
