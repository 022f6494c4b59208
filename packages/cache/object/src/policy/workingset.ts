import { assert } from '@core/base';
import { SlotLinks, SlotLru } from '@core/list-lru';
import { enlarged } from '../internal/enlarged.js';
import type { EvictionPolicy, WATCHED } from './eviction-policy.js';
import { NO_SHADOW, Shadows } from './shadows.js';

// An imported constant is read from a module cell each time.
const NEW: typeof WATCHED = 255;
// The lists, as shadows name them.
const INACTIVE = 0;
const ACTIVE = 1;
/** The share of the entries by which the active list may miss its room before unused entries are let in. */
const SLACK_SHARE = 0.05;
/** Unused entries that are set to wait for one that goes, so that no call takes long. */
const WAITS_MAX = 16;
/** Refaults of one list in a row after which a step is one time longer, and how many times longer it may get. */
const ROW = 8;
const STEPS_MAX = 4;

/**
 * Adaptive: an inactive list of what was seen once, an active one of what was used again, and shadows of what has left
 * either, which say how the room should be shared.
 *
 * - A new entry goes to the end of the inactive list. Its first use takes it to the active list, which is a clock with a
 *   counter of two bits. Which of the lists gives way is decided by the target for the inactive one.
 * - A key that comes back within a refault distance of one cache goes to the active list at once. If it had left the
 *   inactive list, that one was too short, and its target grows; if the active one, it shrinks. The step is larger, the
 *   fewer shadows there are of the list that was hit: what counts is refaults for each shadow. It is larger, too, after
 *   several refaults of the same list in a row: then what is popular has changed.
 * - While the active list has room to spare, what leaves the inactive list unused waits at its far end instead, next to
 *   go: in a loop that is larger than the cache, that keeps a part of it in.
 *
 * - When a whole round of the active list has met no entry that was used, it thrashes. What comes back to it then goes to
 *   the inactive list, so that those which are in stay, and are used: a loop that is a little larger than the cache.
 *
 * Keys that cannot be known again, which are objects, go to the active list at once: among them this is second chance.
 *
 * 10 bytes an entry, and 14 to 24 for shadows. Without shadows, either list has one half.
 *
 * @see Linux mm/workingset.c
 * @see Megiddo and Modha, ARC: A self-tuning, low overhead replacement cache, FAST 2003
 * @see Bansal and Modha, CAR: Clock with Adaptive Replacement, FAST 2004
 */
export class Workingset implements EvictionPolicy {
  readonly name = 'workingset';
  readonly markMax = 2;
  readonly shadows: Shadows = new Shadows();
  marks: Uint8Array = new Uint8Array(0);
  private readonly links: SlotLinks = new SlotLinks();
  private readonly inactive: SlotLru = new SlotLru(this.links);
  private readonly active: SlotLru = new SlotLru(this.links);
  /** How many entries the inactive list should have, from 0 to `full`; a fraction. */
  private target = 0;
  /** How many entries there were when room was last needed. */
  private full = 0;
  /** Room for shadows, then. */
  private shadowed = 0;
  /** Whether entries have come or gone since. */
  private hasChanged = true;
  // What follows of these. With fewer inactive entries than that the active list gives way; with fewer active ones than
  // that, unused entries are set to wait there.
  private leastInactive = 1;
  private mostActive = 0;
  /** About how many keys would refault if they came back, of those that left each list. */
  private inactiveShadows = 0;
  private activeShadows = 0;
  /** Which list the last refaults were of, and how many in a row. */
  private lastList = INACTIVE;
  private inRow = 0;
  /** Entries that have left the active list since one of it was met that was used. */
  private unused = 0;

  get length(): number {
    return this.inactive.length + this.active.length;
  }

  grow(capacity: number): void {
    this.marks = enlarged(this.marks, new Uint8Array(capacity));
    this.links.grow(capacity);
  }

  has(slot: number): boolean {
    return this.inactive.has(slot) || this.active.has(slot);
  }

  insert(slot: number, hash: number): void {
    this.hasChanged = true;
    const shadow = this.shadows.take(hash);
    if (hash === 0 || (shadow !== NO_SHADOW && this.returns(shadow)) || this.marks[slot] !== 0) {
      this.active.add(slot);
    } else {
      this.marks[slot] = NEW;
      this.inactive.add(slot);
    }
  }

  remove(slot: number): void {
    this.hasChanged = true;
    if (!this.inactive.del(slot)) {
      this.active.del(slot);
    }
  }

  hand(): number {
    const { inactive, active } = this;
    if (this.hasChanged || this.shadows.capacity !== this.shadowed) {
      this.hasChanged = false;
      this.full = inactive.length + active.length;
      this.shadowed = this.shadows.capacity;
      this.retarget(this.target);
    }
    const slot = inactive.head();
    if (slot < 0 || (inactive.length < this.leastInactive && active.length > 0)) {
      return active.head();
    }
    return active.length >= this.mostActive ? slot : this.handAfterWaits();
  }

  spare(slot: number): void {
    this.unused = 0;
    (this.marks[slot] as number)--;
    this.active.moveToTail(slot);
  }

  evict(slot: number, hash: number): void {
    this.hasChanged = true;
    if (this.inactive.del(slot)) {
      this.shadows.add(INACTIVE, hash);
      this.inactiveShadows = Math.min(this.inactiveShadows + 1, this.full);
    } else {
      this.active.del(slot);
      this.unused++;
      this.shadows.add(ACTIVE, hash);
      this.activeShadows = Math.min(this.activeShadows + 1, this.full);
    }
  }

  // At once, and not by the functions for either part: this is most of what a set costs that evicts.
  replace(slot: number, oldHash: number, hash: number): void {
    const { inactive, active } = this;
    const wasInactive = inactive.has(slot);
    if (wasInactive) {
      this.inactiveShadows = Math.min(this.inactiveShadows + 1, this.full);
    } else {
      this.unused++;
      this.activeShadows = Math.min(this.activeShadows + 1, this.full);
    }
    this.shadows.add(wasInactive ? INACTIVE : ACTIVE, oldHash);
    const shadow = this.shadows.take(hash);
    if (hash === 0 || (shadow !== NO_SHADOW && this.returns(shadow))) {
      if (wasInactive) {
        inactive.del(slot);
        active.add(slot);
      } else {
        active.moveToTail(slot);
      }
      return;
    }
    this.marks[slot] = NEW;
    if (wasInactive) {
      inactive.moveToTail(slot);
    } else {
      active.del(slot);
      inactive.add(slot);
    }
  }

  touch(slot: number): void {
    this.inactive.del(slot);
    this.marks[slot] = 0;
    this.active.add(slot);
  }

  checkInvariants(): void {
    this.shadows.checkInvariants();
    assert(this.target >= 0 && this.target <= this.full, 'The target is out of range');
    for (const slot of this.inactive) {
      assert(this.marks[slot] === NEW, 'The first use of a new entry would not be told');
    }
    for (const slot of this.active) {
      assert((this.marks[slot] as number) <= this.markMax, 'A mark is above its maximum');
    }
  }

  /** Whether a key with that shadow has left not long ago, and is to be active. The target learns of it. */
  private returns(shadow: number): boolean {
    return shadow >> 1 <= this.full && this.learn(shadow & 1);
  }

  /** A key has come back from a list. @returns whether it is to be active */
  private learn(list: number): boolean {
    this.inRow = list === this.lastList ? this.inRow + 1 : 0;
    this.lastList = list;
    const steps = Math.min(STEPS_MAX, 1 + this.inRow / ROW);
    const { inactiveShadows, activeShadows } = this;
    if (list === INACTIVE) {
      this.retarget(this.target + steps * Math.max(1, activeShadows / Math.max(1, inactiveShadows)));
      this.inactiveShadows = Math.max(0, inactiveShadows - 1);
      return true;
    }
    this.retarget(this.target - steps * Math.max(1, inactiveShadows / Math.max(1, activeShadows)));
    this.activeShadows = Math.max(0, activeShadows - 1);
    return this.unused <= this.full;
  }

  private retarget(target: number): void {
    const { full } = this;
    this.target = Math.max(0, Math.min(full, target));
    const wanted = this.shadowed === 0 ? full / 2 : this.target;
    this.leastInactive = Math.max(1, Math.ceil(wanted));
    this.mostActive = Math.ceil(full - full * SLACK_SHARE - wanted - 1);
  }

  /** Sets unused entries to wait, as far as the active list has room to spare. */
  private handAfterWaits(): number {
    const { inactive, active } = this;
    for (let waits = 0; waits < WAITS_MAX && active.length < this.mostActive; waits++) {
      const slot = inactive.head();
      inactive.del(slot);
      this.marks[slot] = 0;
      active.addHead(slot);
      if (inactive.length === 0 || inactive.length < this.leastInactive) {
        return active.head();
      }
    }
    return inactive.head();
  }
}
