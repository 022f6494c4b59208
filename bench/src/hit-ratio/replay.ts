import { type EvictionPolicyName, ObjectCache } from '@cache/object';
import { LRUCache } from 'lru-cache';
import type { KeyStream } from './key-stream.js';

/** Replays the requests on a cache of `max` entries, where a miss is a set. @returns the share of hits, 0 to 1 */
export function replay({ keys }: KeyStream, max: number, policy: EvictionPolicyName): number {
  const cache = new ObjectCache<number, number>({ max, policy });
  for (const key of keys) {
    if (cache.get(key) === undefined) {
      cache.set(key, key);
    }
  }
  return cache.stats().hits / keys.length;
}

/** The same with lru-cache. */
export function replayLru({ keys }: KeyStream, max: number): number {
  const cache = new LRUCache<number, number>({ max });
  let hits = 0;
  for (const key of keys) {
    if (cache.get(key) === undefined) {
      cache.set(key, key);
    } else {
      hits++;
    }
  }
  return hits / keys.length;
}
