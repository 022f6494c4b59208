import type { GroupHolder, MemoryGroup, ShrinkControl, Shrinker, Zone } from '@core/shrinker';

import { GroupList } from './internal/group-list.js';
import { type LruStatus, REMOVED, REMOVED_RETRY, STOP } from './lru-status.js';
import { NO_SLOT, SlotLinks } from './slot-links.js';
import { checkIsolate, isInHand, SlotLru, type WalkControl } from './slot-lru.js';

/**
 * What an object must have to be put on a {@link ListLru}: a field of its own, -1 to begin with, then left alone. An
 * object without it is given one, which changes its shape, and makes it slower.
 */
export interface LruNode {
  lruSlot: number;
}

const CAPACITY_MIN = 16;

/** The options of a {@link ListLru}. */
export interface ListLruOptions {
  /**
   * The zones whose objects are kept apart, for a zone-aware shrinker. Absent: one list, whatever zone is asked about.
   */
  readonly zones?: readonly Zone[];
}

/** As much of a control as says whose objects are meant. */
type Place = Pick<ShrinkControl, 'zone'> & Partial<Pick<ShrinkControl, 'group'>>;

/**
 * Lists of objects, oldest at the head, one for each zone and group. What belongs to no group is the root's.
 *
 * `add` and `del` are idempotent and O(1). An object is on one list at most, of all the lists there are. Everything may
 * be called from inside an isolate callback.
 *
 * When a group goes offline its lists become those of its heir. Whoever deletes an object meanwhile, or is in the middle
 * of a walk, need not know.
 *
 * @see Linux mm/list_lru.c
 */
export class ListLru<T extends LruNode> implements Iterable<T>, GroupHolder, Disposable {
  private readonly links = new SlotLinks();
  private readonly zones: readonly Zone[] | null;
  // The root's lists, one for each zone, in the order of `zones`.
  private readonly lists: GroupList[] = [];
  // Those of the other groups that had anything, in the same order; null for a zone that had not.
  private readonly groups = new Map<MemoryGroup, (GroupList | null)[]>();
  // Whose is each of the lists that share the links, by their ids.
  private readonly owners: GroupList[] = [];
  // Lists that nobody has, to be used again: their ids are never given back.
  private readonly spare: SlotLru[] = [];
  private shrinker: Shrinker | null = null;
  private size = 0;
  // The object in each slot. A free slot is null here, and its link `next` leads to the next free slot.
  private readonly objects: (T | null)[] = [];
  private freeSlot: number = NO_SLOT;
  private isolate: ((object: T) => LruStatus) | null = null;
  private walked: SlotLru | null = null;

  /** @throws {RangeError} when `zones` is empty or names a zone twice */
  constructor(options: ListLruOptions = {}) {
    const { zones } = options;
    if (zones !== undefined && (zones.length === 0 || new Set(zones).size !== zones.length)) {
      throw new RangeError(`Cannot keep lists for the zones [${zones.join(', ')}]: name one or more, each once`);
    }
    this.zones = zones === undefined ? null : [...zones];
    for (let index = 0; index < (zones?.length ?? 1); index++) {
      this.lists.push(this.makeList(null, index));
    }
  }

  /** The objects on all lists. O(1). */
  get length(): number {
    return this.size;
  }

  /**
   * Has the shrinker told when a group gets its first object: its bit is set there, after the object was added. Groups
   * that have objects now are told at once. Under a shrinker that is not group-aware there are no groups: all objects
   * are the root's, which is what such a shrinker is asked about.
   *
   * Its `count` should answer `SHRINK_EMPTY` for 0, which takes the bit back.
   */
  attach(shrinker: Shrinker): void {
    this.shrinker = shrinker;
    if (!shrinker.groupAware) {
      this.mergeGroups();
      return;
    }
    for (const lists of this.groups.values()) {
      for (const list of lists) {
        if (list !== null && list.length > 0) {
          this.tell(list);
        }
      }
    }
  }

  /** Whether the object is on a list of this ListLru. */
  has(object: T): boolean {
    return this.holds(object.lruSlot, object);
  }

  /**
   * Puts the object at the tail of the list of its group and zone, unless it is on a list already. The group comes
   * first, and may be left out: `add(object, zone)`.
   *
   * @param group absent or null: the root. Of an offline group, it is its heir who gets the object.
   * @param zone absent: the first of the zones
   * @returns whether it changed anything
   * @throws {RangeError} when the zone is none of this ListLru's
   * @throws {TypeError} when `lruSlot` is no number, or cannot be set; nothing has changed
   */
  add(object: T, group?: MemoryGroup | Zone | null, zone?: Zone): boolean {
    if (object.lruSlot !== NO_SLOT && (object.lruSlot as number | undefined) !== undefined) {
      if (typeof object.lruSlot !== 'number') {
        throw new TypeError('Cannot add the object: its lruSlot is not a number, initialise it to -1');
      }
      return false;
    }
    const list =
      group === undefined && zone === undefined
        ? this.lists[0]!
        : typeof group === 'object'
          ? this.listToAdd(group, zone)
          : this.listToAdd(null, zone ?? group);
    // First, since it throws when the object is frozen: then no slot is taken.
    object.lruSlot = this.nextSlot();
    const slot = this.takeSlot();
    this.objects[slot] = object;
    list.own.add(slot);
    this.size++;
    // The bit comes last: whoever clears it meanwhile counts again after that, and so finds the object.
    if (list.length++ === 0) {
      this.tell(list);
    }
    return true;
  }

  /** Takes the object off its list; false when it was on none of this ListLru's. */
  del(object: T): boolean {
    const slot = object.lruSlot;
    if (!this.holds(slot, object)) {
      return false;
    }
    this.release(slot, object);
    return true;
  }

  /** Moves the object to the tail of its list; false when it is on none of this ListLru's. */
  moveToTail(object: T): boolean {
    const slot = object.lruSlot;
    return this.holds(slot, object) && (this.links.listOf(slot) as SlotLru).moveToTail(slot);
  }

  /** How many objects the zone and group of the control have: for `count` of a shrinker. O(1). Without one: all. */
  count(sc?: Place): number {
    return sc === undefined ? this.size : (this.listAt(sc)?.length ?? 0);
  }

  /**
   * Moves all objects of one group to another: what a group does with its heir when it goes offline. O(1) for each zone,
   * however many they are; the sum does not change. A group that stays online may have objects again afterwards.
   */
  reparent(from: MemoryGroup, to: MemoryGroup | null): void {
    const lists = this.groups.get(from);
    if (lists === undefined || from === to) {
      return;
    }
    this.groups.delete(from);
    from.letGo(this);
    for (const [index, list] of lists.entries()) {
      if (list !== null) {
        this.inherit(list, this.listIn(to, index));
      }
    }
  }

  /** Makes all objects the root's, and has the groups forget this ListLru, which they otherwise keep alive. */
  [Symbol.dispose](): void {
    this.mergeGroups();
  }

  /**
   * Offers objects to `isolate`, oldest first: those of the control's zone and group, or with a plain number all,
   * one list after the other. Contract as {@link SlotLru.walk}.
   *
   * @param sc the control of a scan, whose `nrScanned` is set to the number of objects looked at; or that number alone
   * @returns the number of objects removed
   * @throws {RangeError} when the number to look at is not an integer from 0
   * @throws {TypeError} when `isolate` is no function, or returns no status
   */
  walk(sc: (WalkControl & Place) | number, isolate: (object: T) => LruStatus): number {
    checkIsolate(isolate);
    if (typeof sc === 'number') {
      return this.walkParts(this.allParts(), { nrToScan: sc, nrScanned: 0 }, isolate);
    }
    const list = this.listAt(sc);
    if (list === null) {
      sc.nrScanned = 0;
      return 0;
    }
    if (list.inherited.length === 0) {
      return this.walkList(list.own, sc, isolate);
    }
    this.dropEmpty(list);
    return this.walkParts([...list.parts()], sc, isolate);
  }

  /** The objects, oldest first, zone after zone, the root's before those of groups. The one in hand may be deleted meanwhile; no other change is allowed. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const list of this.allParts()) {
      for (const slot of list) {
        yield this.objects[slot] as T;
      }
    }
  }

  private allParts(): SlotLru[] {
    const parts = this.lists.flatMap((list) => [...list.parts()]);
    for (const lists of this.groups.values()) {
      for (const list of lists) {
        parts.push(...(list?.parts() ?? []));
      }
    }
    return parts;
  }

  /** Walks over lists one after the other, with one number to look at. */
  private walkParts(parts: readonly SlotLru[], sc: WalkControl, isolate: (object: T) => LruStatus): number {
    let removed = 0;
    let stopped = false;
    let scanned = 0;
    const part = { nrToScan: sc.nrToScan, nrScanned: 0 };
    const untilStop = (object: T): LruStatus => {
      const status = isolate(object);
      stopped = status === STOP;
      return status;
    };
    try {
      for (const list of parts) {
        part.nrScanned = 0;
        try {
          removed += this.walkList(list, part, untilStop);
        } finally {
          scanned += part.nrScanned;
        }
        part.nrToScan = sc.nrToScan - scanned;
        if (stopped) {
          break;
        }
      }
    } finally {
      sc.nrScanned = scanned;
    }
    return removed;
  }

  private walkList(list: SlotLru, sc: WalkControl, isolate: (object: T) => LruStatus): number {
    // Kept in fields and not in a closure, so that a walk allocates nothing; a walk inside a callback puts them back.
    const outerIsolate = this.isolate;
    const outerWalked = this.walked;
    this.isolate = isolate;
    this.walked = list;
    try {
      return list.walk(sc, this.isolateSlot);
    } finally {
      this.isolate = outerIsolate;
      this.walked = outerWalked;
    }
  }

  private readonly isolateSlot = (slot: number): LruStatus => {
    const object = this.objects[slot] as T;
    const status = (this.isolate as (object: T) => LruStatus)(object);
    // Taken off here, with its slot given back, and not by the list under us; unless the callback took it off, in which
    // case the slot may belong to another object by now.
    if ((status === REMOVED || status === REMOVED_RETRY) && isInHand(this.walked as SlotLru, slot)) {
      this.release(slot, object);
    }
    return status;
  };

  private holds(slot: number, object: T): boolean {
    // An array read at -1 is a slow property look-up.
    return slot >= 0 && this.objects[slot] === object;
  }

  private indexOf(zone: Zone): number {
    return this.zones === null ? 0 : this.zones.indexOf(zone);
  }

  /** The list that a control means, which may not be there. */
  private listAt({ zone, group }: Place): GroupList | null {
    const index = this.indexOf(zone);
    if (index < 0) {
      return null;
    }
    if (group === null || group === undefined) {
      return this.lists[index]!;
    }
    const at = this.placeOf(group);
    return at === null ? this.lists[index]! : (this.groups.get(at)?.[index] ?? null);
  }

  private listToAdd(group: MemoryGroup | null, zone: Zone | undefined): GroupList {
    const index = zone === undefined ? 0 : this.indexOf(zone);
    if (index < 0) {
      throw new RangeError(`Cannot add to zone ${String(zone)}: the zones are ${String(this.zones)}`);
    }
    return this.listIn(group, index);
  }

  /** The list of a group, made if it is not there. */
  private listIn(group: MemoryGroup | null, index: number): GroupList {
    const at = group === null ? null : this.placeOf(group);
    if (at === null) {
      return this.lists[index]!;
    }
    let lists = this.groups.get(at);
    if (lists === undefined) {
      at.hold(this);
      lists = this.lists.map(() => null);
      this.groups.set(at, lists);
    }
    return (lists[index] ??= this.makeList(at, index));
  }

  /** Whose list the objects of a group are on: its heir's, or null for the root's. */
  private placeOf(group: MemoryGroup): MemoryGroup | null {
    const at = group.isOffline ? group.heir : group;
    return at.parent === null || this.shrinker?.groupAware === false ? null : at;
  }

  private makeList(group: MemoryGroup | null, index: number): GroupList {
    const own = this.spare.pop() ?? new SlotLru(this.links);
    const list = new GroupList(group, this.zones?.[index] ?? 'heap', own);
    this.give(own, list);
    return list;
  }

  private give(part: SlotLru, to: GroupList): void {
    this.owners[part['id'] - 1] = to;
  }

  private inherit(from: GroupList, to: GroupList): void {
    for (const part of from.parts()) {
      // A walk in progress may have it still to come: it must not find another group's objects there.
      if (part.length > 0 || this.walked !== null) {
        to.inherited.push(part);
        this.give(part, to);
      } else {
        this.spare.push(part);
      }
    }
    const isFirst = to.length === 0 && from.length > 0;
    to.length += from.length;
    from.length = 0;
    if (isFirst) {
      this.tell(to);
    }
  }

  /** Puts inherited lists aside that ran empty. Not while any is being walked. */
  private dropEmpty(list: GroupList): void {
    if (this.walked !== null) {
      return;
    }
    let kept = 0;
    for (const part of list.inherited) {
      if (part.length > 0) {
        list.inherited[kept++] = part;
      } else {
        this.spare.push(part);
      }
    }
    list.inherited.length = kept;
  }

  private mergeGroups(): void {
    for (const group of this.groups.keys()) {
      this.reparent(group, null);
    }
  }

  private tell({ group, zone }: GroupList): void {
    if (group !== null && this.shrinker !== null) {
      group.setShrinkerBit(this.shrinker, zone);
    }
  }

  /** The slot that {@link takeSlot} will take. */
  private nextSlot(): number {
    if (this.freeSlot === NO_SLOT) {
      const capacity = this.links.capacity;
      this.links.grow(Math.max(CAPACITY_MIN, capacity * 2));
      for (let slot = this.links.capacity - 1; slot >= capacity; slot--) {
        this.giveSlot(slot);
      }
    }
    return this.freeSlot;
  }

  private takeSlot(): number {
    const slot = this.freeSlot;
    this.freeSlot = this.links.next[slot] as number;
    return slot;
  }

  private giveSlot(slot: number): void {
    this.objects[slot] = null;
    this.links.next[slot] = this.freeSlot;
    this.freeSlot = slot;
  }

  private release(slot: number, object: T): void {
    const at = this.links.owner[slot]! - 1;
    this.links.lists[at]!.del(slot);
    this.owners[at]!.length--;
    this.size--;
    object.lruSlot = NO_SLOT;
    this.giveSlot(slot);
  }
}
