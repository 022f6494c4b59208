import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  MemoryDisk,
  MemoryStore,
  type OrderedStore,
  type StoreBatchOptions,
  type StoreEntry,
  type StoreOperation,
  type StoreRange,
  storeSuite,
} from '../src/index.js';

/** A right store, for what is broken to be made of. */
class Through implements OrderedStore {
  readonly inner: MemoryStore;

  constructor(disk: MemoryDisk) {
    this.inner = new MemoryStore({ disk });
  }

  get caps() {
    return this.inner.caps;
  }

  get(key: Uint8Array) {
    return this.inner.get(key);
  }

  getMany(keys: readonly Uint8Array[]) {
    return this.inner.getMany(keys);
  }

  range(range: StoreRange): AsyncIterableIterator<StoreEntry> {
    return this.inner.range(range);
  }

  batch(operations: readonly StoreOperation[], options?: StoreBatchOptions): Promise<void> {
    return this.inner.batch(operations, options);
  }

  mark() {
    return this.inner.mark();
  }

  close() {
    return this.inner.close();
  }
}

class TornBatch extends Through {
  override async batch(operations: readonly StoreOperation[], options?: StoreBatchOptions): Promise<void> {
    if (Array.isArray(operations)) {
      for (const operation of operations as readonly StoreOperation[]) {
        await this.inner.batch([operation]);
      }
    }
    await this.inner.batch(operations.slice(operations.length), options);
  }
}

/** All of one transaction, but not of one moment: half of it, a turn, the other half. */
class BatchInTwo extends Through {
  override async batch(operations: readonly StoreOperation[], options?: StoreBatchOptions): Promise<void> {
    if (Array.isArray(operations) && operations.length > 20) {
      await this.inner.batch(operations.slice(0, 20));
      await setImmediate();
    }
    await this.inner.batch(operations, options);
  }
}

class MarkAfterwards extends Through {
  override async batch(operations: readonly StoreOperation[], options: StoreBatchOptions = {}): Promise<void> {
    const { mark, ...rest } = options;
    await this.inner.batch(operations, rest);
    if (mark !== undefined) {
      await setImmediate();
      await this.inner.batch([], { mark });
    }
  }
}

class MarkBefore extends Through {
  override async batch(operations: readonly StoreOperation[], options: StoreBatchOptions = {}): Promise<void> {
    const { mark, ...rest } = options;
    if (mark !== undefined) {
      await this.inner.batch([], { mark });
      await setImmediate();
    }
    await this.inner.batch(operations, rest);
  }
}

/** Looks for the next key each time, in what is there by then. */
class NoSnapshot extends Through {
  override async *range(range: StoreRange): AsyncGenerator<StoreEntry, void, undefined> {
    let rest = range;
    for (;;) {
      const next = this.inner.range({ ...rest, limit: Math.min(1, rest.limit ?? 1) });
      const { done, value } = await next.next();
      if (done === true) {
        return;
      }
      yield value;
      const left = rest.limit === undefined ? {} : { limit: rest.limit - 1 };
      rest = { ...rest, ...left, ...(rest.reverse === true ? { lt: value[0] } : { gt: value[0] }) };
    }
  }
}

class EarlySnapshot extends Through {
  override range(range: StoreRange): AsyncIterableIterator<StoreEntry> {
    const early = this.inner.range(range);
    const first = early.next();
    let taken = false;
    const later = {
      next: () => {
        const answer = taken ? early.next() : first;
        taken = true;
        return answer;
      },
      return: () => early.return!(),
      throw: (error: unknown) => early.throw!(error),
      [Symbol.asyncIterator]: () => later,
    };
    return later;
  }
}

class InclusiveBounds extends Through {
  override range({ gt, lt, ...rest }: StoreRange): AsyncIterableIterator<StoreEntry> {
    return this.inner.range({ ...rest, ...(gt && { gte: gt }), ...(lt && { lte: lt }) });
  }
}

class LatinOrder extends Through {
  override async *range(range: StoreRange): AsyncGenerator<StoreEntry, void, undefined> {
    const entries: StoreEntry[] = [];
    for await (const entry of this.inner.range(range)) {
      entries.push(entry);
    }
    // As if bytes were signed.
    const last = entries.filter(([key]) => key[0]! < 128);
    yield* [...entries.filter(([key]) => key[0]! >= 128), ...last];
  }
}

class Aliased extends Through {
  readonly values = new Map<string, Uint8Array>();
  override async batch(operations: readonly StoreOperation[], options?: StoreBatchOptions): Promise<void> {
    await setImmediate();
    await this.inner.batch(operations, options);
  }
}

class SharedResults extends Through {
  readonly shared = new Uint8Array(2 ** 21);
  override async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.inner.get(key);
    if (value === undefined) {
      return undefined;
    }
    this.shared.set(value);
    return this.shared.subarray(0, value.length);
  }
}

class CloseNow extends Through {
  readonly pending = new Set<Promise<void>>();
  override async batch(operations: readonly StoreOperation[], options?: StoreBatchOptions): Promise<void> {
    await this.inner.get(Uint8Array.of(1));
    await setImmediate();
    await this.inner.batch(operations, options);
  }
}

class ForgetsMark extends Through {
  override async batch(operations: readonly StoreOperation[], options?: StoreBatchOptions): Promise<void> {
    await this.inner.batch(operations, { mark: 0, ...options });
  }
}

class Unordered extends Through {
  #turn = 0;
  override async batch(operations: readonly StoreOperation[], options?: StoreBatchOptions): Promise<void> {
    if (this.#turn++ % 7 === 3) {
      const copies = operations.map((operation) => structuredClone(operation));
      await setImmediate();
      return this.inner.batch(copies, options);
    }
    return this.inner.batch(operations, options);
  }
}

/** Names of the tests that a store fails. */
async function failuresOf(Store: new (disk: MemoryDisk) => OrderedStore): Promise<string[]> {
  const tests: { name: string; run: () => Promise<void> }[] = [];
  storeSuite({
    test: (name, run) => tests.push({ name, run }),
    factory: () => {
      const disk = new MemoryDisk();
      return { open: () => new Store(disk) };
    },
    supports: { reopen: true, snapshots: true, durable: true },
    seeds: [1],
  });
  const failures: string[] = [];
  for (const { name, run } of tests) {
    await run().catch(() => failures.push(name));
  }
  return failures;
}

test('a store that is right passes', async () => {
  expect(await failuresOf(Through)).toEqual([]);
});

test.each([
  [TornBatch, 'stores nothing of a batch that fails'],
  [BatchInTwo, 'shows a batch as a whole or not at all'],
  [MarkAfterwards, 'stores the mark together with its batch'],
  [MarkBefore, 'stores the mark together with its batch'],
  [NoSnapshot, 'ranges over one snapshot, whatever is written meanwhile'],
  [NoSnapshot, 'has several snapshots at once'],
  [EarlySnapshot, 'takes the snapshot at the first next()'],
  [InclusiveBounds, 'ranges by every combination of bounds'],
  [LatinOrder, 'ranges by every combination of bounds'],
  [Aliased, 'does not look at bytes again that it was handed'],
  [SharedResults, 'hands out bytes that nobody else has'],
  [CloseNow, 'waits for what was begun when it closes, and has it when it is opened again'],
  [ForgetsMark, 'keeps the mark until another is stored'],
  [Unordered, 'stores batches in the order of the calls'],
])('%o fails: %s', async (Store, name) => {
  expect(await failuresOf(Store)).toContain(name);
});
