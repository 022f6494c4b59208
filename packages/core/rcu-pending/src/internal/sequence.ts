import { assert } from '@core/base';
import { type NodePool, RadixVector } from '@core/genradix';
import type { Cookie } from '@core/rcu';
import { PendingError } from '../pending-error.js';
import type { RcuHead } from '../types.js';

/** What the last of a list points to, so that whatever is on a list can be told by its link. */
const END: RcuHead = { rcuNext: null };

/**
 * The objects that wait for one cookie: a radix-vector, and an intrusive list of those for which there was no node.
 *
 * Each sequence has a list of its own, so that a cookie is never compared with that of a list that is empty, and any
 * number of cookies can be alive.
 */
export class Sequence<T> {
  /** Means something only while the sequence is in use. */
  cookie: Cookie | null = null;
  /** When the first object came. */
  sinceMs = 0;
  /** Grows from one sequence to the next. */
  serial = 0;
  readonly vector: RadixVector<T>;
  private head: RcuHead = END;
  private tail: RcuHead | null = null;
  private listCount = 0;

  constructor(nodes: NodePool) {
    this.vector = new RadixVector<T>(nodes);
  }

  get count(): number {
    return this.vector.length + this.listCount;
  }

  get listed(): number {
    return this.listCount;
  }

  begin(cookie: Cookie, sinceMs: number, serial: number): void {
    this.cookie = cookie;
    this.sinceMs = sinceMs;
    this.serial = serial;
  }

  /** Makes an empty sequence ready for the next cookie. */
  reset(): void {
    assert(this.listCount === 0 && this.vector.length === 0, 'Cannot reuse a sequence: it holds objects');
    this.vector.free();
    this.cookie = null;
  }

  /**
   * Appends to the list: no allocation.
   *
   * @throws {PendingError} `ERR_PENDING_TWICE`: to link it again would cut a list in two
   */
  link(object: T): void {
    const head = object as unknown as RcuHead;
    if ((head.rcuNext ?? null) !== null) {
      throw new PendingError(
        'ERR_PENDING_TWICE',
        'Cannot enqueue: the object is on a fallback list already, of this pending or of another',
      );
    }
    head.rcuNext = END;
    if (this.tail === null) {
      this.head = head;
    } else {
      this.tail.rcuNext = head;
    }
    this.tail = head;
    this.listCount++;
  }

  /** Takes the first of the list, or `undefined`. */
  unlink(): T | undefined {
    const { head } = this;
    if (head === END) {
      return undefined;
    }
    this.head = head.rcuNext as RcuHead;
    if (this.head === END) {
      this.tail = null;
    }
    head.rcuNext = null;
    this.listCount--;
    return head as unknown as T;
  }

  /** Appends the whole list of another sequence to this one's, O(1). Whoever waits for one of the two waits for both. */
  splice(other: Sequence<T>): void {
    if (other.head === END) {
      return;
    }
    this.serial = Math.min(this.serial, other.serial);
    this.sinceMs = Math.min(this.sinceMs, other.sinceMs);
    if (this.tail === null) {
      this.head = other.head;
    } else {
      this.tail.rcuNext = other.head;
    }
    this.tail = other.tail;
    this.listCount += other.listCount;
    other.head = END;
    other.tail = null;
    other.listCount = 0;
  }

  /** Takes one object for reuse: the newest of the vector, else the oldest of the list. */
  take(): T | undefined {
    return this.vector.pop() ?? this.unlink();
  }

  /** Takes the first object that `tryClaim` accepts: the vector from the newest on, then the list from the oldest. */
  takeWhere(tryClaim: (object: T) => boolean): T | undefined {
    for (let index = this.vector.length - 1; index >= 0; index--) {
      if (tryClaim(this.vector.at(index) as T)) {
        return this.vector.removeAt(index);
      }
    }
    let before: RcuHead | null = null;
    for (let { head } = this; head !== END; head = head.rcuNext as RcuHead) {
      if (tryClaim(head as unknown as T)) {
        this.unlinkAfter(before, head);
        return head as unknown as T;
      }
      before = head;
    }
    return undefined;
  }

  checkInvariants(): void {
    this.vector.checkInvariants();
    let found = 0;
    let last: RcuHead | null = null;
    for (let { head } = this; head !== END; head = head.rcuNext as RcuHead) {
      assert(head !== null, 'The fallback list is cut off');
      found++;
      last = head;
      assert(found <= this.listCount, 'The fallback list is longer than counted, or has a cycle');
    }
    assert(found === this.listCount, () => `The fallback list counts ${this.listCount} and has ${found}`);
    assert(last === this.tail, 'The tail of the fallback list is not its last');
    assert(this.cookie !== null || this.count === 0, 'A sequence holds objects and has no cookie');
  }

  private unlinkAfter(before: RcuHead | null, head: RcuHead): void {
    if (before === null) {
      this.head = head.rcuNext as RcuHead;
    } else {
      before.rcuNext = head.rcuNext;
    }
    if (this.tail === head) {
      this.tail = before;
    }
    head.rcuNext = null;
    this.listCount--;
  }
}
