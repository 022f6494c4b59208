import { join } from 'node:path';

import { BtreeKeyCache } from '@cache/btree-key';
import type { Durability } from '@core/journal';
import { type OrderedStore, openLmdb } from '@core/ordered-store';

/** Where a child is killed, if it does it itself: before a batch of the store, or as soon as the store has it. */
export type Death = 'before' | 'after';

/** What the parent tells a child. */
export interface KeyCacheChildSettings {
  readonly directory: string;
  readonly durability: Durability;
  readonly maxBytes: number;
  readonly maxJournalRecords: number;
  readonly segmentBytes: number;
  readonly seed: number;
  /** The child kills itself at that batch of its store, the replay's included; 0: it waits for its parent to do it. */
  readonly dieAtBatch: number;
  readonly death: Death;
  /** Says that an update is acknowledged before it is. */
  readonly busted: boolean;
}

/** Keys that are only ever increased, one by one, by anybody. */
export const COUNTERS = 400;
/** Pairs of keys that are only ever increased together. */
export const PAIRS = 60;
/** Keys that each have one writer, which puts and deletes them in turn. */
export const VERSIONS = 40;

/** Opens a cache on the lmdb and the journal in a directory, as every process of the torture does. */
export function openKeyCache(
  settings: Pick<KeyCacheChildSettings, 'directory' | 'durability' | 'maxBytes' | 'maxJournalRecords' | 'segmentBytes'>,
  around: (store: OrderedStore) => OrderedStore = (store) => store,
): Promise<BtreeKeyCache> {
  const { directory, durability, maxBytes, maxJournalRecords, segmentBytes } = settings;
  return BtreeKeyCache.open({
    store: async () => around(await openLmdb({ path: join(directory, 'store') })),
    journal: { directory: join(directory, 'journal'), durability, segmentBytes, intervalMs: 5 },
    maxBytes,
    maxJournalRecords,
  });
}

/** A number as a value, of a length that depends on it. */
export function encode(count: number): Uint8Array {
  return Buffer.from(`${count}`.padEnd((count * 7) % 90, ' '), 'latin1');
}

/** 0 for a value that is not there; NaN for one that is none. */
export function decode(value: Uint8Array | undefined): number {
  if (value === undefined) {
    return 0;
  }
  const count = Number(Buffer.from(value).toString('latin1'));
  return Buffer.from(encode(count)).equals(value) ? count : Number.NaN;
}
