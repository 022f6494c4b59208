import { assert } from '@core/base';
import type { RcuHead } from '../../src/index.js';
import type { Domain, Reader } from './domains.js';

export class Item implements RcuHead {
  rcuNext: RcuHead | null = null;
  readonly id: number;
  readonly bytes: number;

  constructor(id: number, bytes: number) {
    this.id = id;
    this.bytes = bytes;
  }
}

/** One stay of an item. */
export interface Stay {
  readonly item: Item;
  /** Whoever may know the item still. */
  readonly behind: readonly Reader[];
  left: boolean;
  /** Left, and what `process` returned for it has settled. */
  done: boolean;
}

/** An `enqueue` that has not returned. */
interface Entering {
  readonly item: Item;
  readonly behind: readonly Reader[];
  readonly maySleep: boolean;
  entered: boolean;
}

/** What a pending should hold: a plain map. Every way out of it is checked. */
export class PendingModel {
  readonly waiting = new Map<Item, Stay>();
  bytes = 0;
  private readonly domain: Domain;
  private readonly weighs: boolean;
  private readonly entering: Entering[] = [];
  private failure: { readonly error: unknown } | null = null;

  constructor(domain: Domain, weighs: boolean) {
    this.domain = domain;
    this.weighs = weighs;
    domain.onSyncCall(() => this.enterLast());
  }

  get count(): number {
    return this.waiting.size;
  }

  /** Runs `enqueue`, in the course of which the item begins to wait, or is processed at once. */
  enter(item: Item, maySleep: boolean, enqueue: () => void): void {
    assert(!this.waiting.has(item), 'The test enqueues what is waiting');
    const frame: Entering = { item, behind: [...this.domain.readers()], maySleep, entered: false };
    this.entering.push(frame);
    try {
      enqueue();
      if (!frame.entered) {
        this.begin(frame);
      }
    } finally {
      this.entering.pop();
    }
  }

  /** Items go to `process`. */
  processed(items: readonly Item[]): Stay[] {
    return items.map((item) => {
      const frame = this.entering.at(-1);
      if (frame !== undefined && frame.item === item && !frame.entered) {
        assert(frame.maySleep, 'An object was processed on the stack of an enqueue that may not sleep');
        this.begin(frame);
      }
      return this.leave(item, true);
    });
  }

  /** An item was handed out. */
  taken(item: Item | undefined, expired: boolean): void {
    if (item !== undefined) {
      this.leave(item, expired).done = true;
      assert(item.rcuNext === null, 'An object was handed out with its link');
    }
  }

  check(found: { readonly count: number; readonly bytes: number }): void {
    if (this.failure !== null) {
      throw this.failure.error;
    }
    assert(found.count === this.count, () => `Counts ${found.count} objects where ${this.count} wait`);
    assert(found.bytes === this.bytes, () => `Counts ${found.bytes} bytes where ${this.bytes} wait`);
  }

  /** What is thrown where the pending would catch it is thrown by the next check. */
  guard<R>(run: () => R): R | undefined {
    try {
      return run();
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  fail(error: unknown): void {
    this.failure ??= { error };
  }

  private enterLast(): void {
    const frame = this.entering.at(-1);
    if (frame !== undefined && !frame.entered) {
      this.begin(frame);
    }
  }

  private begin(frame: Entering): void {
    frame.entered = true;
    this.waiting.set(frame.item, { item: frame.item, behind: frame.behind, left: false, done: false });
    this.bytes += this.weighs ? frame.item.bytes : 0;
  }

  private leave(item: Item, expired: boolean): Stay {
    const stay = this.waiting.get(item);
    assert(stay !== undefined, () => `Object ${item.id} left and was not waiting`);
    this.waiting.delete(item);
    this.bytes -= this.weighs ? item.bytes : 0;
    stay.left = true;
    if (expired) {
      assert(
        stay.behind.every((reader) => reader.ended),
        () => `Object ${item.id} left before a reader had ended that was open when it came`,
      );
    }
    return stay;
  }
}
