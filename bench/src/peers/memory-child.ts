/**
 * A process that fills one cache, and tells what memory that took. Keys and values are there before, so that what is
 * counted is the cache alone.
 */
import { collectGarbage } from '../harness/collect-garbage.js';
import { nextTurn } from '../harness/event-loop.js';
import type { MemoryOrder, MemoryOutcome } from './memory-order.js';
import { peerNamed } from './peers.js';

const { peer, capacity, keys: kind } = JSON.parse(process.argv[2] as string) as MemoryOrder;
const keys = Array.from({ length: capacity * 2 }, (_, number) => (kind === 'integer' ? number : `key:${number}`));
// To be hashed is what makes one string of the parts of a template.
let hashed: ReadonlySet<string | number> | null = new Set(keys);
const value = { hashed: hashed.size };
hashed = null;

const { create } = peerNamed(peer);
const before = await settled();
const cache = create<typeof value>(capacity);
for (let number = 0; number < capacity; number++) {
  cache.set(keys[number] as string, value);
}
const filled = await settled();
for (let number = capacity; number < capacity * 2; number++) {
  cache.set(keys[number] as string, value);
}
const evicting = await settled();
// Named again here, so that they live until now: keys that are collected between two looks seem to be memory that the
// cache has given back.
if (keys.length !== capacity * 2) {
  throw new Error(`Cannot measure "${peer}": ${keys.length} keys are left of ${capacity * 2}`);
}
const outcome: MemoryOutcome = {
  entries: cache.size,
  heapBytes: filled.heapBytes - before.heapBytes,
  heapBytesEvicting: evicting.heapBytes - before.heapBytes,
  rssBytes: evicting.rssBytes - before.rssBytes,
};
process.stdout.write(JSON.stringify(outcome));

async function settled(): Promise<{ heapBytes: number; rssBytes: number }> {
  for (let time = 0; time < 5; time++) {
    collectGarbage();
    await nextTurn();
  }
  // Array buffers are part of `external`.
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapBytes: heapUsed + external, rssBytes: rss };
}
