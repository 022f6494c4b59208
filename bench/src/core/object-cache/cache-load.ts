import { unreachable } from '@core/base';
import { uniform, zipf } from '../../harness/workload.js';

export type Action = 'get hit' | 'get miss' | 'set update' | 'set evict' | 'mixed';
export type KeyKind = 'integer' | 'string' | 'fresh string';

/** Operations between two turns of the event loop, where there are any. */
export const BLOCK = 1_000;

/** Values that are stored: as many for each of 64 kinds, and a key's kind is always the same. */
const VALUES = 4_096;
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
    keys: keysOf(kind, capacity * 2),
    order: orderOf(action, capacity, operations),
    values: Array.from({ length: VALUES }, (_, index) => new CachedValue(1 + (index >> KIND_BITS))),
  };
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
      // Always one that left long ago, or was never there.
      return new Int32Array(capacity * 2).map((_, operation) => (capacity + operation) % (capacity * 2));
    case 'mixed':
      return zipf(operations, capacity * 2);
    default:
      return unreachable(action);
  }
}
