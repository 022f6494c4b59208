import { type ObjectCache, objectCache } from '@cache/object';
import { createHost, type Plugin } from '@core/framework';
import { formatReport } from '@core/pressure';
import type { Contender, ContenderOptions, StormCache } from './contender.js';
import type { Kind } from './kinds.js';

/** The resident set may be so many times the heap: as in a container of that size. */
const RSS_PER_HEAP = 2;

/** Five caches in one host. None has a size of its own: the host keeps them all within its memory. */
export async function withReclaim({ kinds, heapBytes, onShort }: ContenderOptions): Promise<Contender> {
  const plugins = kinds.map(pluginOf);
  const host = await createHost({ memory: { rssLimitBytes: RSS_PER_HEAP * heapBytes }, plugins });
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
