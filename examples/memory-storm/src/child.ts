// One contender under one load, in a process of its own: it may die.
import type { Contender, ContenderOptions } from './contender.js';
import { Gauge } from './gauge.js';
import { HandleLedger } from './handles.js';
import { kindsOf } from './kinds.js';
import { oneTick, storm, Tally } from './load.js';
import type { ContenderName, Job, Message, Sample } from './protocol.js';
import { withLruByEntries, withLruBySize } from './with-lru-cache.js';
import { withReclaim } from './with-reclaim.js';

const MS_BETWEEN_SAMPLES = 100;
const MIB = 2 ** 20;

const CONTENDERS: Readonly<Record<ContenderName, (options: ContenderOptions) => Contender | Promise<Contender>>> = {
  'lru-entries': withLruByEntries,
  'lru-size': withLruBySize,
  reclaim: withReclaim,
};

const { contender: name, load, feedBytes, heapMb, seed } = JSON.parse(process.argv[2] as string) as Job;
const ledger = new HandleLedger();
const kinds = kindsOf(ledger);
const tally = new Tally();
const gauge = new Gauge();
let short: string | null = null;
const contender = await CONTENDERS[name]({
  kinds,
  heapBytes: heapMb * MIB,
  onShort: (report) => {
    short = report;
    tell({ type: 'short', report });
  },
});
const { caches } = contender;
const options = { kinds, caches, feedBytes, seed, tally, onTurn: sampleNowAndThen };
let sampledAt = 0;

if (load === 'storm') {
  await storm(options);
} else {
  oneTick(options);
}
const before = sample();
await contender.close();
gauge.close();
tell({ type: 'done', sample: { ...before, handles: handleCounts() }, report: short }, () => process.disconnect());

function sampleNowAndThen(): void {
  const now = performance.now();
  if (now - sampledAt >= MS_BETWEEN_SAMPLES) {
    sampledAt = now;
    tell({ type: 'sample', sample: sample() });
  }
}

function sample(): Sample {
  return {
    progress: Math.min(1, tally.fedBytes / feedBytes),
    requests: tally.requests,
    hitRatio: tally.hitRatio,
    ...gauge.read(),
    caches: caches.map((cache) => cache.state()),
    memory: contender.memory(),
    handles: handleCounts(),
  };
}

function handleCounts(): Sample['handles'] {
  const { opened, closed, closedTwice, usedAfterClose, open } = ledger;
  return { opened, closed, closedTwice, usedAfterClose, open };
}

function tell(message: Message, onSent: () => void = () => {}): void {
  process.send?.(message, onSent);
}
