import { isThenable } from '@core/base';
import type { NodePool, RadixNode } from '@core/genradix';
import type { RcuPendingOptions } from '../types.js';
import type { Sequence } from './sequence.js';

/** Objects of the list that are handed to a bulk process together. */
const LIST_BATCH = 64;

/** Books that must be right at every instant, also while a `process` callback looks at them. */
export interface Books<T> {
  /** `object` leaves for `process`; called before. */
  leaving(object: T): void;
  leavingMany(objects: readonly T[], count: number): void;
}

/** Calls `process`, one by one or in bulk, and sees to it that its errors lose nothing. */
export class Processor<T> {
  processed = 0;
  errors = 0;
  /** The function that processes one object, or null when there is one for many. */
  readonly one: ((object: T) => unknown) | null;
  private readonly many: ((objects: readonly T[], count: number) => unknown) | null;
  private readonly onError: (error: unknown, object: T) => void;
  private readonly promises = new Set<Promise<void>>();
  private readonly nodes: NodePool;

  constructor(options: RcuPendingOptions<T>, nodes: NodePool, onError: (error: unknown, object: T) => void) {
    const { process } = options;
    if (typeof process === 'function') {
      this.one = process;
      this.many = null;
    } else if (typeof process?.bulk === 'function') {
      this.one = null;
      this.many = (objects, count) => process.bulk(objects, count);
    } else {
      throw new TypeError('Cannot create a pending: process must be a function or an object with a bulk() method');
    }
    this.onError = onError;
    this.nodes = nodes;
  }

  get inFlight(): number {
    return this.promises.size;
  }

  /** Resolves when every promise that `process` has returned so far has settled. */
  async settled(): Promise<void> {
    if (this.promises.size > 0) {
      await Promise.all(this.promises);
    }
  }

  /** Processes one object by itself. */
  processOne(object: T, books: Books<T>): void {
    books.leaving(object);
    if (this.one === null) {
      this.callMany([object], 1, null);
    } else {
      this.processed++;
      this.callOne(object, this.one);
    }
  }

  /**
   * Processes the next of a sequence: one object, or one node of them in bulk.
   *
   * @returns how many
   */
  processNext(sequence: Sequence<T>, books: Books<T>): number {
    if (this.one === null) {
      return sequence.vector.length > 0 ? this.processLeaf(sequence, books) : this.processListed(sequence, books);
    }
    const object = sequence.vector.shift() ?? sequence.unlink();
    if (object === undefined) {
      return 0;
    }
    books.leaving(object);
    this.processed++;
    this.callOne(object, this.one);
    return 1;
  }

  private processLeaf(sequence: Sequence<T>, books: Books<T>): number {
    const { vector } = sequence;
    const count = vector.firstLeafLength();
    const offset = vector.shiftOffset;
    const leaf = vector.shiftLeaf() as T[];
    if (offset > 0) {
      leaf.copyWithin(0, offset, offset + count);
    }
    books.leavingMany(leaf, count);
    this.callMany(leaf, count, leaf);
    return count;
  }

  private processListed(sequence: Sequence<T>, books: Books<T>): number {
    // A new array each time: the callback may come back here, and lists are the exception.
    const objects: T[] = [];
    while (objects.length < LIST_BATCH) {
      const object = sequence.unlink();
      if (object === undefined) {
        break;
      }
      books.leaving(object);
      objects.push(object);
    }
    if (objects.length > 0) {
      this.callMany(objects, objects.length, null);
    }
    return objects.length;
  }

  /** Calls the function that processes one object; the caller counts. */
  callOne(object: T, one: (object: T) => unknown): void {
    try {
      const result = one(object);
      if (result !== undefined && isThenable(result)) {
        this.track(result, object, null);
      }
    } catch (error) {
      this.failed(error, object);
    }
  }

  /** @param leaf goes back to the pool when nobody needs `objects` any more */
  private callMany(objects: readonly T[], count: number, leaf: RadixNode | null): void {
    this.processed += count;
    const first = objects[0] as T;
    try {
      const result = (this.many as (objects: readonly T[], count: number) => unknown)(objects, count);
      if (result !== undefined && isThenable(result)) {
        this.track(result, first, leaf);
        return;
      }
    } catch (error) {
      this.failed(error, first);
    }
    this.giveBack(leaf);
  }

  private giveBack(leaf: RadixNode | null): void {
    if (leaf !== null) {
      this.nodes.give(leaf);
    }
  }

  private failed(error: unknown, object: T): void {
    this.errors++;
    this.onError(error, object);
  }

  private track(result: PromiseLike<unknown>, object: T, leaf: RadixNode | null): void {
    const promise: Promise<void> = Promise.resolve(result).then(
      () => {
        this.promises.delete(promise);
        this.giveBack(leaf);
      },
      (error: unknown) => {
        this.promises.delete(promise);
        this.giveBack(leaf);
        this.failed(error, object);
      },
    );
    this.promises.add(promise);
  }
}
