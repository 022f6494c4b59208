import { assert } from '@core/base';

/** Overdue readers are counted up to so many beyond those that are named. */
const MAX_COUNTED = 10_000;

/** One labelled reader that is open. */
export class Hold {
  readonly label: string;
  readonly openedAtMs: number;
  readonly stack: string | null;
  released = false;
  /** No longer listed although not released: given up at exit. */
  abandoned = false;
  newer: Hold | null = null;
  older: Hold | null = null;

  constructor(label: string, openedAtMs: number, stack: string | null) {
    this.label = label;
    this.openedAtMs = openedAtMs;
    this.stack = stack;
  }
}

/** Labelled readers from the oldest to the newest. */
export class HoldList {
  oldest: Hold | null = null;
  private newest: Hold | null = null;

  add(hold: Hold): void {
    hold.older = this.newest;
    if (this.newest === null) {
      this.oldest = hold;
    } else {
      this.newest.newer = hold;
    }
    this.newest = hold;
  }

  remove(hold: Hold): void {
    assert(!hold.released, 'Cannot release a reader twice');
    hold.released = true;
    if (!hold.abandoned) {
      this.unlink(hold);
    }
  }

  /**
   * The oldest readers of those open for `stallMs` or longer, at most `atMost`; and how many more of these there are,
   * counted up to {@link MAX_COUNTED}, so that a flood of them blocks nobody.
   */
  overdue(nowMs: number, stallMs: number, atMost: number): { readonly holds: readonly Hold[]; readonly more: number } {
    const holds: Hold[] = [];
    let more = 0;
    for (
      let hold = this.oldest;
      hold !== null && nowMs - hold.openedAtMs >= stallMs && more < MAX_COUNTED;
      hold = hold.newer
    ) {
      if (holds.length < atMost) {
        holds.push(hold);
      } else {
        more++;
      }
    }
    return { holds, more };
  }

  /** Forgets every reader; each may still be removed later. */
  abandonAll(): void {
    while (this.oldest !== null) {
      this.oldest.abandoned = true;
      this.unlink(this.oldest);
    }
  }

  checkInvariants(): void {
    let last: Hold | null = null;
    for (let hold = this.oldest; hold !== null; hold = hold.newer) {
      assert(hold.older === last && !hold.released && !hold.abandoned, 'The list of readers is broken');
      assert(last === null || last.openedAtMs <= hold.openedAtMs, 'The readers are not in the order of their age');
      last = hold;
    }
    assert(this.newest === last, 'The newest reader is not the last one');
  }

  private unlink(hold: Hold): void {
    if (hold.older === null) {
      this.oldest = hold.newer;
    } else {
      hold.older.newer = hold.newer;
    }
    if (hold.newer === null) {
      this.newest = hold.older;
    } else {
      hold.newer.older = hold.older;
    }
    // Else a guard that is kept after its release would keep every later hold.
    hold.newer = null;
    hold.older = null;
  }
}
