import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { BtreeKeyCache } from '@cache/btree-key';
import { SeededRng } from '@core/base';
import type { OrderedStore } from '@core/ordered-store';

import {
  COUNTERS,
  decode,
  encode,
  type KeyCacheChildSettings,
  openKeyCache,
  PAIRS,
  VERSIONS,
} from './internal/key-cache-child-settings.js';

/** A busted child dies with a lie on its lips, and does not leave that to chance. */
const BUSTED_DIES_AT = 300;

/**
 * The process that is killed: opens a cache, which replays, and updates keys in many lanes until it dies. It says what
 * it is going to do before it begins, and what was acknowledged before anything else happens: `ask c7`, `ack c7`. What is
 * in a pipe stays there when the writer is killed.
 */
async function run(settings: KeyCacheChildSettings): Promise<never> {
  const rng = new SeededRng(settings.seed);
  const cache = await openKeyCache(settings, (store) => dying(store, settings));
  say('opened');
  const lanes = 1 + rng.below(48);
  const mine = (lane: number): number[] =>
    Array.from({ length: VERSIONS }, (_, index) => index).filter((index) => index % lanes === lane);
  return Promise.race(Array.from({ length: lanes }, (_, lane) => work(cache, rng, mine(lane), settings.busted)));
}

let acknowledged = 0;

async function work(cache: BtreeKeyCache, rng: SeededRng, versions: number[], busted: boolean): Promise<never> {
  for (;;) {
    const which = rng.below(10);
    if (which < 6) {
      // A few are hot.
      const key = `c${rng.below(2) === 0 ? rng.below(5) : rng.below(COUNTERS)}`;
      await told(busted, key, (durable) => cache.update(key, (value) => encode(decode(value) + 1), { durable }));
    } else if (which < 8 || versions.length === 0) {
      const pair = `p${rng.below(PAIRS)}`;
      const half = (key: string) => ({
        type: 'update' as const,
        key,
        update: (value: Uint8Array | undefined) => encode(decode(value) + 1),
      });
      await told(busted, pair, (durable) => cache.batch([half(`${pair}/a`), half(`${pair}/b`)], { durable }));
    } else if (which < 9) {
      const key = `v${rng.pick(versions)}`;
      const next = decode(await cache.get(key)) + 1 + rng.below(5);
      await told(busted, `${key} ${next}`, (durable) => cache.put(key, encode(next), { durable }));
    } else {
      const key = `v${rng.pick(versions)}`;
      await told(busted, `${key} 0`, (durable) => cache.del(key, { durable }));
    }
  }
}

async function told(busted: boolean, what: string, act: (durable: boolean) => Promise<unknown>): Promise<void> {
  say(`ask ${what}`);
  await act(!busted);
  say(`ack ${what}`);
  acknowledged++;
  if (busted && acknowledged % BUSTED_DIES_AT === 0) {
    process.kill(process.pid, 'SIGKILL');
  }
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

/** A store that kills the process at one of its batches. */
function dying(store: OrderedStore, { dieAtBatch, death }: KeyCacheChildSettings): OrderedStore {
  let batches = 0;
  const batch: OrderedStore['batch'] = async (operations, options) => {
    const last = ++batches === dieAtBatch;
    if (last && death === 'before') {
      process.kill(process.pid, 'SIGKILL');
    }
    await store.batch(operations, options);
    if (last) {
      process.kill(process.pid, 'SIGKILL');
    }
  };
  const { getSync } = store;
  return {
    caps: store.caps,
    get: (key) => store.get(key),
    ...(getSync === undefined ? {} : { getSync }),
    getMany: (keys) => store.getMany(keys),
    range: (range) => store.range(range),
    mark: () => store.mark(),
    close: () => store.close(),
    batch,
  };
}

const { values } = parseArgs({ options: { settings: { type: 'string', default: '{}' } } });
await run(JSON.parse(values.settings) as KeyCacheChildSettings);
