import type { OrderedStore, StoreEntry, StoreOperation, StoreRange } from '../../ordered-store.js';

/** Where a store is kept. */
export interface StorePlace {
  /** Opens the store that is here: empty at first, later with what it had when it was closed. */
  open(): OrderedStore | Promise<OrderedStore>;
  /** Called when the test has ended. A store may still be open if it failed. */
  remove?(): void | Promise<void>;
}

export interface StoreSupports {
  /** What was closed is there when it is opened again. */
  readonly reopen: boolean;
  /** As `caps.snapshots`. */
  readonly snapshots: boolean;
  /** As `caps.durable`. */
  readonly durable: boolean;
}

export interface StoreCase {
  readonly name: string;
  /** Left out where this is not supported. */
  readonly needs?: keyof StoreSupports;
  run(place: StorePlace, supports: StoreSupports): Promise<void>;
}

/** A case with one store, which is closed after it. */
export function onStore(
  name: string,
  run: (store: OrderedStore) => Promise<void>,
  needs?: keyof StoreSupports,
): StoreCase {
  return {
    name,
    ...(needs === undefined ? {} : { needs }),
    async run(place) {
      const store = await place.open();
      await run(store);
      await store.close();
    },
  };
}

export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function put(key: Uint8Array, value: Uint8Array): StoreOperation {
  return { type: 'put', key, value };
}

export function del(key: Uint8Array): StoreOperation {
  return { type: 'del', key };
}

export async function entriesOf(store: OrderedStore, range: StoreRange = {}): Promise<StoreEntry[]> {
  const entries: StoreEntry[] = [];
  for await (const entry of store.range(range)) {
    entries.push(entry);
  }
  return entries;
}

/** Keys of 32 bits, in the order of the numbers. */
export function keyOf(index: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, index);
  return key;
}
