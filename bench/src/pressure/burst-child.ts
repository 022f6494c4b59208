/**
 * A process that fills caches faster than anything could be collected, and tells what became of it. Run with a limit on
 * its heap; told by its arguments what to do. Prints one line of JSON at its end, if it lives to see it.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { type ObjectCache, objectCache } from '@cache/object';
import { createHost } from '@core/framework';
import type { BurstOrder, BurstOutcome } from './burst-order.js';
import { type Mix, mixes } from './value-mixes.js';

const order = JSON.parse(process.argv[2] as string) as BurstOrder;
const mix: Mix = mixes[order.mix];
/** Inserts between two turns of the event loop, where there are any. */
const BLOCK = 256;

const rssLimitBytes = getHeapStatistics().heap_size_limit + order.besideHeapBytes;
const plugins = mix.map(({ name, zone, sizeOf }) =>
  objectCache<number>({
    name,
    zone,
    ...(order.sizes === 'estimated' ? {} : { sizeOf: (value) => Math.round(sizeOf(value) * Number(order.sizes)) }),
  }),
);
await using host = await createHost({
  memory: order.managed ? { rssLimitBytes } : 'off',
  plugins,
});
const caches = plugins.map((plugin) => host.get(plugin));
// What the application itself has: the caches must live beside it.
const ballast = Array.from({ length: Math.ceil(order.ballastBytes / 4000) }, (_, index) =>
  Array.from({ length: 500 }, () => index),
);

let fedBytes = 0;
let inserts = 0;
const started = process.cpuUsage();
while (fedBytes < order.feedBytes) {
  const index = inserts % mix.length;
  const { make, bytes } = mix[index] as Mix[number];
  (caches[index] as ObjectCache<number, unknown>).set(inserts, make(inserts));
  fedBytes += bytes;
  inserts++;
  if (order.yields && inserts % BLOCK === 0) {
    await turn();
  }
}
const cpu = process.cpuUsage(started);
const peakRssBytes = process.resourceUsage().maxRSS * 1024;

/** After the burst nothing is asked for any more: what is kept when all has come to rest? */
const keptAtOnce = keptBytes();
for (const deadline = performance.now() + order.restMs; performance.now() < deadline;) {
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
}
const { memory } = host.stats();
const outcome: BurstOutcome = {
  inserts,
  rssLimitBytes,
  peakRssBytes,
  cpuMs: (cpu.user + cpu.system) / 1000,
  directMs: memory.reclaim?.directMs ?? 0,
  keptBytes: keptAtOnce,
  keptAfterRestBytes: keptBytes(),
  entries: caches.map(({ size }) => size),
  ballast: ballast.length,
};
process.stdout.write(`${JSON.stringify(outcome)}\n`);

function keptBytes(): number {
  return caches.reduce((sum, { size }, index) => sum + size * (mix[index] as Mix[number]).bytes, 0);
}
