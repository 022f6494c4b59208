import { LRUCache } from 'lru-cache';
import type { Contender, ContenderOptions, StormCache } from './contender.js';
import type { Kind } from './kinds.js';

type Value = object | string;
type Values = LRUCache<string, Value>;
type Limits = LRUCache.Options<string, Value, unknown>;

const MIB = 2 ** 20;

/** A number of entries that looks harmless for any one of the caches. */
const MAX_ENTRIES = 50_000;

/** What somebody found by trial for a heap of 256 MB: 150 MB of it, and 75 MB outside of it. MB by cache. */
const TUNED_HEAP_MB = 256;
const TUNED_MB: Readonly<Record<string, number>> = { small: 25, strings: 75, arrays: 50, buffers: 50, handles: 25 };

/** Five caches that count entries, and know nothing of bytes or of each other. */
export function withLruByEntries({ kinds }: ContenderOptions): Contender {
  return fiveCaches(kinds, () => ({ max: MAX_ENTRIES }));
}

/** Five caches that count bytes, each with a share that was tuned by hand for this load and this heap. */
export function withLruBySize({ kinds, heapBytes }: ContenderOptions): Contender {
  const scale = (heapBytes / (TUNED_HEAP_MB * MIB)) * MIB;
  return fiveCaches(kinds, (kind) => ({
    maxSize: Math.floor((TUNED_MB[kind.name] as number) * scale),
    sizeCalculation: (value) => kind.sizeOf(value),
  }));
}

function fiveCaches(kinds: readonly Kind[], limitsOf: (kind: Kind) => Limits): Contender {
  const caches: Values[] = [];
  const stormCaches = kinds.map((kind): StormCache => {
    let evictions = 0;
    const cache: Values = new LRUCache({
      ...limitsOf(kind),
      dispose: (value, _, reason) => {
        evictions += reason === 'evict' ? 1 : 0;
        kind.dispose?.(value);
      },
    });
    caches.push(cache);
    return {
      getOrCreate: (key, make) => {
        let value: unknown = cache.get(key);
        if (value === undefined) {
          value = make();
          cache.set(key, value as Value);
        }
        return value;
      },
      state: () => ({ name: kind.name, entries: cache.size, bytes: cache.calculatedSize || null, evictions }),
    };
  });
  return {
    caches: stormCaches,
    memory: () => null,
    close: async () => {
      for (const cache of caches) {
        cache.clear();
      }
    },
  };
}
