import { unreachable } from '@core/base';
import { type Size, type Target, atLeast } from '../harness/competitor.js';
import { type Comparison, race } from '../harness/race.js';
import type { Case, CaseResult, Question } from '../harness/result.js';
import { type Action, type CacheLoad, type KeyKind, cacheLoad } from './object-cache/cache-load.js';
import { lruCache } from './object-cache/lru-cache.js';
import { rawMap } from './object-cache/raw-map.js';
import { reclaim } from './object-cache/reclaim.js';

const CAPACITIES = [1_000, 100_000, 1_000_000] as const;
const ACTIONS: readonly Action[] = ['get hit', 'get miss', 'set update', 'set evict', 'mixed'];
const KEY_KINDS: readonly KeyKind[] = ['integer', 'string', 'fresh string'];
/** Enough for a sample of 5 ms or more. */
const OPERATIONS: Readonly<Record<number, number>> = { 1_000: 200_000, 100_000: 400_000, 1_000_000: 300_000 };

/**
 * With dispose on, and keys that are there already: to build and hash a fresh string takes longer than the rest, and
 * hides what there is to see.
 */
function targetOf(action: Action, kind: KeyKind, capacity: number, dispose: boolean): Target | null {
  if (!dispose || kind === 'fresh string') {
    return null;
  }
  switch (action) {
    case 'get hit':
      return atLeast(kind === 'integer' ? 1.25 : 1.1);
    case 'get miss':
      return null;
    case 'set update':
      return atLeast(1.4);
    case 'set evict':
      return capacity > 100_000 ? null : atLeast(capacity === 1_000 ? 1 : 1.5);
    case 'mixed':
      return capacity > 100_000 ? null : atLeast(1.4);
    default:
      return unreachable(action);
  }
}

function compare(name: string, load: CacheLoad, target: Target | null, size: Size): Promise<CaseResult> {
  const comparisons: Comparison[] = [
    {
      what: name,
      of: 'ObjectCache',
      against: 'lru-cache',
      as: 'speedup',
      ...(target === null ? {} : { target }),
    },
    { what: name, of: 'ObjectCache', against: 'Map', as: 'speedup' },
  ];
  const large = load.capacity > 100_000;
  return race(
    {
      competitors: [rawMap(load), lruCache(load), reclaim(load)],
      comparisons,
      rounds: large ? 7 : 11,
      runs: large ? 1 : 3,
    },
    size,
  );
}

function cacheCase(action: Action, kind: KeyKind, capacity: number, dispose: boolean): Case {
  const name = `${action}, ${capacity.toLocaleString('en')}, ${kind}${dispose ? ', dispose' : ''}`;
  return {
    name,
    onlyReal: capacity > 1_000,
    run(size) {
      const load =
        size === 'real'
          ? cacheLoad(action, kind, capacity, OPERATIONS[capacity] as number, dispose)
          : cacheLoad(action, kind, 500, 2_000, dispose);
      return compare(name, load, targetOf(action, kind, capacity, dispose), size);
    },
  };
}

export const objectCacheQuestion: Question = {
  id: 'object-cache',
  asks: 'How fast is ObjectCache beside lru-cache, and beside the Map that both are made of?',
  cases: [true, false].flatMap((dispose) =>
    CAPACITIES.flatMap((capacity) =>
      KEY_KINDS.flatMap((kind) => ACTIONS.map((action) => cacheCase(action, kind, capacity, dispose))),
    ),
  ),
};
