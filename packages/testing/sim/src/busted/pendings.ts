import { must } from '@core/base';

import { ReferencePending } from '../reference/reference-pending.js';

/** Busted: processes a batch when the one before it is over: one cookie early. */
export class EarlyPending<T> extends ReferencePending<T> {
  protected override isOver(batchIndex: number): boolean {
    return super.isOver(Math.max(0, batchIndex - 1));
  }
}

/** Busted: frees at once, as an adapter does that has no grace periods. */
export class ImmediatePending<T> extends ReferencePending<T> {
  override enqueue(object: T): void {
    super.enqueue(object);
    const batch = must(this.batches.shift(), 'Cannot free the object at once: no batch has it');
    this.countOut(object);
    this.processAll(batch.objects);
  }
}

/** Busted: `dequeue` forgets to decrement the count. */
export class UncountedDequeuePending<T> extends ReferencePending<T> {
  override dequeue(): T | undefined {
    const object = super.dequeue();
    this.objectCount += object === undefined ? 0 : 1;
    return object;
  }
}

/** Busted: `dequeue` forgets the bytes. */
export class UnweighedDequeuePending<T> extends ReferencePending<T> {
  override dequeue(): T | undefined {
    const object = super.dequeue();
    this.byteCount += object === undefined ? 0 : this.hooks.sizeOf(object);
    return object;
  }
}

/** Busted: processes the first object of a batch as often as the batch is long. */
export class FirstOfBatchPending<T> extends ReferencePending<T> {
  protected override processAll(objects: readonly T[]): void {
    for (let times = 0; times < objects.length; times++) {
      this.hooks.process(objects[0] as T);
    }
  }
}

/** Busted: never processes the last object of a batch of several. */
export class ForgetfulPending<T> extends ReferencePending<T> {
  protected override processAll(objects: readonly T[]): void {
    super.processAll(objects.length > 1 ? objects.slice(0, -1) : objects);
  }
}

/** Busted: `barrier` waits for nothing. */
export class HastyBarrierPending<T> extends ReferencePending<T> {
  override barrier(): Promise<void> {
    return Promise.resolve();
  }
}

/** Busted: hands out an object that is pending, and keeps it. */
export class KeptDequeuePending<T> extends ReferencePending<T> {
  override dequeue(): T | undefined {
    const object = this.batches[0]?.objects[0];
    if (object !== undefined) {
      this.countOut(object);
    }
    return object;
  }
}

/** Busted: `dequeueExpired` hands out what is not over. */
export class HastyExpiredPending<T> extends ReferencePending<T> {
  override dequeueExpired(): T | undefined {
    return this.dequeue();
  }
}

/** Busted: `dequeueWhere` hands out what nobody claimed. */
export class CarelessClaimPending<T> extends ReferencePending<T> {
  override dequeueWhere(tryClaim: (object: T) => boolean): T | undefined {
    return super.dequeueWhere((object) => tryClaim(object) || true);
  }
}

/** Busted: takes objects after its exit. */
export class OpenPending<T> extends ReferencePending<T> {
  override exit(): Promise<void> {
    return this.barrier();
  }
}
