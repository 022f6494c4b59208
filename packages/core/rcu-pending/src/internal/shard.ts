import { type Clock, type Scheduler, TurnBudget, assert } from '@core/base';
import type { NodePool, RadixNode } from '@core/genradix';
import type { AdvanceObserver, Cookie, RcuFlavor } from '@core/rcu';
import { PendingError } from '../pending-error.js';
import type { Processor } from './processor.js';
import type { Sequence } from './sequence.js';
import { Sequences } from './sequences.js';
import type { Sizes } from './sizes.js';
import { Waiters } from './waiters.js';

/** What the cursor points at when no leaf is open. */
const NO_NODE: RadixNode = [];

export interface ShardParts<T> {
  readonly rcu: RcuFlavor;
  readonly nodes: NodePool;
  readonly processor: Processor<T>;
  readonly sizes: Sizes<T> | null;
  readonly isBulk: ((object: T) => boolean) | null;
  /** Objects that wait in all shards; null where this is the only one. */
  readonly countAll: (() => number) | null;
  readonly expediteCount: number;
  readonly expediteBytes: number;
  readonly expedite: () => void;
  readonly budgetMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/**
 * One shard: sequences of waiting objects by cookie, those whose cookie is over, and one callback that re-arms itself
 * while anything waits.
 *
 * The cursor (`node`, `position`, `limit`) is the open leaf of the newest sequence. The flavour closes it before its
 * cookie advances, so that storing through it needs no look at the cookie: while it is open, `getState()` would answer
 * with the cookie of that sequence.
 */
export class Shard<T> implements AdvanceObserver {
  node: RadixNode = NO_NODE;
  /** Where in `node` the next object goes; everything below is waiting. 0 when closed. */
  position = 0;
  /** Up to where the fast path may store; 0 when closed. */
  limit = 0;
  reused = 0;
  /** The last leaf of the sequence that `dequeue` takes from, and where its next object is, plus one; 0 when closed. */
  private takeNode: RadixNode = NO_NODE;
  private takePosition = 0;
  private takeSequence: Sequence<T> | null = null;
  private takeOpenedAt = 0;
  /** The first leaf of the sequence that is being processed, and from where to where; equal when closed. */
  private frontPosition = 0;
  private frontStop = 0;
  private frontSequence: Sequence<T> | null = null;
  private frontOpenedAt = 0;
  private openSequence: Sequence<T> | null = null;
  /** `position` when the leaf was opened: the vector knows of the objects below it. */
  private openedAt = 0;
  /** Waiting objects, without those between the marks of the open leaves. */
  private settled = 0;
  /** Those of them that are in the open sequence; does not change while it is open. */
  private settledInOpen = 0;
  private readonly sequences: Sequences<T>;
  /** A callback is queued with the flavour. Holds whenever there is a live sequence. */
  private armed = false;
  /** Inside `rcu.call`, where a callback should never run, and with some flavours does. */
  private arming = false;
  /** A turn is scheduled to go on processing. */
  private working = false;
  private processing = false;
  private busy = false;
  private observing = false;
  private closed = false;
  private readonly waiters = new Waiters();
  private readonly budget: TurnBudget;
  /** For callers that may sleep: never raised, and no part of the history from which the other is. */
  private readonly sleeperBudget: TurnBudget;
  private readonly parts: ShardParts<T>;
  /** Whether objects may go through the cursor: nothing has to be known of each of them. */
  private readonly plain: boolean;
  private readonly onGracePeriod = (): void => this.gracePeriodOver();
  private readonly onWork = (): void => this.work();

  constructor(parts: ShardParts<T>) {
    this.parts = parts;
    this.sequences = new Sequences<T>(parts.rcu, parts.nodes);
    this.budget = new TurnBudget(parts.budgetMs, parts.clock);
    this.sleeperBudget = new TurnBudget(parts.budgetMs, parts.clock);
    this.plain = parts.sizes === null && parts.isBulk === null && parts.rcu.notifyAdvance !== undefined;
  }

  get count(): number {
    return this.settled + this.position + this.takePosition + this.frontStop - this.frontPosition;
  }

  private get stranded(): number {
    const { countAll } = this.parts;
    return countAll === null ? this.count : countAll();
  }

  get buckets(): number {
    return this.sequences.length;
  }

  get listed(): number {
    return this.sequences.listed;
  }

  get nodes(): number {
    return this.sequences.nodes;
  }

  /** Sees to it that counts kept elsewhere are right. */
  sync(): void {
    this.closeCursors();
  }

  /** Nothing waits, and nothing will come back here by itself. */
  get idle(): boolean {
    return this.count === 0 && !this.armed && !this.working && !this.processing;
  }

  /** Since when the oldest object may have waited, or null. */
  get oldestSinceMs(): number | null {
    this.closeCursors();
    return this.sequences.oldestSinceMs;
  }

  close(): void {
    this.closeCursors();
    this.closed = true;
  }

  cookieAdvanced(): void {
    this.observing = false;
    this.closeCursor();
  }

  /** The slow way in: no open leaf, a full one, a caller that may sleep, or an object of which more must be known. */
  enqueue(object: T, maySleep: boolean): void {
    this.assertUsable('enqueue');
    if ((typeof object !== 'object' && typeof object !== 'function') || object === null) {
      throw new TypeError(`Cannot enqueue ${String(object)}: it must be an object`);
    }
    const { rcu, sizes, isBulk } = this.parts;
    if (maySleep) {
      const before = rcu.getState();
      this.processOneSequence();
      if (rcu.poll(before)) {
        sizes?.add(object);
        this.settled++;
        this.parts.processor.processOne(object, this);
        return;
      }
    }
    const bulk = isBulk === null || isBulk(object);
    sizes?.add(object);
    try {
      // From here to the store nothing of the user's runs, so the cookie is still right when the object is stored.
      this.store(object, bulk, rcu.getState());
    } catch (error) {
      sizes?.remove(object);
      throw error;
    }
    if (this.stranded > this.parts.expediteCount || (sizes !== null && sizes.bytes > this.parts.expediteBytes)) {
      this.parts.expedite();
    }
  }

  /** Takes any waiting object, from the oldest sequence, its newest first. */
  dequeue(): T | undefined {
    if (this.takePosition > 0) {
      this.takePosition--;
      const object = this.takeNode[this.takePosition] as T;
      this.takeNode[this.takePosition] = undefined;
      this.reused++;
      return object;
    }
    if (this.position > 0 && this.settled === this.settledInOpen && this.frontStop === this.frontPosition) {
      // Nothing waits outside of the open sequence, and that ends in the open leaf.
      this.position--;
      const object = this.node[this.position] as T;
      this.node[this.position] = undefined;
      this.reused++;
      return object;
    }
    return this.count === 0 ? undefined : this.dequeueSlow();
  }

  dequeueWhere(tryClaim: (object: T) => boolean): T | undefined {
    this.assertUsable('dequeue');
    this.closeCursors();
    let object: T | undefined;
    this.busy = true;
    try {
      object = this.sequences.takeWhere(tryClaim);
    } finally {
      this.busy = false;
    }
    if (object === undefined) {
      return undefined;
    }
    this.settled--;
    return this.reuse(object);
  }

  /** Takes an object whose grace period is over. */
  dequeueExpired(): T | undefined {
    this.assertUsable('dequeue');
    this.collect();
    const sequence = this.sequences.firstExpired();
    return sequence === null ? undefined : this.takeOne(sequence);
  }

  /** Processes up to `limit` objects whose grace period is over, now. @returns how many (a node more in bulk) */
  drainExpired(limit: number): number {
    this.assertUsable('drain');
    this.collect();
    const { expired } = this.sequences;
    let done = 0;
    if (!this.processing) {
      this.processing = true;
      try {
        while (done < limit && expired.length > 0) {
          done += this.parts.processor.processNext(expired.at(0) as Sequence<T>, this);
          this.sequences.dropFirstIfEmpty();
        }
      } finally {
        this.processing = false;
      }
      this.settleWaiters();
    }
    return done;
  }

  /** Resolves when everything that waits now has been processed or taken. */
  drained(): Promise<void> {
    return this.waitFor(this.sequences.serial);
  }

  /** Resolves when the shard is idle. */
  whenIdle(): Promise<void> {
    return this.waitFor(null);
  }

  /** An object is about to be processed. */
  leaving(object: T): void {
    this.settled--;
    this.parts.sizes?.remove(object);
  }

  leavingMany(objects: readonly T[], count: number): void {
    this.settled -= count;
    const { sizes } = this.parts;
    if (sizes !== null) {
      for (let index = 0; index < count; index++) {
        sizes.remove(objects[index] as T);
      }
    }
  }

  checkInvariants(): void {
    this.closeCursors();
    const { live, expired } = this.sequences;
    const found = this.sequences.checkInvariants();
    assert(found === this.settled, () => `Pending counts ${this.settled} objects and holds ${found}`);
    assert(this.armed || live.length === 0, 'Objects wait for a grace period and no callback is queued');
    assert(
      this.working || this.armed || this.processing || expired.length === 0,
      'Objects have expired and nobody will process them',
    );
  }

  private store(object: T, bulk: boolean, cookie: Cookie): void {
    this.closeCursors();
    const found = this.sequences.find(cookie);
    const sequence = found ?? this.sequences.begin(cookie, this.parts.clock.now());
    if (!bulk || !sequence.vector.push(object)) {
      sequence.link(object);
    }
    this.settled++;
    if (found === null) {
      this.sequences.add(sequence);
      this.ensureGracePeriod(sequence);
    }
    // The grace period that was asked for may have begun, and the cookie with it: then the next object comes back here.
    if (this.plain && bulk && this.openSequence === null && sequence.vector.length > 0 && this.isNewest(sequence)) {
      this.openCursor(sequence);
    }
  }

  /** Sees to it that the callback will come when the cookie of `sequence`, which has one object, is over. */
  private ensureGracePeriod(sequence: Sequence<T>): void {
    try {
      if (this.armed) {
        this.parts.rcu.startPoll();
      } else {
        this.arm();
      }
    } catch (error) {
      // The domain refuses (it was closed): the object goes back to the caller, who has the error.
      sequence.take();
      this.settled--;
      this.sequences.dropNewest();
      throw error;
    }
  }

  private arm(): void {
    this.armed = true;
    this.arming = true;
    try {
      this.parts.rcu.call(this.onGracePeriod);
    } catch (error) {
      this.armed = false;
      throw error;
    } finally {
      this.arming = false;
    }
  }

  private gracePeriodOver(): void {
    if (this.busy) {
      // Somebody turned the loop inside a tryClaim predicate. Not while sequences are being walked.
      this.pollLater();
      return;
    }
    this.armed = false;
    this.collect();
    this.sequences.dropEmptyLive();
    if (this.sequences.live.length > 0) {
      this.rearm();
    }
    if (!this.working) {
      this.work();
    }
  }

  private rearm(): void {
    if (this.arming) {
      // The flavour ran the callback inside call(). Asking again from here would recurse without end.
      this.pollLater();
      return;
    }
    try {
      this.arm();
    } catch {
      // The domain refuses: it is being closed before its pending. What it has been asked for it still finishes, and
      // its barrier tells when to look.
      this.armed = true;
      const look = (): void => this.pollLater();
      this.parts.rcu.barrier().then(look, look);
    }
  }

  private pollLater(): void {
    this.armed = true;
    this.parts.scheduler.nextTurn(this.onGracePeriod, true);
  }

  /** One turn's worth of processing; schedules the next turn if there is more. */
  private work(): void {
    this.working = false;
    if (!this.processing) {
      this.closeTake();
      this.processing = true;
      try {
        this.spendBudget();
      } finally {
        this.processing = false;
      }
    }
    if (this.sequences.expired.length > 0 && !this.working) {
      this.working = true;
      this.parts.scheduler.nextTurn(this.onWork, true);
    }
    this.settleWaiters();
  }

  private spendBudget(): void {
    const { expired } = this.sequences;
    if (expired.length === 0) {
      return;
    }
    // All that waits, and not what has expired: that comes in bursts, between which a flood would seem to be over.
    this.budget.begin(this.count);
    while (expired.length > 0) {
      const spent = this.processSome(expired.at(0) as Sequence<T>, this.budget);
      this.sequences.dropFirstIfEmpty();
      if (spent) {
        return;
      }
    }
  }

  /** Processes objects of `sequence` until it is empty or the budget is spent. @returns whether it is spent */
  private processSome(sequence: Sequence<T>, budget: TurnBudget): boolean {
    const { processor, sizes } = this.parts;
    for (;;) {
      if (processor.one !== null && sizes === null && sequence.vector.length > 0) {
        this.processFront(sequence, processor.one, budget.steps);
      } else if (processor.one === null) {
        processor.processNext(sequence, this);
      } else {
        for (let step = budget.steps; step > 0 && processor.processNext(sequence, this) > 0; step--);
      }
      if (budget.look()) {
        return true;
      }
      if (sequence.count === 0) {
        return false;
      }
    }
  }

  /**
   * Processes objects of the first leaf without telling the vector of each. A callback that uses this pending may
   * close the front; then the marks are equal, and this returns.
   */
  private processFront(sequence: Sequence<T>, one: (object: T) => unknown, steps: number): void {
    const { vector } = sequence;
    const { processor } = this.parts;
    const node = vector.leafForShift();
    this.frontSequence = sequence;
    this.frontPosition = vector.shiftOffset;
    this.frontOpenedAt = this.frontPosition;
    this.frontStop = this.frontPosition + Math.min(steps, vector.firstLeafLength());
    this.settled -= this.frontStop - this.frontPosition;
    while (this.frontPosition < this.frontStop) {
      const position = this.frontPosition;
      const object = node[position] as T;
      node[position] = undefined;
      this.frontPosition = position + 1;
      processor.callOne(object, one);
    }
    this.closeFront();
  }

  private closeFront(): void {
    const sequence = this.frontSequence;
    if (sequence !== null) {
      const done = this.frontPosition - this.frontOpenedAt;
      this.frontSequence = null;
      this.settled += this.frontStop - this.frontPosition;
      this.frontPosition = 0;
      this.frontStop = 0;
      this.parts.processor.processed += done;
      sequence.vector.shifted(done);
    }
  }

  /** What a caller that may sleep does first: one expired sequence, at most one budget of it. */
  private processOneSequence(): void {
    this.collect();
    const { expired } = this.sequences;
    if (this.processing || expired.length === 0) {
      return;
    }
    this.processing = true;
    try {
      this.sleeperBudget.begin(0);
      this.processSome(expired.at(0) as Sequence<T>, this.sleeperBudget);
      this.sequences.dropFirstIfEmpty();
    } finally {
      this.processing = false;
    }
    this.settleWaiters();
  }

  private collect(): void {
    this.closeCursors();
    this.sequences.collect();
  }

  private isNewest(sequence: Sequence<T>): boolean {
    const { rcu } = this.parts;
    return sequence.cookie !== null && rcu.equal(sequence.cookie, rcu.getState());
  }

  private openCursor(sequence: Sequence<T>): void {
    const { vector } = sequence;
    const leaf = vector.leafForPush();
    // Asked again: a pool of the user's own may have let the cookie advance, and told whoever watched then.
    if (leaf === null || !this.isNewest(sequence)) {
      return;
    }
    if (!this.observing) {
      this.observing = true;
      this.parts.rcu.notifyAdvance?.(this);
    }
    this.openSequence = sequence;
    this.node = leaf;
    this.position = vector.pushOffset;
    this.openedAt = this.position;
    this.settled -= this.position;
    this.settledInOpen = sequence.count - this.position;
    // Stop where a grace period must be expedited, so that crossing that mark is noticed. Above it, one is already.
    const untilExpedite = this.parts.expediteCount - this.stranded;
    this.limit = untilExpedite >= 0 ? Math.min(leaf.length, this.position + untilExpedite) : leaf.length;
  }

  /** Lets the vectors know what went through the open leaves. Everything that looks at them does this first. */
  private closeCursors(): void {
    this.closeFront();
    this.closeTake();
    this.closeCursor();
  }

  private closeCursor(): void {
    if (this.openSequence !== null) {
      this.openSequence.vector.pushed(this.position - this.openedAt);
      this.openSequence = null;
      this.settled += this.position;
      this.settledInOpen = 0;
      this.position = 0;
      this.limit = 0;
      this.node = NO_NODE;
    }
  }

  private dequeueSlow(): T | undefined {
    this.assertUsable('dequeue');
    this.closeFront();
    this.closeTake();
    const sequence = this.sequences.oldestBut(this.openSequence);
    if (sequence !== null) {
      const object = this.takeOne(sequence);
      // Not while objects are processed: whoever processes works on the vector itself.
      if (this.plain && !this.processing) {
        this.openTake(sequence);
      }
      return object;
    }
    // All that waits is in the open sequence, and its open leaf is empty: let the cursor go back by one leaf.
    const open = this.openSequence;
    this.closeCursors();
    const left = this.sequences.oldestBut(null);
    const object = left === null ? undefined : this.takeOne(left);
    if (open !== null) {
      this.openCursor(open);
    }
    return object;
  }

  private takeOne(sequence: Sequence<T>): T {
    const object = sequence.take() as T;
    this.settled--;
    return this.reuse(object);
  }

  /** Lets `dequeue` take the objects of the last leaf without asking the vector for each. */
  private openTake(sequence: Sequence<T>): void {
    const { vector } = sequence;
    const count = vector.length > 0 ? vector.poppable : 0;
    if (count > 0) {
      this.takeSequence = sequence;
      this.takeNode = vector.leafForPop();
      this.takePosition = count;
      this.takeOpenedAt = count;
      this.settled -= count;
    }
  }

  private closeTake(): void {
    if (this.takeSequence !== null) {
      this.takeSequence.vector.pushed(this.takePosition - this.takeOpenedAt);
      this.settled += this.takePosition;
      this.takeSequence = null;
      this.takeNode = NO_NODE;
      this.takePosition = 0;
    }
  }

  private reuse(object: T): T {
    this.reused++;
    this.parts.sizes?.remove(object);
    return object;
  }

  private waitFor(serial: number | null): Promise<void> {
    const done = this.waiters.add(serial);
    this.settleWaiters();
    return done;
  }

  private settleWaiters(): void {
    if (!this.waiters.isEmpty) {
      this.closeCursors();
      this.waiters.settle(this.sequences.oldestSerial, this.idle);
    }
  }

  private assertUsable(action: string): void {
    if (this.busy) {
      throw new PendingError(
        'ERR_PENDING_BUSY',
        `Cannot ${action}: a tryClaim predicate is running; it may only look at its object`,
      );
    }
    if (this.closed && action === 'enqueue') {
      throw new PendingError('ERR_PENDING_CLOSED', 'Cannot enqueue: exit() has finished; create a new pending');
    }
  }
}
