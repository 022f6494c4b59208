import { ObjectCache } from '@cache/object';
import { SeededRng } from '@core/base';
import { type MemoryGroup, ShrinkerRegistry } from '@core/shrinker';
import { type Size, exactly } from '../harness/competitor.js';
import { nextTurn } from '../harness/event-loop.js';
import type { CaseResult, Figure, Question } from '../harness/result.js';
import { zipf } from '../harness/workload.js';

const VALUE_BYTES = 1_000;
/** Of both tenants together. */
const BUDGET_BYTES = 40_000_000;
/** So many requests of the scanner come with each request of the hot tenant: 70 % of all. */
const SCANS_PER_REQUEST = 7 / 3;

interface Tenants {
  readonly registry: ShrinkerRegistry;
  readonly hot: ObjectCache<number, object>;
  readonly scanner: ObjectCache<number, object>;
}

function tenantsIn(hotGroup: MemoryGroup, scannerGroup: MemoryGroup, registry: ShrinkerRegistry): Tenants {
  const make = (name: string, group: MemoryGroup): ObjectCache<number, object> => {
    const cache = new ObjectCache<number, object>({ name, group, sizeOf: () => VALUE_BYTES });
    const shrinker = registry.alloc(cache.asShrinker());
    registry.register(shrinker);
    cache.attach(shrinker);
    return cache;
  };
  return { registry, hot: make('hot', hotGroup), scanner: make('scanner', scannerGroup) };
}

function apart(): Tenants {
  const registry = new ShrinkerRegistry();
  const { root } = registry;
  const limits = { max: BUDGET_BYTES / 2 };
  return tenantsIn(root.child('hot', limits), root.child('scanner', limits), registry);
}

function together(): Tenants {
  const registry = new ShrinkerRegistry();
  const group = registry.root.child('both', { max: BUDGET_BYTES });
  return tenantsIn(group, group, registry);
}

/** Hit ratios of the hot tenant in percent: alone, and beside the scanner. */
async function ratiosOf({ hot, scanner }: Tenants, size: Size): Promise<{ alone: number; beside: number }> {
  const requests = size === 'real' ? 400_000 : 20_000;
  const keys = zipf(requests, 15_000);
  const rng = new SeededRng(7);
  let scanned = 0;
  async function run(scans: boolean): Promise<number> {
    let hits = 0;
    for (let at = 0; at < requests; at++) {
      const key = keys[at] as number;
      if (hot.get(key) === undefined) {
        hot.set(key, { key });
      } else {
        hits++;
      }
      for (let left = scans ? SCANS_PER_REQUEST : 0; left > 0 && rng.next() < left; left--) {
        scanner.set(scanned++, {});
      }
      if (at % 1_000 === 0) {
        await nextTurn();
      }
    }
    return (100 * hits) / requests;
  }
  await run(false);
  const alone = await run(false);
  await run(true);
  return { alone, beside: await run(true) };
}

function points(what: string, of: string, value: number, target: Figure['target'] = null): Figure {
  return { what, of, against: null, value, low: value, high: value, unit: '%', target };
}

async function compare(size: Size): Promise<CaseResult> {
  const withGroups = await ratiosOf(apart(), size);
  const without = await ratiosOf(together(), size);
  return {
    timings: [],
    figures: [
      points('hit ratio alone', 'a group each', withGroups.alone),
      points('hit ratio beside a scanner', 'a group each', withGroups.beside),
      points(
        'hit ratio lost',
        'a group each',
        withGroups.alone - withGroups.beside,
        size === 'real' ? exactly('at most', 1) : null,
      ),
      points('hit ratio alone', 'one group', without.alone),
      points('hit ratio beside a scanner', 'one group', without.beside),
      points('hit ratio lost', 'one group', without.alone - without.beside),
    ],
  };
}

export const tenantsQuestion: Question = {
  id: 'tenants',
  asks: 'What does a tenant who scans take from one who has what it needs?',
  cases: [{ name: 'equal budgets', run: compare }],
};
