/** A process that goes on storing new entries in one full cache, and tells for how long it stood still. */
import { PerformanceObserver } from 'node:perf_hooks';
import { nextTurn } from '../harness/event-loop.js';
import type { ChurnOrder, ChurnOutcome } from './churn-order.js';
import { peerNamed } from './peers.js';

const BLOCK = 1_000;
const { peer, capacity, keys, stores } = JSON.parse(process.argv[2] as string) as ChurnOrder;
const cache = peerNamed(peer).create<{ number: number; text: string }>(capacity);
let stored = 0;

function storeBlock(): void {
  for (const end = stored + BLOCK; stored < end; stored++) {
    cache.set(keys === 'integer' ? stored : `key:${stored}`, { number: stored, text: 'value' });
  }
}

while (stored < capacity) {
  storeBlock();
  await nextTurn();
}

let longestPauseMs = 0;
let pausesMs = 0;
const note = (entries: readonly { readonly duration: number }[]): void => {
  for (const { duration } of entries) {
    longestPauseMs = Math.max(longestPauseMs, duration);
    pausesMs += duration;
  }
};
const observer = new PerformanceObserver((list) => note(list.getEntries()));
observer.observe({ entryTypes: ['gc'] });
let longestBlockMs = 0;
while (stored < capacity + stores) {
  const startedAt = performance.now();
  storeBlock();
  longestBlockMs = Math.max(longestBlockMs, performance.now() - startedAt);
  await nextTurn();
}
// Collections are told of in a later turn.
await nextTurn();
await nextTurn();
note(observer.takeRecords());
const outcome: ChurnOutcome = { entries: cache.size, longestPauseMs, pausesMs, longestBlockMs };
process.stdout.write(JSON.stringify(outcome));
