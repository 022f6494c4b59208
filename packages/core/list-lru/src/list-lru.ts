import type { ShrinkControl, Zone } from '@core/shrinker';

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

/**
 * Lists of objects, oldest at the head, one for each zone.
 *
 * `add` and `del` are idempotent and O(1). An object is on one list at most, of all the lists there are. Everything may
 * be called from inside an isolate callback.
 *
 * @see Linux mm/list_lru.c
 */
export class ListLru<T extends LruNode> implements Iterable<T> {
  private readonly links = new SlotLinks();
  private readonly zones: readonly Zone[] | null;
  // One list for each zone, in the order of `zones`.
  private readonly lists: SlotLru[] = [];
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
      this.lists.push(new SlotLru(this.links));
    }
  }

  /** The objects on all lists. O(zones). */
  get length(): number {
    let length = 0;
    for (const list of this.lists) {
      length += list.length;
    }
    return length;
  }

  /** Whether the object is on a list of this ListLru. */
  has(object: T): boolean {
    return this.holds(object.lruSlot, object);
  }

  /**
   * Puts the object at the tail of its zone's list, unless it is on a list already.
   *
   * @param zone absent: the first of the zones
   * @returns whether it changed anything
   * @throws {RangeError} when the zone is none of this ListLru's
   * @throws {TypeError} when `lruSlot` is no number, or cannot be set; nothing has changed
   */
  add(object: T, zone?: Zone): boolean {
    if (object.lruSlot !== NO_SLOT && (object.lruSlot as number | undefined) !== undefined) {
      if (typeof object.lruSlot !== 'number') {
        throw new TypeError('Cannot add the object: its lruSlot is not a number, initialise it to -1');
      }
      return false;
    }
    const list = zone === undefined ? (this.lists[0] as SlotLru) : this.listOf(zone);
    if (list === null) {
      throw new RangeError(`Cannot add to zone ${String(zone)}: the zones are ${String(this.zones)}`);
    }
    // First, since it throws when the object is frozen: then no slot is taken.
    object.lruSlot = this.nextSlot();
    const slot = this.takeSlot();
    this.objects[slot] = object;
    return list.add(slot);
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

  /** How many objects the zone of the control has: what `count` of a shrinker returns. O(1). Without one: all. */
  count(sc?: Pick<ShrinkControl, 'zone' | 'group'>): number {
    return sc === undefined ? this.length : (this.listOf(sc.zone)?.length ?? 0);
  }

  /**
   * Offers objects to `isolate`, oldest first: those of the control's zone, or with a plain number those of all zones,
   * one zone after the other. Contract as {@link SlotLru.walk}.
   *
   * @param sc the control of a scan, whose `nrScanned` is set to the number of objects looked at; or that number alone
   * @returns the number of objects removed
   * @throws {RangeError} when the number to look at is not an integer from 0
   * @throws {TypeError} when `isolate` is no function, or returns no status
   */
  walk(sc: (WalkControl & Pick<ShrinkControl, 'zone'>) | number, isolate: (object: T) => LruStatus): number {
    checkIsolate(isolate);
    if (typeof sc === 'number') {
      return this.walkAll(sc, isolate);
    }
    const list = this.listOf(sc.zone);
    if (list === null) {
      sc.nrScanned = 0;
      return 0;
    }
    return this.walkList(list, sc, isolate);
  }

  /** The objects, oldest first, zone after zone. The one in hand may be deleted meanwhile; no other change is allowed. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const list of this.lists) {
      for (const slot of list) {
        yield this.objects[slot] as T;
      }
    }
  }

  private walkAll(budget: number, isolate: (object: T) => LruStatus): number {
    let removed = 0;
    let stopped = false;
    const sc = { nrToScan: budget, nrScanned: 0 };
    const untilStop = (object: T): LruStatus => {
      const status = isolate(object);
      stopped = status === STOP;
      return status;
    };
    for (const list of this.lists) {
      removed += this.walkList(list, sc, untilStop);
      sc.nrToScan -= sc.nrScanned;
      if (stopped) {
        break;
      }
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

  private listOf(zone: Zone): SlotLru | null {
    const index = this.zones === null ? 0 : this.zones.indexOf(zone);
    return index < 0 ? null : (this.lists[index] as SlotLru);
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
    (this.links.listOf(slot) as SlotLru).del(slot);
    object.lruSlot = NO_SLOT;
    this.giveSlot(slot);
  }
}
