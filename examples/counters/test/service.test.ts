import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { BtreeKeyCache } from '@cache/btree-key';
import { MemoryStore } from '@core/ordered-store';
import { createService } from '../src/service.js';

test('counts the hits of each client, up to its quota and beyond', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'counters-test-'));
  const cache = await BtreeKeyCache.open({
    store: new MemoryStore(),
    journal: { directory: join(directory, 'journal'), durability: 'none' },
  });
  const service = createService(cache).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const { port } = service.address() as AddressInfo;
  const call = async (method: string, path: string): Promise<[status: number, body: unknown]> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return [response.status, await response.json()];
  };

  expect(await call('POST', '/hits/ada')).toEqual([200, { client: 'ada', hits: 1 }]);
  const many = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/hits/ada')));
  expect(many.map(([, body]) => (body as { hits: number }).hits).toSorted((one, other) => one - other)).toEqual(
    Array.from({ length: 20 }, (_, index) => index + 2),
  );
  const full = Buffer.alloc(8);
  full.writeBigUInt64BE(9999n);
  await cache.put('hits:grace', full);
  await cache.put('other', full);
  expect(await call('POST', '/hits/grace')).toEqual([200, { client: 'grace', hits: 10_000 }]);
  expect(await call('POST', '/hits/grace')).toEqual([429, { client: 'grace', hits: 10_001 }]);
  expect(await call('GET', '/hits')).toEqual([
    200,
    [
      { client: 'ada', hits: 21 },
      { client: 'grace', hits: 10_001 },
    ],
  ]);
  expect(await call('GET', '/stats')).toEqual([200, expect.objectContaining({ updates: 25, replayedRecords: 0 })]);
  for (const [method, path] of [
    ['POST', '/hits'],
    ['GET', '/hits/ada'],
    ['GET', '/'],
    ['DELETE', '/hits/ada'],
  ] as const) {
    expect((await call(method, path))[0]).toBe(404);
  }

  service.closeAllConnections();
  service.close();
  await cache.close();
  await rm(directory, { recursive: true });
});
