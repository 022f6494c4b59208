import { LRUCache } from 'lru-cache';
import type { Competitor } from '../../harness/competitor.js';
import { nextTurn } from '../../harness/event-loop.js';
import { BLOCK, type CacheLoad, type CachedValue, sameDisposals, valueIndex } from './cache-load.js';

/** `lru-cache`, with the features that `ObjectCache` has on. */
export function lruCache(load: CacheLoad): Competitor {
  const { action, capacity, operations, keys, order, values } = load;
  // Sum of what was read and stored; of what was disposed of; how many that were.
  const sink = new Int32Array(3);
  // Where in the order, and how many runs there were.
  const position = new Int32Array(2);
  const onDispose = (value: CachedValue): void => {
    sink[1] = (sink[1] as number) + value.kind;
    sink[2] = (sink[2] as number) + 1;
  };
  const cache = new LRUCache<string | number, CachedValue>(
    load.dispose ? { max: capacity, dispose: onDispose } : { max: capacity },
  );
  for (let number = 0; number < capacity; number++) {
    cache.set(keys === null ? `key:${number}` : (keys[number] as string), values[valueIndex(number, 0)]);
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

  function setBlock(from: number, version: number): void {
    let sum = 0;
    for (let at = from; at < from + BLOCK; at++) {
      const number = order[at] as number;
      const key = keys === null ? `key:${number}` : (keys[number] as string);
      const value = values[valueIndex(number, at + version)] as CachedValue;
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
        cache.set(key, value);
      }
      sum += value.kind;
    }
    sink[0] = (sink[0] as number) + sum;
  }

  const block = action === 'mixed' ? mixedBlock : action.startsWith('set') ? setBlock : getBlock;
  return {
    name: 'lru-cache',
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
