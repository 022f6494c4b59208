import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { BtreeKeyCache, btreeKeyCache } from '@cache/btree-key';
import { createHost } from '@core/framework';
import { openLmdb } from '@core/ordered-store';
import type { Ready } from './protocol.js';
import { createService, statsOf } from './service.js';

// The process of the service: counts in a directory, until it is told to stop, or killed.
const [directory = ''] = process.argv.slice(2);
const host = await createHost({
  plugins: [
    btreeKeyCache({
      store: () => openLmdb({ path: join(directory, 'store') }),
      journal: { directory: join(directory, 'journal'), durability: 'every' },
    }),
  ],
});
const cache = host.get(BtreeKeyCache);
const service = createService(cache);
service.listen(0, '127.0.0.1');
await once(service, 'listening');
process.send?.({ port: (service.address() as AddressInfo).port } satisfies Ready);

process.once('SIGTERM', () => {
  void stop();
});

async function stop(): Promise<void> {
  service.close();
  service.closeAllConnections();
  await cache.flush();
  // Its last word: what it took to store everything.
  const stats = statsOf(cache);
  await host.close();
  process.send?.(stats);
  process.disconnect();
}
