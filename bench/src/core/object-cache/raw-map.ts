import type { Competitor } from '../../harness/competitor.js';
import { nextTurn } from '../../harness/event-loop.js';
import { BLOCK, type CacheLoad, type CachedValue, sameDisposals, valueIndex } from './cache-load.js';

/**
 * The limit: a `Map`, and for what evicts a ring of its keys, first in, first out. Nothing that uses a `Map` can be
 * faster.
 */
export function rawMap(load: CacheLoad): Competitor {
  const { action, capacity, operations, keys, order, values } = load;
  // Sum of what was read and stored; of what was disposed of; how many that were.
  const sink = new Int32Array(3);
  // Where in the order, and how many runs there were.
  const position = new Int32Array(2);
  const onDispose = (value: CachedValue): void => {
    sink[1] = (sink[1] as number) + value.kind;
    sink[2] = (sink[2] as number) + 1;
  };
  const cache = new Map<string | number, CachedValue>();
  const ring: (string | number)[] = [];
  let hand = 0;
  for (let number = 0; number < capacity; number++) {
    const key = keys === null ? `key:${number}` : (keys[number] as string);
    cache.set(key, values[valueIndex(number, 0)] as CachedValue);
    ring.push(key);
  }

  /** Makes room for a key that is not there. */
  function evict(key: string | number): void {
    const oldest = ring[hand] as string | number;
    if (load.dispose) {
      onDispose(cache.get(oldest) as CachedValue);
    }
    cache.delete(oldest);
    ring[hand] = key;
    hand = hand + 1 === capacity ? 0 : hand + 1;
  }

  function getBlock(from: number): void {
    let sum = 0;
    for (let at = from; at < from + BLOCK; at++) {
      const number = order[at] as number;
      const key = keys === null ? `key:${number}` : (keys[number] as string);
      const value = cache.get(key);
      sum += value === undefined ? 1 : value.kind;
    }
    sink[0] = (sink[0] as number) + sum;
  }

  function updateBlock(from: number, version: number): void {
    let sum = 0;
    for (let at = from; at < from + BLOCK; at++) {
      const number = order[at] as number;
      const key = keys === null ? `key:${number}` : (keys[number] as string);
      const value = values[valueIndex(number, at + version)] as CachedValue;
      if (load.dispose) {
        const before = cache.get(key) as CachedValue;
        if (before !== value) {
          onDispose(before);
        }
      }
      cache.set(key, value);
      sum += value.kind;
    }
    sink[0] = (sink[0] as number) + sum;
  }

  function evictBlock(from: number, version: number): void {
    let sum = 0;
    for (let at = from; at < from + BLOCK; at++) {
      const number = order[at] as number;
      const key = keys === null ? `key:${number}` : (keys[number] as string);
      const value = values[valueIndex(number, at + version)] as CachedValue;
      evict(key);
      cache.set(key, value);
      sum += value.kind;
    }
    sink[0] = (sink[0] as number) + sum;
  }

  function mixedBlock(from: number, version: number): void {
    let sum = 0;
    for (let at = from; at < from + BLOCK; at++) {
      const number = order[at] as number;
      const key = keys === null ? `key:${number}` : (keys[number] as string);
      let value = at % 10 === 0 ? undefined : cache.get(key);
      if (value === undefined) {
        value = values[valueIndex(number, at + version)] as CachedValue;
        if (!cache.has(key)) {
          evict(key);
        }
        cache.set(key, value);
      }
      sum += value.kind;
    }
    sink[0] = (sink[0] as number) + sum;
  }

  const block = {
    mixed: mixedBlock,
    'set update': updateBlock,
    'set evict': evictBlock,
    'get hit': getBlock,
    'get miss': getBlock,
  }[action];
  return {
    name: 'Map',
    operations,
    async run() {
      sink.fill(0);
      const version = (position[1] as number) + 1;
      let at = position[0] as number;
      for (let done = 0; done < operations; done += BLOCK) {
        block(at, version);
        at = (at + BLOCK) % order.length;
        if (load.dispose) {
          await nextTurn();
        }
      }
      position[0] = at;
      position[1] = version;
    },
    hash: () => (sink[0] as number) + (sameDisposals(action) ? (sink[1] as number) : 0),
    facts: () => ({ disposed: sink[2] as number }),
  };
}
