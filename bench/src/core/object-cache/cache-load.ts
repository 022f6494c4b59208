import { unreachable } from '@core/base';
import { uniform, zipf } from '../../harness/workload.js';

export type Action = 'get hit' | 'get miss' | 'set update' | 'set evict' | 'mixed';
export type KeyKind = 'integer' | 'string' | 'fresh string';

/** Operations between two turns of the event loop, where there are any. */
export const BLOCK = 1_000;

/** Values that are stored: as many for each of 64 kinds, and a key's kind is always the same. */
const VALUES = 4_096;
/** For evictions: so many keys for each entry, but not more than so many if eight for each are enough. */
const KEYS_PER_ENTRY = 400;
const ENOUGH_KEYS = 4_000_000;
const KIND_BITS = 6;
const KINDS = 1 << KIND_BITS;

export class CachedValue {
  readonly kind: number;

  constructor(kind: number) {
    this.kind = kind;
  }
}

/** What all competitors are given: the same keys in the same order. */
export interface CacheLoad {
  readonly action: Action;
  readonly capacity: number;
  readonly operations: number;
  /** With a dispose callback, and turns of the event loop in which deferred ones can run. */
  readonly dispose: boolean;
  /** By number; null when each operation builds its own, `key:<number>`. */
  readonly keys: readonly (string | number)[] | null;
  /** Numbers of keys, in the order of operations, round and round; those below `capacity` are there from the start. */
  readonly order: Int32Array;
  readonly values: readonly CachedValue[];
}

/**
 * The value to store for a key: of the key's kind, so that it does not matter for the sum of what is read whether it
 * was found or stored again; and nearly always another one than before, so that no store can be left out.
 */
export function valueIndex(number: number, version: number): number {
  return ((number % KINDS) << KIND_BITS) | (version % KINDS);
}

export function cacheLoad(
  action: Action,
  kind: KeyKind,
  capacity: number,
  operations: number,
  dispose: boolean,
): CacheLoad {
  return {
    action,
    capacity,
    operations,
    dispose,
    keys: keysOf(kind, action === 'set evict' ? evictingKeys(capacity) : capacity * 2),
    order: orderOf(action, capacity, operations),
    values: Array.from({ length: VALUES }, (_, index) => new CachedValue(1 + (index >> KIND_BITS))),
  };
}

/**
 * Keys come round again in the end, and a policy that resists loops keeps some entries until then, whose stores evict
 * nothing: at most one in 40 up to 100,000 entries, and none at 1,000,000, where a case ends before.
 */
function evictingKeys(capacity: number): number {
  return Math.max(8 * capacity, Math.min(KEYS_PER_ENTRY * capacity, ENOUGH_KEYS));
}

/** Whether all competitors must dispose of the same values: who is evicted is up to each. */
export function sameDisposals(action: Action): boolean {
  return action === 'set update';
}

function keysOf(kind: KeyKind, count: number): readonly (string | number)[] | null {
  switch (kind) {
    case 'integer':
      return Array.from({ length: count }, (_, number) => number);
    case 'string':
      return Array.from({ length: count }, (_, number) => `key:${number}`);
    case 'fresh string':
      return null;
    default:
      return unreachable(kind);
  }
}

function orderOf(action: Action, capacity: number, operations: number): Int32Array {
  switch (action) {
    case 'get hit':
    case 'set update':
      return uniform(operations, capacity);
    case 'get miss':
      return uniform(operations, capacity).map((number) => number + capacity);
    case 'set evict':
      // Nearly always one that left long ago, or was never there.
      return new Int32Array(evictingKeys(capacity)).map((_, at) => (capacity + at) % evictingKeys(capacity));
    case 'mixed':
      return zipf(operations, capacity * 2);
    default:
      return unreachable(action);
  }
}
