import type { FileHandle } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import type { HandleLedger } from './files.js';
import { hammer, type LoadOptions, type LoadResult } from './load.js';

/** As one would write it with lru-cache: `dispose` closes the handle, at once, whoever is reading from it. */
export async function withLruCache(ledger: HandleLedger, max: number, load: LoadOptions): Promise<LoadResult> {
  const cache = new LRUCache<string, FileHandle>({
    max,
    fetchMethod: (path) => ledger.openFile(path),
    dispose: (handle) => void ledger.closeFile(handle),
  });
  const result = await hammer(async (path, section) => {
    const handle = await cache.fetch(path);
    return handle === undefined ? 0 : section(handle);
  }, load);
  cache.clear();
  return result;
}
