import type { Cookie, RcuFlavor } from '@core/rcu';

import { SimError } from '../sim-error.js';
import type { PendingHooks, PendingUnderTest } from '../pending-under-test.js';

interface Batch<T> {
  readonly cookie: Cookie;
  readonly objects: T[];
}

/** The plainest pending that is right: a list of batches, each with its cookie. The base of the busted ones. */
export class ReferencePending<T> implements PendingUnderTest<T> {
  protected readonly rcu: RcuFlavor;
  protected readonly hooks: PendingHooks<T>;
  protected batches: Batch<T>[] = [];
  protected objectCount = 0;
  protected byteCount = 0;
  protected closed = false;
  #armed = false;

  constructor(rcu: RcuFlavor, hooks: PendingHooks<T>) {
    this.rcu = rcu;
    this.hooks = hooks;
  }

  get count(): number {
    return this.objectCount;
  }

  get bytes(): number {
    return this.byteCount;
  }

  enqueue(object: T): void {
    if (this.closed) {
      throw new SimError('ERR_SIM_PENDING_CLOSED', 'Cannot enqueue: the pending has exited');
    }
    const cookie = this.rcu.getState();
    const newest = this.batches[this.batches.length - 1];
    if (newest !== undefined && this.rcu.equal(newest.cookie, cookie)) {
      newest.objects.push(object);
    } else {
      this.batches.push({ cookie, objects: [object] });
    }
    this.objectCount++;
    this.byteCount += this.hooks.sizeOf(object);
    this.#arm();
    // Armed for an older one, perhaps.
    this.rcu.startPoll();
  }

  dequeue(): T | undefined {
    return this.#take(() => true);
  }

  dequeueWhere(tryClaim: (object: T) => boolean): T | undefined {
    return this.#take(tryClaim);
  }

  dequeueExpired(): T | undefined {
    return this.#take(
      () => true,
      (batch) => this.rcu.poll(batch.cookie),
    );
  }

  async barrier(): Promise<void> {
    while (this.objectCount > 0) {
      await this.rcu.synchronize();
    }
  }

  async exit(): Promise<void> {
    await this.barrier();
    this.closed = true;
  }

  /** Whether the objects of the batch at this place may be processed. */
  protected isOver(batchIndex: number): boolean {
    return this.rcu.poll((this.batches[batchIndex] as Batch<T>).cookie);
  }

  /** Processes the objects of one batch; they are counted out already. */
  protected processAll(objects: readonly T[]): void {
    for (const object of objects) {
      this.hooks.process(object);
    }
  }

  protected countOut(object: T): void {
    this.objectCount--;
    this.byteCount -= this.hooks.sizeOf(object);
  }

  #arm(): void {
    if (!this.#armed) {
      this.#armed = true;
      this.rcu.call(() => {
        this.#armed = false;
        this.#drain();
      });
    }
  }

  #drain(): void {
    const over = this.batches.filter((_, batchIndex) => this.isOver(batchIndex));
    this.batches = this.batches.filter((batch) => !over.includes(batch));
    for (const batch of over) {
      for (const object of batch.objects) {
        this.countOut(object);
      }
      this.processAll(batch.objects);
    }
    if (this.batches.length > 0) {
      this.#arm();
    }
  }

  #take(claims: (object: T) => boolean, from: (batch: Batch<T>) => boolean = () => true): T | undefined {
    for (const { objects } of this.batches.filter((batch) => from(batch))) {
      for (let at = objects.length - 1; at >= 0; at--) {
        const object = objects[at] as T;
        if (claims(object)) {
          objects.splice(at, 1);
          this.countOut(object);
          return object;
        }
      }
    }
    return undefined;
  }
}
