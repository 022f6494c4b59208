import { assert } from '@core/base';
import { type MemoryGroup, type Shrinker, ShrinkerRegistry, type Zone } from '@core/shrinker';
import type { ObjectCache, ObjectCacheOptions } from '../../src/index.js';
import { type Made, makeCache } from './make-cache.js';

/** What an entry without bytes of its own is charged. */
export const OVERHEAD = 96;

export interface MadeInGroup<K, V> extends Made<K, V> {
  readonly registry: ShrinkerRegistry;
  readonly group: MemoryGroup;
  readonly shrinker: Shrinker;
}

/** A registry whose errors fail the test. */
export function makeRegistry(): ShrinkerRegistry {
  return new ShrinkerRegistry({
    onError: (error) => {
      throw error;
    },
  });
}

/** Registers the cache's shrinker, and tells the group of it. */
export function register(registry: ShrinkerRegistry, cache: ObjectCache<any, any>): Shrinker {
  const shrinker = registry.alloc(cache.asShrinker());
  registry.register(shrinker);
  return cache.attach(shrinker);
}

/** A cache of a group with this `max`, in a registry of its own. */
export function makeInGroup<K = number, V = unknown>(
  max: number,
  options: Omit<ObjectCacheOptions<K, V>, 'group'> = {},
): MadeInGroup<K, V> {
  const registry = makeRegistry();
  const group = registry.root.child('tenant', { max });
  const made = makeCache<K, V>({ ...options, group });
  return { ...made, registry, group, shrinker: register(registry, made.cache) };
}

/** Throws unless the group was charged by these caches, and by nobody else. */
export function checkBooks(group: MemoryGroup, caches: readonly ObjectCache<any, any>[], zone: Zone = 'heap'): void {
  const charged = caches.reduce((sum, cache) => sum + cache.stats().chargedBytes, 0);
  const own = group.heir.stats().own[zone];
  assert(own === charged, () => `Group ${group.heir.path} was charged ${own} bytes, and its caches say ${charged}`);
  for (const cache of caches) {
    cache.checkInvariants();
  }
}

/** How often `charge` and `uncharge` of the group are called. */
export function countCharges(group: MemoryGroup): { charges: number; uncharges: number } {
  const calls = { charges: 0, uncharges: 0 };
  const { charge, uncharge } = group;
  group.charge = (bytes, zone) => {
    calls.charges++;
    charge.call(group, bytes, zone);
  };
  group.uncharge = (bytes, zone) => {
    calls.uncharges++;
    uncharge.call(group, bytes, zone);
  };
  return calls;
}
