import { getHeapStatistics } from 'node:v8';
import { type ObjectCache, objectCache } from '@cache/object';
import { createHost, type Plugin } from '@core/framework';
import { formatReport } from '@core/pressure';
import type { Contender, ContenderOptions, StormCache } from './contender.js';
import type { Kind } from './kinds.js';

/**
 * The resident set may be all of what V8 may take, old and young objects, and so much more: as in a container of that
 * size. With a heap of 256 MB that is 512 MB in Node 20 and 22; in Node 24 and 26 young objects may take more.
 */
const BESIDE_HEAP_BYTES = 208 * 2 ** 20;

/** Five caches in one host. None has a size of its own: the host keeps them all within its memory. */
export async function withReclaim({ kinds, onShort }: ContenderOptions): Promise<Contender> {
  const plugins = kinds.map(pluginOf);
  const rssLimitBytes = getHeapStatistics().heap_size_limit + BESIDE_HEAP_BYTES;
  const host = await createHost({ memory: { rssLimitBytes }, plugins });
  host.events.on('memoryShort', (report) => onShort(formatReport(report)));
  return {
    caches: plugins.map((plugin) => stormCacheOf(host.get(plugin))),
    memory: () => {
      const { monitor, reclaim } = host.stats().memory;
      return monitor === null || reclaim === null ? null : { ...reclaim, budgets: monitor.budgets };
    },
    close: () => host.close(),
  };
}

function pluginOf(kind: Kind): Plugin<ObjectCache<string, unknown>> {
  const { name, zone, dispose } = kind;
  return objectCache<string>({
    name,
    zone,
    // Outside of the heap bytes are known exactly. What is on it the cache estimates.
    ...(zone === 'external' ? { sizeOf: (value) => kind.sizeOf(value) } : {}),
    ...(dispose === undefined ? {} : { dispose }),
  });
}

function stormCacheOf(cache: ObjectCache<string, unknown>): StormCache {
  return {
    getOrCreate: (key, make) => cache.getOrCreate(key, make),
    state: () => {
      const { name, size, bytes, evictions } = cache.stats();
      return { name, entries: size, bytes, evictions };
    },
  };
}
