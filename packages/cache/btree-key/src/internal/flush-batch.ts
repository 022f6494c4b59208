import { ByteArena } from '@core/base';
import type { StoreOperation } from '@core/ordered-store';
import type { CachedKey } from './cached-key.js';
import type { KeySpace } from './key-space.js';
import { writeLatin } from './write-latin.js';

/** Memory of a batch up to so large is used again. */
const KEPT_BYTES = 8 * 2 ** 20;
const NO_BYTES = new Uint8Array(0);

/** A key as it was when the flush looked at it. What happens to it afterwards is for the next flush. */
class Taken {
  key: CachedKey;
  sequence = 0;
  storeKey = '';
  readonly operation: { type: 'put' | 'del'; key: Uint8Array; value: Uint8Array } = {
    type: 'put',
    key: NO_BYTES,
    value: NO_BYTES,
  };

  constructor(key: CachedKey) {
    this.key = key;
  }
}

/**
 * Dirty keys with copies of their values, to be written to the store in one batch. Objects and memory are used again and
 * again: what lives as long as a batch would survive the collector's scavenges, and be copied in each.
 */
export class FlushBatch {
  readonly taken: Taken[] = [];
  private readonly made: Taken[] = [];
  private readonly arena = new ByteArena(KEPT_BYTES);

  clear(): void {
    this.taken.length = 0;
    this.arena.clear();
  }

  add(key: CachedKey): void {
    const taken = (this.made[this.taken.length] ??= new Taken(key));
    this.taken.push(taken);
    const { operation } = taken;
    taken.key = key;
    taken.sequence = key.sequence;
    taken.storeKey = (key.space as KeySpace).prefix + key.key;
    operation.type = key.length < 0 ? 'del' : 'put';
    operation.key = this.arena.take(taken.storeKey.length);
    writeLatin(operation.key, taken.storeKey, 0);
    operation.value = NO_BYTES;
    if (key.length >= 0) {
      operation.value = this.arena.take(key.length);
      key.copyTo(operation.value, 0);
    }
  }

  /** Leaves out what the journal will never have. @returns how many */
  dropAfter(sequence: number): number {
    const kept = this.taken.filter((taken) => taken.sequence <= sequence);
    const dropped = this.taken.length - kept.length;
    this.taken.length = 0;
    this.taken.push(...kept);
    return dropped;
  }

  /** In the order of the store. Good until `clear`. */
  operations(): readonly StoreOperation[] {
    this.taken.sort((a, b) => (a.storeKey < b.storeKey ? -1 : 1));
    return this.taken.map(({ operation }) => operation);
  }
}
