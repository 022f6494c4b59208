import { EVICTION_POLICIES, type EvictionPolicyName } from '@cache/object';
import { type Size, type Target, exactly } from '../harness/competitor.js';
import type { Case, CaseResult, Figure, Question, Unit } from '../harness/result.js';
import type { KeyStream } from './key-stream.js';
import { replay, replayLru } from './replay.js';
import { shippedTraces, tracesIn } from './traces.js';
import { recencyWorkloads, syntheticWorkloads } from './workloads.js';

/** Sizes of the cache, as shares of the different keys of a workload. */
const SHARES = [0.001, 0.01, 0.1];
const REQUESTS = { real: 200_000, smoke: 4_000 } as const;
/** Points that are worth being called a difference. */
const NOTICEABLE = 0.2;
/** What all policies are measured by, and this one is held to. */
const ADAPTIVE: EvictionPolicyName = 'workingset';
/** A folder with traces of the reader's own. */
const FOLDER = process.env['RECLAIM_TRACES'] ?? '';

interface Difference {
  readonly name: string;
  /** Percentage points above lru-cache. */
  readonly points: number;
}

/** What a policy is better by than lru-cache, for each workload and size. */
function differences(workloads: readonly KeyStream[], policy: EvictionPolicyName): Difference[] {
  return workloads.flatMap((workload) =>
    SHARES.map((share) => {
      const max = Math.max(1, Math.round(workload.footprint * share));
      return {
        name: `${workload.name} at ${share * 100} %`,
        points: 100 * (replay(workload, max, policy) - replayLru(workload, max)),
      };
    }),
  );
}

function workloadsOf(size: Size): KeyStream[] {
  const own = FOLDER === '' || size === 'smoke' ? [] : tracesIn(FOLDER);
  return [...syntheticWorkloads(REQUESTS[size]), ...(size === 'smoke' ? [] : shippedTraces()), ...own];
}

function figure(policy: string, what: string, value: number, unit: Unit, target: Target | null = null): Figure {
  return { what, of: policy, against: 'lru-cache', value, low: value, high: value, unit, target };
}

function summaryOf(policy: EvictionPolicyName, found: readonly Difference[], isHeld: boolean): Figure[] {
  const sorted = found.toSorted((one, other) => one.points - other.points);
  const worst = sorted[0] as Difference;
  const mean = found.reduce((sum, { points }) => sum + points, 0) / found.length;
  const median = (sorted[sorted.length >> 1] as Difference).points;
  const target = (value: number): Target | null => (isHeld ? exactly('at least', value) : null);
  return [
    figure(policy, 'mean of the hit ratio', mean, 'points', target(4.5)),
    figure(policy, 'median', median, 'points'),
    figure(
      policy,
      `better by more than ${NOTICEABLE}`,
      found.filter(({ points }) => points > NOTICEABLE).length,
      'cases',
    ),
    figure(
      policy,
      `worse by more than ${NOTICEABLE}`,
      found.filter(({ points }) => points < -NOTICEABLE).length,
      'cases',
    ),
    figure(policy, `worst: ${worst.name}`, worst.points, 'points', target(-1)),
  ];
}

function each(policy: EvictionPolicyName, found: readonly Difference[]): Figure[] {
  return found.map(({ name, points }) => figure(policy, name, points, 'points'));
}

function caseOf(policy: EvictionPolicyName): Case {
  return {
    name: policy,
    run: (size): Promise<CaseResult> => {
      const found = differences(workloadsOf(size), policy);
      const isHeld = policy === ADAPTIVE && size === 'real';
      return Promise.resolve({
        timings: [],
        figures: [...(isHeld ? each(policy, found) : []), ...summaryOf(policy, found, isHeld)],
      });
    },
  };
}

/** The exact LRU policy is lru-cache's own, so that any difference is a fault of one of them. */
const exact: Case = {
  name: 'lru',
  run: (size): Promise<CaseResult> => {
    const most = differences(workloadsOf(size), 'lru').reduce((sum, { points }) => sum + Math.abs(points), 0);
    return Promise.resolve({
      timings: [],
      figures: [figure('lru', 'all differences together', most, 'points', exactly('at most', 0))],
    });
  },
};

const recency: Case = {
  name: 'recency alone',
  run: (size): Promise<CaseResult> =>
    Promise.resolve({
      timings: [],
      figures: [...EVICTION_POLICIES].flatMap((policy) =>
        policy === 'lru' ? [] : each(policy, differences(recencyWorkloads(REQUESTS[size] / 2), policy)),
      ),
    }),
};

export const hitRatioQuestion: Question = {
  id: 'hit-ratio',
  asks: 'How many points above lru-cache is the hit ratio, with 0.1 %, 1 % and 10 % of the keys in the cache?',
  cases: [...EVICTION_POLICIES.filter((policy) => policy !== 'lru').map((policy) => caseOf(policy)), exact, recency],
};
