import { BtreeKeyCache, type BtreeKeyCacheOptions, type BtreeKeyError } from '../../src/index.js';
import { TestJournal } from './test-journal.js';
import { TestStore } from './test-store.js';

export interface Made {
  readonly cache: BtreeKeyCache;
  readonly store: TestStore;
  readonly journal: TestJournal;
  readonly errors: BtreeKeyError[];
}

export type MakeOptions = Partial<BtreeKeyCacheOptions> & { store?: TestStore; journal?: TestJournal };

/** A cache on a store and a journal in memory. */
export async function makeCache(options: MakeOptions = {}): Promise<Made> {
  const store = options.store ?? new TestStore();
  const journal = options.journal ?? new TestJournal();
  const errors: BtreeKeyError[] = [];
  const cache = await BtreeKeyCache.open({ onError: (error) => void errors.push(error), ...options, store, journal });
  return { cache, store, journal, errors };
}

/** What survives a crash of the process and of the machine, opened again. */
export function reopen(made: Made, options: MakeOptions = {}): Promise<Made> {
  return makeCache({ ...options, store: made.store.crash(), journal: made.journal.crash() });
}

export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

export function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString('latin1');
}

/** An update that adds to a number written as text. */
export function add(amount: number): (value: Uint8Array | undefined) => Uint8Array {
  return (value) => bytes(String(Number(text(value) ?? 0) + amount));
}

export async function collect(entries: AsyncIterable<readonly [Uint8Array, Uint8Array]>): Promise<[string, string][]> {
  const all: [string, string][] = [];
  for await (const [key, value] of entries) {
    all.push([text(key) as string, text(value) as string]);
  }
  return all;
}

/** Lets macrotasks run that are due. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

export interface Gate {
  readonly promise: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  let open!: () => void;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** The insides, for twins that are broken on purpose. */
export function insides(cache: BtreeKeyCache): any {
  return (cache as any).engine;
}
