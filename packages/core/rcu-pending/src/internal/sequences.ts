import { assert } from '@core/base';
import { DArray, type NodePool } from '@core/genradix';
import type { Cookie, RcuFlavor } from '@core/rcu';
import { Sequence } from './sequence.js';

/** Sequences made in advance: two live cookies, and two that have expired and are being processed. */
const INLINE_SEQUENCES = 4;

/** The sequences of a shard: those whose cookie may be alive, those whose cookie is over, and those to spare. */
export class Sequences<T> {
  /** In the order of their first object. */
  readonly live: DArray<Sequence<T>> = new DArray(INLINE_SEQUENCES);
  /** Oldest first, as far as their cookies end in order. */
  readonly expired: DArray<Sequence<T>> = new DArray(INLINE_SEQUENCES);
  /** Serial of the newest sequence. */
  serial = 0;
  private readonly spares = new DArray<Sequence<T>>(INLINE_SEQUENCES);
  private readonly rcu: RcuFlavor;
  private readonly nodePool: NodePool;

  constructor(rcu: RcuFlavor, nodePool: NodePool) {
    this.rcu = rcu;
    this.nodePool = nodePool;
    for (let made = 0; made < INLINE_SEQUENCES; made++) {
      this.spares.push(new Sequence<T>(nodePool));
    }
  }

  get length(): number {
    return this.live.length + this.expired.length;
  }

  get listed(): number {
    return this.sum((sequence) => sequence.listed);
  }

  get nodes(): number {
    return this.sum((sequence) => sequence.vector.nodes);
  }

  /** Since when the oldest object may have waited, or null. */
  get oldestSinceMs(): number | null {
    const oldest = this.least((sequence) => sequence.sinceMs);
    return oldest === Infinity ? null : oldest;
  }

  /** Serial of the oldest sequence that holds something; Infinity when none does. */
  get oldestSerial(): number {
    return this.least((sequence) => sequence.serial);
  }

  /** The live sequence of `cookie`, or null. */
  find(cookie: Cookie): Sequence<T> | null {
    for (let index = this.live.length - 1; index >= 0; index--) {
      const sequence = this.live.at(index) as Sequence<T>;
      if (this.rcu.equal(sequence.cookie as Cookie, cookie)) {
        return sequence;
      }
    }
    return null;
  }

  /** A sequence for `cookie`; it is not live before {@link add}. */
  begin(cookie: Cookie, nowMs: number): Sequence<T> {
    const sequence = this.spares.pop() ?? new Sequence<T>(this.nodePool);
    sequence.begin(cookie, nowMs, ++this.serial);
    return sequence;
  }

  add(sequence: Sequence<T>): void {
    this.live.push(sequence);
  }

  /** Takes back the last {@link add}; the sequence is empty again. */
  dropNewest(): void {
    this.recycle(this.live.pop() as Sequence<T>);
  }

  /** Moves sequences whose cookie is over; each is asked for itself, so none waits behind a newer one. */
  collect(): void {
    for (let index = 0; index < this.live.length;) {
      const sequence = this.live.at(index) as Sequence<T>;
      if (this.rcu.poll(sequence.cookie as Cookie)) {
        this.live.removeAt(index);
        this.expire(sequence);
      } else {
        index++;
      }
    }
  }

  /** Live sequences from which everything was taken need no grace period any more. */
  dropEmptyLive(): void {
    for (let index = this.live.length - 1; index >= 0; index--) {
      const sequence = this.live.at(index) as Sequence<T>;
      if (sequence.count === 0) {
        this.live.removeAt(index);
        this.recycle(sequence);
      }
    }
  }

  /** Done with the oldest that has expired, if it is empty. Callbacks may empty it, but only this takes it off. */
  dropFirstIfEmpty(): void {
    const sequence = this.expired.at(0) as Sequence<T>;
    if (sequence.count === 0) {
      this.expired.removeAt(0);
      this.recycle(sequence);
    }
  }

  /** The first that has expired and holds something, or null. */
  firstExpired(): Sequence<T> | null {
    return firstFull(this.expired, null);
  }

  /** The oldest that holds something, or null; not `but`. */
  oldestBut(but: Sequence<T> | null): Sequence<T> | null {
    return this.firstExpired() ?? firstFull(this.live, but);
  }

  /** Takes the first object that `tryClaim` accepts, from the oldest sequence on. */
  takeWhere(tryClaim: (object: T) => boolean): T | undefined {
    for (const sequences of [this.expired, this.live]) {
      for (const sequence of sequences) {
        const object = sequence.takeWhere(tryClaim);
        if (object !== undefined) {
          return object;
        }
      }
    }
    return undefined;
  }

  /** For tests: throws when something is wrong. @returns how many objects there are */
  checkInvariants(): number {
    for (const sequences of [this.live, this.expired, this.spares]) {
      for (const sequence of sequences) {
        sequence.checkInvariants();
      }
    }
    for (const spare of this.spares) {
      assert(spare.count === 0 && spare.vector.nodes === 0, 'A spare sequence holds something');
    }
    return this.sum((sequence) => sequence.count);
  }

  private expire(sequence: Sequence<T>): void {
    const last = this.expired.at(this.expired.length - 1) ?? null;
    if (sequence.count === 0) {
      this.recycle(sequence);
    } else if (last !== null && this.spares.length === 0 && sequence.vector.length === 0) {
      // Nothing but a list, and no sequence to spare: chain it on, so that a dry pool costs no allocation here either.
      last.splice(sequence);
      this.recycle(sequence);
    } else {
      this.expired.push(sequence);
    }
  }

  private recycle(sequence: Sequence<T>): void {
    sequence.reset();
    if (this.spares.length < INLINE_SEQUENCES) {
      this.spares.push(sequence);
    }
  }

  private sum(of: (sequence: Sequence<T>) => number): number {
    let total = 0;
    for (const sequences of [this.live, this.expired]) {
      for (const sequence of sequences) {
        total += of(sequence);
      }
    }
    return total;
  }

  /** Over those that hold something. */
  private least(of: (sequence: Sequence<T>) => number): number {
    let least = Infinity;
    for (const sequences of [this.live, this.expired]) {
      for (const sequence of sequences) {
        if (sequence.count > 0) {
          least = Math.min(least, of(sequence));
        }
      }
    }
    return least;
  }
}

function firstFull<T>(sequences: DArray<Sequence<T>>, but: Sequence<T> | null): Sequence<T> | null {
  for (let index = 0; index < sequences.length; index++) {
    const sequence = sequences.at(index) as Sequence<T>;
    if (sequence !== but && sequence.count > 0) {
      return sequence;
    }
  }
  return null;
}
