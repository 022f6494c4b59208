import type { ShrinkControl } from '@core/shrinker';

import type * as status from './lru-status.js';
import type * as shared from './slot-links.js';
import { SlotLinks } from './slot-links.js';

// Imported constants are read from a module cell each time, which made these operations 10-15 % slower; so they are
// written down again, and the types see to it that they agree.
const NO_SLOT: typeof shared.NO_SLOT = -1;
const ON_NO_LIST: typeof shared.ON_NO_LIST = 0;
const REMOVED: typeof status.REMOVED = 0;
const REMOVED_RETRY: typeof status.REMOVED_RETRY = 1;
const ROTATE: typeof status.ROTATE = 2;
const SKIP: typeof status.SKIP = 3;
const RETRY: typeof status.RETRY = 4;
const STOP: typeof status.STOP = 5;

/** As much of a scan's control as a walk needs. */
export type WalkControl = Pick<ShrinkControl, 'nrToScan' | 'nrScanned'>;

/**
 * A doubly linked list of integer slots, oldest at the head, for caches that keep their entries in parallel arrays.
 *
 * The links go round in a circle, so that giving the head another round, as second chance does, writes no link: the
 * head is the next one from then on.
 *
 * Every operation but `grow`, `clear` and `walk` is O(1), and none of them allocates. `add` and `del` are idempotent.
 * Any of them may be called from inside an isolate callback.
 *
 * @see Linux mm/list_lru.c
 */
export class SlotLru implements Iterable<number> {
  /** The slots' links; lists that are built over the same links share the slots. */
  // `declare`: a field that is first defined as undefined, and then assigned, is checked at each use ever after.
  declare readonly links: SlotLinks;
  // Plain private fields: `#private` ones cost a check each on Node 20, and these are the hottest of the package.
  declare private readonly id: number;
  private first: number = NO_SLOT;
  private size = 0;
  // The walk in progress: the slot that its callback has, NO_SLOT once that slot was taken off, and where it goes next.
  // Taking a slot off mends these, so nothing that a callback does can strand the walk.
  private walkSlot: number = NO_SLOT;
  private walkNext: number = NO_SLOT;
  private walks = 0;
  // Walks that wait for a walk inside their callback: pairs of walkSlot and walkNext, outermost first.
  private readonly paused: number[] = [];

  /**
   * @param room a number of slots, or the links of other lists to share slots with
   * @throws {RangeError} when the number is not an integer from 0 to 2^30
   */
  constructor(room: SlotLinks | number = 0) {
    this.links = typeof room === 'number' ? new SlotLinks(room) : room;
    this.id = this.links.attach(this);
  }

  get length(): number {
    return this.size;
  }

  get capacity(): number {
    return this.links.capacity;
  }

  /** Makes room for the slots up to `capacity` - 1, for every list that shares the links. */
  grow(capacity: number): void {
    this.links.grow(capacity);
  }

  /** Whether the slot is on this list. */
  has(slot: number): boolean {
    return this.links.owner[slot] === this.id;
  }

  /** The oldest slot, or {@link NO_SLOT}. */
  head(): number {
    return this.first;
  }

  /** The newest slot, or {@link NO_SLOT}. */
  tail(): number {
    const first = this.first;
    return first === NO_SLOT ? NO_SLOT : (this.links.prev[first] as number);
  }

  /** The slot after this one towards the tail, or {@link NO_SLOT}. The slot must be on the list; not re-checked. */
  next(slot: number): number {
    const after = this.links.next[slot] as number;
    return after === this.first ? NO_SLOT : after;
  }

  /** The slot before this one towards the head, or {@link NO_SLOT}. The slot must be on the list; not re-checked. */
  prev(slot: number): number {
    return slot === this.first ? NO_SLOT : (this.links.prev[slot] as number);
  }

  /**
   * Puts the slot at the tail, unless it is on a list already.
   *
   * @returns whether it changed anything
   * @throws {RangeError} when there is no such slot
   */
  add(slot: number): boolean {
    const links = this.links;
    const owner = links.owner[slot];
    if (owner !== ON_NO_LIST) {
      checkSlot(owner, slot, links);
      return false;
    }
    links.owner[slot] = this.id;
    this.size++;
    this.linkLast(slot);
    return true;
  }

  /**
   * Puts the slot at the head, unless it is on a list already.
   *
   * @returns whether it changed anything
   * @throws {RangeError} when there is no such slot
   */
  addHead(slot: number): boolean {
    const links = this.links;
    const owner = links.owner[slot];
    if (owner !== ON_NO_LIST) {
      checkSlot(owner, slot, links);
      return false;
    }
    links.owner[slot] = this.id;
    this.size++;
    this.linkLast(slot);
    this.first = slot;
    return true;
  }

  /** Takes the slot off this list; says whether it was on it. */
  del(slot: number): boolean {
    const links = this.links;
    if (links.owner[slot] !== this.id) {
      return false;
    }
    if (this.walks !== 0) {
      this.stepOver(slot, true);
    }
    links.owner[slot] = ON_NO_LIST;
    this.size--;
    this.unlink(slot);
    return true;
  }

  /** Moves the slot to the tail; false when it is not on this list. */
  moveToTail(slot: number): boolean {
    if (this.links.owner[slot] !== this.id) {
      return false;
    }
    if (this.walks !== 0 && this.tail() !== slot) {
      this.stepOver(slot, false);
    }
    this.rotate(slot);
    return true;
  }

  /** Moves the slot to the head; false when it is not on this list. */
  moveToHead(slot: number): boolean {
    if (this.links.owner[slot] !== this.id) {
      return false;
    }
    if (this.first !== slot) {
      if (this.walks !== 0) {
        this.stepOver(slot, false);
      }
      if (this.tail() !== slot) {
        this.unlink(slot);
        this.linkLast(slot);
      }
      this.first = slot;
    }
    return true;
  }

  /** Takes every slot off this list. O(length). */
  clear(): void {
    const { next, owner } = this.links;
    for (let slot = this.first; this.size > 0; slot = next[slot] as number) {
      owner[slot] = ON_NO_LIST;
      this.size--;
    }
    this.first = NO_SLOT;
    this.walkSlot = NO_SLOT;
    this.walkNext = NO_SLOT;
    this.paused.fill(NO_SLOT);
  }

  /**
   * Offers the slots to `isolate` from the head on, until as many were looked at as asked for, or the tail is reached.
   *
   * What happens to each is said by the status that `isolate` returns; see {@link LruStatus}. Every slot offered costs
   * one of `sc.nrToScan`, also when it is offered again, so a walk that always retries ends. A slot that was rotated is
   * met again at the tail if the walk gets there. On REMOVED the slot is taken off, unless the callback did so: then it
   * is left alone, even if the slot was put to a new use and added again meanwhile.
   *
   * The callback may change the list, and even walk it. What it puts behind the last slot of the walk waits for the
   * next walk. If it throws, the slot stays, the walk ends and the error goes to the caller.
   *
   * @param sc the control of a scan, whose `nrScanned` is set to the number of slots looked at; or that number alone
   * @returns the number of slots removed
   * @throws {RangeError} when the number to look at is not an integer from 0
   * @throws {TypeError} when `isolate` is no function, or returns no status
   */
  walk(sc: WalkControl | number, isolate: (slot: number) => status.LruStatus): number {
    const budget = typeof sc === 'number' ? sc : sc.nrToScan;
    if (!Number.isSafeInteger(budget) || budget < 0) {
      throw new RangeError(`Cannot walk over ${String(budget)} items: give an integer from 0`);
    }
    checkIsolate(isolate);
    const links = this.links;
    const nested = this.walks !== 0;
    if (nested) {
      this.paused.push(this.walkSlot, this.walkNext);
    }
    this.walks++;
    let left = budget;
    let removed = 0;
    let slot = this.first;
    try {
      while (slot !== NO_SLOT && left > 0) {
        left--;
        this.walkSlot = slot;
        this.walkNext = this.next(slot);
        const verdict = isolate(slot);
        switch (verdict) {
          case REMOVED:
          case REMOVED_RETRY:
            removed++;
            if (this.walkSlot === slot) {
              // The callback may have moved the slot to where its own walk goes next.
              if (nested || this.walkNext === slot) {
                this.stepOver(slot, true);
              }
              links.owner[slot] = ON_NO_LIST;
              this.size--;
              this.unlink(slot);
            }
            slot = verdict === REMOVED ? this.walkNext : this.first;
            break;
          case ROTATE:
            if (this.walkSlot === slot) {
              if ((nested || this.walkNext === slot) && this.tail() !== slot) {
                this.stepOver(slot, false);
              }
              this.rotate(slot);
            }
            slot = this.walkNext;
            break;
          case SKIP:
            slot = this.walkNext;
            break;
          case RETRY:
            slot = this.first;
            break;
          case STOP:
            slot = NO_SLOT;
            break;
          default:
            throw new TypeError(`Cannot go on with the walk: isolate returned ${String(verdict)}, not an LruStatus`);
        }
      }
    } finally {
      this.walks--;
      if (nested) {
        this.walkNext = this.paused.pop() as number;
        this.walkSlot = this.paused.pop() as number;
      } else {
        this.walkSlot = NO_SLOT;
        this.walkNext = NO_SLOT;
      }
      if (typeof sc !== 'number') {
        sc.nrScanned = budget - left;
      }
    }
    return removed;
  }

  /** The slots from the oldest on. The slot in hand may be deleted meanwhile; no other change is allowed. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (let slot = this.first; slot !== NO_SLOT;) {
      const next = this.next(slot);
      yield slot;
      slot = next;
    }
  }

  /** The slots from the newest on, under the same rule. */
  *reversed(): IterableIterator<number> {
    for (let slot = this.tail(); slot !== NO_SLOT;) {
      const prev = this.prev(slot);
      yield slot;
      slot = prev;
    }
  }

  /** Puts a slot that is on the list last. */
  private rotate(slot: number): void {
    const first = this.first;
    if (slot === first) {
      this.first = this.links.next[slot] as number;
    } else if (slot !== this.links.prev[first]) {
      this.unlink(slot);
      this.linkLast(slot);
    }
  }

  private linkLast(slot: number): void {
    const { prev, next } = this.links;
    const first = this.first;
    if (first === NO_SLOT) {
      prev[slot] = slot;
      next[slot] = slot;
      this.first = slot;
      return;
    }
    const last = prev[first] as number;
    prev[slot] = last;
    next[slot] = first;
    next[last] = slot;
    prev[first] = slot;
  }

  private unlink(slot: number): void {
    const { prev, next } = this.links;
    const after = next[slot] as number;
    if (after === slot) {
      this.first = NO_SLOT;
      return;
    }
    const before = prev[slot] as number;
    next[before] = after;
    prev[after] = before;
    if (this.first === slot) {
      this.first = after;
    }
  }

  /** Keeps each walk in progress off a slot that is about to leave its place, or the list if `gone`. */
  private stepOver(slot: number, gone: boolean): void {
    const after = this.next(slot);
    if (this.walkNext === slot) {
      this.walkNext = after;
    }
    if (gone && this.walkSlot === slot) {
      this.walkSlot = NO_SLOT;
    }
    const paused = this.paused;
    for (let at = 0; at < paused.length; at += 2) {
      if (paused[at + 1] === slot) {
        paused[at + 1] = after;
      }
      if (gone && paused[at] === slot) {
        paused[at] = NO_SLOT;
      }
    }
  }
}

function checkSlot(owner: number | undefined, slot: number, links: SlotLinks): void {
  if (owner === undefined) {
    throw new RangeError(`Cannot add slot ${String(slot)}: there are ${links.capacity} slots, grow first`);
  }
}

/** @internal Whether the walk in progress still has the slot that it offered: nobody has taken it off since. */
export function isInHand(list: SlotLru, slot: number): boolean {
  return list['walkSlot'] === slot;
}

/** @internal */
export function checkIsolate(isolate: unknown): void {
  if (typeof isolate !== 'function') {
    throw new TypeError(`Cannot walk with isolate ${String(isolate)}: give a function that returns an LruStatus`);
  }
}
