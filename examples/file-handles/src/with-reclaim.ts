import type { FileHandle } from 'node:fs/promises';
import { objectCache } from '@cache/object';
import { createHost } from '@core/framework';
import type { HandleLedger } from './files.js';
import { hammer, type LoadOptions, type LoadResult } from './load.js';

/** The same with Reclaim: `use` holds the handle, and `dispose` runs when nobody can be using it any more. */
export async function withReclaim(ledger: HandleLedger, max: number, load: LoadOptions): Promise<LoadResult> {
  const handles = objectCache<string, FileHandle>({
    name: 'handles',
    max,
    load: (path) => ledger.openFile(path),
    dispose: (handle) => ledger.closeFile(handle),
  });
  await using host = await createHost({ memory: 'auto', plugins: [handles] });
  const cache = host.get(handles);
  return await hammer(async (path, section) => (await cache.use(path, section)) ?? 0, load);
}
