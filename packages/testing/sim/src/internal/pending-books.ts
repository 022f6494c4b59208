import type { Cookie, RcuFlavor } from '@core/rcu';

import type { PendingHooks, PendingObject } from '../pending-under-test.js';
import type { PendingCheck } from '../torture-pending-report.js';
import type { FailureLog } from './failure-log.js';

/** One stay of one reader in its section. */
export interface Section {
  ended: boolean;
}

/** What the torture knows of a pending object. */
interface Entry {
  /** Sections that were open when it was enqueued: until they have ended, a reader may hold it. */
  readonly watchers: readonly Section[];
  /** Null when cookies are not checked. */
  readonly cookie: Cookie | null;
  readonly ticket: number;
}

/** The second set of books: what is pending, since when, and who might still look at it. */
export class PendingBooks implements PendingHooks<PendingObject> {
  readonly sections: Set<Section> = new Set();
  readonly #log: FailureLog<PendingCheck>;
  readonly #flavor: RcuFlavor;
  readonly #checksCookies: boolean;
  readonly #pending = new Map<PendingObject, Entry>();
  readonly #free: PendingObject[] = [];
  #created = 0;
  #ticket = 0;
  #bytes = 0;
  processed = 0;
  dequeued = 0;
  expired = 0;
  watched = 0;
  maxCount = 0;

  constructor(log: FailureLog<PendingCheck>, flavor: RcuFlavor, checksCookies: boolean) {
    this.#log = log;
    this.#flavor = flavor;
    this.#checksCookies = checksCookies;
  }

  /** Objects enqueued so far; also the ticket of the next. */
  get enqueued(): number {
    return this.#ticket;
  }

  get count(): number {
    return this.#pending.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A free object, made new: one that was processed, if there is one. */
  take(): PendingObject {
    const object = this.#free.pop() ?? this.#create();
    object.state = 'published';
    return object;
  }

  /** `object` is being enqueued. */
  enter(object: PendingObject): void {
    const watchers = [...this.sections];
    this.watched += watchers.length > 0 ? 1 : 0;
    object.state = 'pending';
    const cookie = this.#checksCookies ? this.#flavor.getState() : null;
    this.#pending.set(object, { watchers, cookie, ticket: this.#ticket++ });
    this.#bytes += object.bytes;
    this.maxCount = Math.max(this.maxCount, this.count);
  }

  /** `object` came out of the pending by `how`; false when it was not in. */
  leave(object: PendingObject, how: 'dequeue' | 'expired'): boolean {
    const entry = this.#take(object);
    if (entry === undefined) {
      this.#log.add('dequeue-once', `${nameOf(object)} was handed out, and is ${stateOf(object)}`);
      return false;
    }
    if (how === 'dequeue') {
      this.dequeued++;
    } else {
      this.expired++;
      this.#checkOver('dequeue-early', object, entry);
    }
    object.generation++;
    object.state = 'published';
    return true;
  }

  process(object: PendingObject): void {
    const entry = this.#take(object);
    if (entry === undefined) {
      this.#log.add('process-once', `${nameOf(object)} was processed, and is ${stateOf(object)}`);
      return;
    }
    this.processed++;
    this.#checkOver('process-early', object, entry);
    object.generation++;
    object.state = 'free';
    this.#free.push(object);
  }

  bulk(objects: readonly PendingObject[], count: number): void {
    for (let at = 0; at < count; at++) {
      // A busted pending may count more than it gives: what is not there is none of ours, and reported as that.
      this.process(objects[at] as PendingObject);
    }
  }

  sizeOf(object: PendingObject): number {
    return object.bytes;
  }

  /** How many objects with a ticket below this one are still pending. */
  pendingBefore(ticket: number): number {
    let before = 0;
    for (const entry of this.#pending.values()) {
      before += entry.ticket < ticket ? 1 : 0;
    }
    return before;
  }

  #take(object: PendingObject): Entry | undefined {
    const entry = this.#pending.get(object);
    if (entry !== undefined) {
      this.#pending.delete(object);
      this.#bytes -= object.bytes;
    }
    return entry;
  }

  #checkOver(check: PendingCheck, object: PendingObject, entry: Entry): void {
    const readers = entry.watchers.filter((section) => !section.ended).length;
    this.#log.addUnless(
      readers === 0,
      check,
      () => `object ${object.id} came out, and ${readers} readers have not left who could have seen it`,
    );
    this.#log.addUnless(
      entry.cookie === null || this.#flavor.poll(entry.cookie),
      'cookie-early',
      () => `object ${object.id} came out, and the cookie of its enqueue is not over`,
    );
  }

  #create(): PendingObject {
    const id = this.#created++;
    return { rcuNext: null, id, bytes: 1 + (id % 7), generation: 0, state: 'free' };
  }
}

/** A busted pending may give back anything. */
function nameOf(object: PendingObject | undefined): string {
  return object === undefined ? 'undefined' : `object ${object.id}`;
}

function stateOf(object: PendingObject | undefined): string {
  return object === undefined ? 'none of ours' : object.state;
}
