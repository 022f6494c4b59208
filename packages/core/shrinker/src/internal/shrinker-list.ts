import { assert } from '@core/base';

import type { Entry } from './entry.js';

const GONE: Promise<void> = Promise.resolve();

/**
 * The registered shrinkers in the order of their registration, and the references that keep them there.
 *
 * A walker holds a reference on the one shrinker that it is at. That shrinker stays on the list until the reference is
 * given back, even when it is freed meanwhile, so its `next` is mended by everybody who unlinks a neighbour: the walker
 * never follows a stale link.
 *
 * @see Linux mm/shrinker.c
 */
export class ShrinkerList {
  first: Entry | null = null;
  last: Entry | null = null;
  registrations = 0;
  /** What the shrinkers that are off the list again did in their time. */
  readonly past: { freed: number; scanned: number; errors: number } = { freed: 0, scanned: 0, errors: 0 };

  /** Puts the entry on the list and makes it findable, in this order: who finds it finds all of it. */
  publish(entry: Entry): void {
    entry.order = ++this.registrations;
    this.link(entry);
    entry.refs = 1;
  }

  /** Takes a reference; false when the entry is not published, or is being freed. */
  tryGet(entry: Entry): boolean {
    if (entry.refs <= 0) {
      return false;
    }
    entry.refs++;
    return true;
  }

  /** Gives a reference back. */
  put(entry: Entry): void {
    if (entry.refs > 0) {
      entry.refs--;
      return;
    }
    assert(entry.refs < 0, () => `Cannot put shrinker ${entry.name}: nobody holds a reference`);
    entry.refs++;
    if (entry.refs === 0) {
      this.unlink(entry);
      entry.complete?.();
    }
  }

  /** Gives the reference on a walker's shrinker back, and returns the one after it, which holds until the next await. */
  putAndNext(entry: Entry): Entry | null {
    // Read before the put, which may unlink; nothing can come between here and the caller's tryGet.
    const next = this.after(entry);
    this.put(entry);
    return next;
  }

  /** The shrinker after one that the caller holds a reference on. */
  after(entry: Entry): Entry | null {
    assert(entry.linked, () => `Cannot walk on from shrinker ${entry.name}: it was unlinked while in use`);
    return entry.next;
  }

  /**
   * Makes the entry unfindable, and resolves once the runs in progress have ended; only then is it unlinked. Without
   * one it is done at once, and nothing is allocated.
   */
  retire(entry: Entry): Promise<void> {
    const runs = entry.refs - 1;
    // A plain 0 - runs, since -0 is not wanted.
    entry.refs = 0 - runs;
    if (runs === 0) {
      this.unlink(entry);
      return GONE;
    }
    entry.gone = new Promise((resolve) => {
      entry.complete = resolve;
    });
    return entry.gone;
  }

  link(entry: Entry): void {
    entry.prev = this.last;
    if (this.last === null) {
      this.first = entry;
    } else {
      this.last.next = entry;
    }
    this.last = entry;
    entry.linked = true;
  }

  unlink(entry: Entry): void {
    const { prev, next } = entry;
    if (prev === null) {
      this.first = next;
    } else {
      prev.next = next;
    }
    if (next === null) {
      this.last = prev;
    } else {
      next.prev = prev;
    }
    entry.prev = null;
    entry.next = null;
    entry.linked = false;
    this.past.freed += entry.freed;
    this.past.scanned += entry.scanned;
    this.past.errors += entry.errors;
    entry.host.table.giveId(entry);
  }
}

/** What freeing something that is not in use returns: always the same promise. */
export function goneAlready(): Promise<void> {
  return GONE;
}
