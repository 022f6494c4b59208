import { objectCache } from '@cache/object';
import { createHost, type Host, type MemoryOption } from '@core/framework';
import { ShrinkerRegistry } from '@core/shrinker';
import {
  type Action,
  type CachedValue,
  cacheLoad,
  type CacheLoad,
  valueIndex,
} from '../core/object-cache/cache-load.js';
import { type Competitor, type Size, atMost } from '../harness/competitor.js';
import { race } from '../harness/race.js';
import type { Case, CaseResult, Question } from '../harness/result.js';

const CAPACITY = 100_000;
const OPERATIONS = 400_000;
const ACTIONS: readonly Action[] = ['set update', 'set evict', 'mixed'];
/** What is said of a value, where something is. */
const VALUE_BYTES = 64;

async function competitor(
  name: string,
  memory: MemoryOption,
  sized: boolean,
  load: CacheLoad,
  hosts: Host[],
): Promise<Competitor> {
  const { action, capacity, operations, order, values } = load;
  const keys = load.keys as readonly (string | number)[];
  const plugin = objectCache<string | number, CachedValue>({
    max: capacity,
    ...(sized ? { sizeOf: () => VALUE_BYTES } : {}),
  });
  const host = await createHost({ memory, plugins: [plugin] });
  hosts.push(host);
  const cache = host.get(plugin);
  for (let number = 0; number < capacity; number++) {
    cache.set(keys[number] as string, values[valueIndex(number, 0)] as CachedValue);
  }
  const sink = new Int32Array(1);
  const position = new Int32Array(2);
  const isMixed = action === 'mixed';
  return {
    name,
    operations,
    run() {
      const version = (position[1] as number) + 1;
      let at = position[0] as number;
      let sum = 0;
      for (let done = 0; done < operations; done++) {
        const number = order[at] as number;
        const key = keys[number] as string;
        let value = isMixed && at % 10 !== 0 ? cache.get(key) : undefined;
        if (value === undefined) {
          value = values[valueIndex(number, at + version)] as CachedValue;
          cache.set(key, value);
        }
        sum = (sum + value.kind) | 0;
        at = at + 1 === order.length ? 0 : at + 1;
      }
      sink[0] = sum;
      position[0] = at;
      position[1] = version;
    },
    hash: () => sink[0] as number,
  };
}

async function compare(action: Action, sized: boolean, size: Size): Promise<CaseResult> {
  const load =
    size === 'real'
      ? cacheLoad(action, 'string', CAPACITY, OPERATIONS, false)
      : cacheLoad(action, 'string', 500, 2_000, false);
  const hosts: Host[] = [];
  try {
    return await race(
      {
        competitors: [
          await competitor('memory auto', 'auto', sized, load, hosts),
          await competitor('memory off', 'off', sized, load, hosts),
        ],
        comparisons: [{ what: action, of: 'memory auto', against: 'memory off', as: 'cost', target: atMost(1.05) }],
        rounds: 15,
      },
      size,
    );
  } finally {
    for (const host of hosts) {
      await host.close();
    }
  }
}

/** Charging and uncharging, three groups deep, by itself: caches do it once in some hundred sets. */
async function charge(size: Size): Promise<CaseResult> {
  const operations = size === 'real' ? 2_000_000 : 1_000;
  const group = new ShrinkerRegistry().root.child('tenant').child('requests').child('search');
  const sink = new Float64Array(1);
  const result = await race(
    {
      competitors: [
        {
          name: 'charge, uncharge',
          operations,
          run() {
            let sum = 0;
            for (let done = 0; done < operations; done++) {
              group.charge(4_096);
              sum += group.usage('heap');
              group.uncharge(4_096);
            }
            sink[0] = sum;
          },
          hash: () => sink[0] as number,
        },
      ],
      comparisons: [],
    },
    size,
  );
  const [timing] = result.timings;
  const ns = timing?.medianNs ?? 0;
  return {
    timings: result.timings,
    figures: [
      {
        what: 'charge, uncharge, three deep',
        of: 'MemoryGroup',
        against: null,
        value: ns,
        low: timing?.minNs ?? 0,
        high: ns,
        unit: 'ns',
        target: atMost(100),
      },
    ],
  };
}

const races: Case[] = ACTIONS.flatMap((action) =>
  [true, false].map((sized) => ({
    name: `${action}, ${sized ? 'sizes given' : 'sizes estimated'}`,
    run: (size: Size) => compare(action, sized, size),
  })),
);

export const costQuestion: Question = {
  id: 'cost',
  asks: 'What does it cost to keep within memory while there is enough?',
  cases: [...races, { name: 'charge, uncharge', run: charge }],
};
