import { ObjectCache } from '@cache/object';
import { TTLCache } from '@isaacs/ttlcache';
import { LRUCache } from 'lru-cache';
import { createLRU } from 'lru.min';
import QuickLRU from 'quick-lru';
import { nextTurn } from '../harness/event-loop.js';
import { HOUR_MS } from './peers.js';

/** Something that must not be used when it was disposed of: a handle, a pooled buffer. */
export class Resource {
  disposals = 0;

  dispose(): void {
    this.disposals++;
  }
}

/** A cache of resources that readers use across awaits. */
export interface ResourceCache {
  readonly name: string;
  readonly withResource: (key: number, section: (resource: Resource) => Promise<void>) => Promise<void>;
  /** Disposes of all that is left. */
  readonly close: () => Promise<void>;
}

interface Plain {
  readonly get: (key: number) => Resource | undefined;
  readonly set: (key: number, value: Resource) => unknown;
}

/** As caches without holds are used: take what is there or store a new one, and go on. */
function plain(name: string, cache: Plain, close: () => void, make: () => Resource): ResourceCache {
  return {
    name,
    async withResource(key, section) {
      let resource = cache.get(key);
      if (resource === undefined) {
        resource = make();
        cache.set(key, resource);
      }
      await section(resource);
    },
    close: () => Promise.resolve(close()),
  };
}

/** Makes each kind of cache, with a callback that disposes of what leaves. */
export const resourceCaches: Readonly<Record<string, (max: number, make: () => Resource) => ResourceCache>> = {
  'lru-cache': (max, make) => {
    const cache = new LRUCache<number, Resource>({ max, dispose: (resource) => resource.dispose() });
    return plain('lru-cache', cache, () => cache.clear(), make);
  },
  '@isaacs/ttlcache': (max, make) => {
    const cache = new TTLCache<number, Resource>({ max, ttl: HOUR_MS, dispose: (resource) => resource.dispose() });
    return plain('@isaacs/ttlcache', cache, () => cache.clear(), make);
  },
  'quick-lru': (maxSize, make) => {
    const cache = new QuickLRU<number, Resource>({ maxSize, onEviction: (_key, resource) => resource.dispose() });
    return plain('quick-lru', cache, () => cache.evict(Infinity), make);
  },
  'lru.min': (max, make) => {
    const cache = createLRU<number, Resource>({ max, onEviction: (_key, resource) => resource.dispose() });
    return plain('lru.min', cache, () => cache.clear(), make);
  },
  ObjectCache: (max, make) => {
    const cache = new ObjectCache<number, Resource>({ max, load: make, dispose: (resource) => resource.dispose() });
    return {
      name: 'ObjectCache',
      withResource: async (key, section) => {
        await cache.use(key, section);
      },
      close: () => cache.close(),
    };
  },
};

/**
 * Sections last for 1 to so many turns. If all lasted equally long, as many readers as there is room for would never use
 * a resource that is not among the last used ones, and an exact LRU would seem to be safe.
 */
const MOST_TURNS = 8;

export interface Uses {
  /** Sections that met a resource which had been disposed of. */
  readonly afterDispose: number;
  readonly made: number;
  /** Resources that were not disposed of exactly once, when all is over. */
  readonly notOnce: number;
}

/** Readers at work at the same time, each for several turns with one resource: key after key, as the numbers say. */
export async function useConcurrently(
  create: (max: number, make: () => Resource) => ResourceCache,
  max: number,
  keys: Int32Array,
  readers: number,
): Promise<Uses> {
  const made: Resource[] = [];
  const cache = create(max, () => {
    const resource = new Resource();
    made.push(resource);
    return resource;
  });
  let afterDispose = 0;
  let next = 0;
  async function reader(): Promise<void> {
    while (next < keys.length) {
      const at = next++;
      await cache.withResource(keys[at] as number, async (resource) => {
        for (let turns = at % MOST_TURNS; turns >= 0; turns--) {
          await nextTurn();
        }
        afterDispose += resource.disposals > 0 ? 1 : 0;
      });
    }
  }
  await Promise.all(Array.from({ length: readers }, reader));
  await cache.close();
  return { afterDispose, made: made.length, notOnce: made.filter(({ disposals }) => disposals !== 1).length };
}
