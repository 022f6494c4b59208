/** A process that feeds several caches more than its heap can take, and prints what they kept, if it lives to. */
import { objectCache } from '@cache/object';
import { createHost } from '@core/framework';
import { LRUCache } from 'lru-cache';
import { nextTurn } from '../harness/event-loop.js';
import { type Mix, mixes } from '../pressure/value-mixes.js';
import type { Bound, HeapOrder, HeapOutcome } from './heap-order.js';
import { type PeerKey, peerNamed } from './peers.js';

interface Sized {
  readonly size: number;
  readonly set: (key: PeerKey, value: {}) => unknown;
}

const BLOCK = 256;
const mix: Mix = mixes.all;
const { bound, feedBytes } = JSON.parse(process.argv[2] as string) as HeapOrder;
const caches = await cachesWith(bound);
let fedBytes = 0;
for (let inserts = 0; fedBytes < feedBytes; inserts++) {
  const index = inserts % mix.length;
  const { make, bytes } = mix[index] as Mix[number];
  (caches[index] as Sized).set(inserts, make(inserts) as {});
  fedBytes += bytes;
  if (inserts % BLOCK === 0) {
    await nextTurn();
  }
}
const outcome: HeapOutcome = {
  keptBytes: caches.reduce((sum, { size }, index) => sum + size * (mix[index] as Mix[number]).bytes, 0),
};
// A host that watches over memory need not be closed here: nothing of it survives.
process.stdout.write(JSON.stringify(outcome), () => process.exit(0));

async function cachesWith(bound: Bound): Promise<Sized[]> {
  switch (bound.by) {
    case 'entries':
      return mix.map(() => peerNamed(bound.peer).create<{}>(bound.max));
    case 'bytes':
      return mix.map(
        ({ bytes }) => new LRUCache<PeerKey, {}>({ maxSize: bound.maxBytes, sizeCalculation: () => bytes }),
      );
    default: {
      const plugins = mix.map(({ name, zone, bytes }) => objectCache<PeerKey, {}>({ name, zone, sizeOf: () => bytes }));
      const host = await createHost({ memory: 'auto', plugins });
      return plugins.map((plugin) => host.get(plugin));
    }
  }
}
