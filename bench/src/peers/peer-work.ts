import { assert } from '@core/base';
import { BLOCK, type CacheLoad, type CachedValue, valueIndex } from '../core/object-cache/cache-load.js';
import type { Competitor } from '../harness/competitor.js';
import type { PeerCache } from './peers.js';

/**
 * A cache that is given a load, without `dispose`.
 *
 * Written once and loaded once for each peer, by addresses that differ: each module has functions of its own, and what
 * the JIT learns of one says nothing to another. Within a module there must be one cache only.
 */
export function peerWork(name: string, cache: PeerCache<CachedValue>, load: CacheLoad): Competitor {
  const { action, capacity, operations, order, values } = load;
  const keys = load.keys as readonly (string | number)[];
  // Sum of what was read and stored.
  const sink = new Int32Array(1);
  // Where in the order, and how many runs there were.
  const position = new Int32Array(2);
  for (let number = 0; number < capacity; number++) {
    cache.set(keys[number] as string, values[valueIndex(number, 0)] as CachedValue);
  }

  function getBlock(from: number): void {
    let sum = 0;
    for (let at = from; at < from + BLOCK; at++) {
      const value = cache.get(keys[order[at] as number] as string);
      sum += value === undefined ? 1 : value.kind;
    }
    sink[0] = (sink[0] as number) + sum;
  }

  function setBlock(from: number, version: number): void {
    let sum = 0;
    for (let at = from; at < from + BLOCK; at++) {
      const number = order[at] as number;
      const value = values[valueIndex(number, at + version)] as CachedValue;
      cache.set(keys[number] as string, value);
      sum += value.kind;
    }
    sink[0] = (sink[0] as number) + sum;
  }

  function mixedBlock(from: number, version: number): void {
    let sum = 0;
    for (let at = from; at < from + BLOCK; at++) {
      const number = order[at] as number;
      const key = keys[number] as string;
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
    name,
    operations,
    run() {
      sink.fill(0);
      const version = (position[1] as number) + 1;
      let at = position[0] as number;
      for (let done = 0; done < operations; done += BLOCK) {
        block(at, version);
        at = (at + BLOCK) % order.length;
      }
      position[0] = at;
      position[1] = version;
    },
    hash() {
      assert(cache.size <= capacity, `Cannot race "${name}": it has ${cache.size} entries and room for ${capacity}`);
      return sink[0] as number;
    },
  };
}
