import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { BtreeKeyCache } from '@cache/btree-key';
import type { Hit, ServiceStats } from './protocol.js';

/** Hits that a client has; what comes after them is counted, and answered with 429. */
const QUOTA = 10_000;
const PREFIX = 'hits:';
const COUNT_BYTES = 8;

/**
 * - `POST /hits/:client` counts a hit. 200, or 429 beyond the quota; both when the hit will survive.
 * - `GET /hits` lists all clients with their hits.
 * - `GET /stats` tells of the cache.
 */
export function createService(cache: BtreeKeyCache): Server {
  return createServer((request, response) => {
    answer(cache, request, response).catch((error: unknown) => {
      send(response, 500, { error: String(error) });
    });
  });
}

export function statsOf(cache: BtreeKeyCache): ServiceStats {
  const { updates, flushedKeys, replayedRecords } = cache.stats();
  return { updates, flushedKeys, replayedRecords };
}

async function answer(
  cache: BtreeKeyCache,
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, resource, client] = url.split('/');
  if (method === 'POST' && resource === 'hits' && client !== undefined && client !== '') {
    const value = await cache.update(PREFIX + client, increment);
    const hits = countOf(value);
    send(response, hits <= QUOTA ? 200 : 429, { client, hits } satisfies Hit);
  } else if (method === 'GET' && resource === 'hits' && client === undefined) {
    send(response, 200, await allHits(cache));
  } else if (method === 'GET' && resource === 'stats') {
    send(response, 200, statsOf(cache));
  } else {
    send(response, 404, { error: `Cannot ${method} ${url}: there is no such resource` });
  }
}

async function allHits(cache: BtreeKeyCache): Promise<Hit[]> {
  const all: Hit[] = [];
  for await (const [key, value] of cache.range({ gte: PREFIX, lt: 'hits;' })) {
    all.push({ client: Buffer.from(key).toString().slice(PREFIX.length), hits: countOf(value) });
  }
  return all;
}

function increment(value: Uint8Array | undefined): Uint8Array {
  const next = Buffer.alloc(COUNT_BYTES);
  next.writeBigUInt64BE(BigInt(countOf(value) + 1));
  return next;
}

function countOf(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : Number(Buffer.from(value.buffer, value.byteOffset, COUNT_BYTES).readBigUInt64BE());
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
