import { type Action, type CacheLoad, type KeyKind, cacheLoad } from '../core/object-cache/cache-load.js';
import { lruCache } from '../core/object-cache/lru-cache.js';
import { rawMap } from '../core/object-cache/raw-map.js';
import { reclaim } from '../core/object-cache/reclaim.js';
import { type Competitor, type Size, atLeast } from '../harness/competitor.js';
import { type Comparison, race } from '../harness/race.js';
import type { Case, CaseResult, Figure, Question } from '../harness/result.js';
import type * as PeerWork from './peer-work.js';
import { COMPAT, OURS, type Peer, REFERENCE, compat, peers } from './peers.js';

const CAPACITIES = [1_000, 100_000, 1_000_000] as const;
const ACTIONS: readonly Action[] = ['get hit', 'get miss', 'set update', 'set evict', 'mixed'];
const KEY_KINDS: readonly KeyKind[] = ['integer', 'string'];
/** Enough for a sample of 5 ms or more. */
const OPERATIONS: Readonly<Record<number, number>> = { 1_000: 200_000, 100_000: 400_000, 1_000_000: 300_000 };
const DISPOSE = ', dispose';
/** The limit, which has no bound of its own. */
const MAP = 'Map';

async function competitorOf({ name, create }: Peer, load: CacheLoad): Promise<Competitor> {
  // Another address for each: see peerWork.
  const work = (await import(`./peer-work.js?${encodeURIComponent(name)}`)) as typeof PeerWork;
  return work.peerWork(name, create(load.capacity), load);
}

function canDo({ mostStoring = Infinity }: Peer, { action, capacity }: CacheLoad): boolean {
  return capacity <= mostStoring || action.startsWith('get');
}

async function competitorsIn(load: CacheLoad): Promise<Competitor[]> {
  if (load.dispose) {
    return [rawMap(load), lruCache(load), reclaim(load)];
  }
  const able = [...peers, compat].filter((peer) => canDo(peer, load));
  return [rawMap(load), ...(await Promise.all(able.map((peer) => competitorOf(peer, load))))];
}

/** Ours is held to 0.9 of whoever is fastest, unless it is held to more there already. */
export function heldToTheFastest(figures: readonly Figure[]): Figure[] {
  const bounded = figures.filter(({ of, against }) => of === OURS && against !== MAP);
  const hardest = Math.min(...bounded.map(({ value }) => value));
  return figures.map((figure) =>
    figure.target === null && bounded.includes(figure) && figure.value === hardest
      ? { ...figure, target: atLeast(0.9) }
      : figure,
  );
}

async function compare(what: string, load: CacheLoad, size: Size): Promise<CaseResult> {
  const competitors = await competitorsIn(load);
  const comparisons = competitors
    .filter(({ name }) => name !== OURS)
    .map(({ name }): Comparison =>
      name === COMPAT
        ? { what, of: COMPAT, against: REFERENCE, as: 'speedup' }
        : {
            what,
            of: OURS,
            against: name,
            as: 'speedup',
            ...(name === REFERENCE ? { target: atLeast(1) } : {}),
          },
    );
  const large = load.capacity > 100_000;
  const found = await race({ competitors, comparisons, rounds: large ? 7 : 11, runs: large ? 1 : 3 }, size);
  return { ...found, figures: heldToTheFastest(found.figures) };
}

function speedCase(action: Action, kind: KeyKind, capacity: number, dispose: boolean): Case {
  const name = `${action}, ${capacity.toLocaleString('en')}, ${kind}${dispose ? DISPOSE : ''}`;
  return {
    name,
    onlyReal: capacity > 1_000,
    run: (size) =>
      compare(
        name,
        size === 'real'
          ? cacheLoad(action, kind, capacity, OPERATIONS[capacity] as number, dispose)
          : cacheLoad(action, kind, 500, 2_000, dispose),
        size,
      ),
  };
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** What can be said of all cases together. */
export function overAll(cases: ReadonlyMap<string, CaseResult>): Figure[] {
  return [false, true].flatMap((dispose) => {
    const ratios = [...cases]
      .filter(([name]) => name.endsWith(DISPOSE) === dispose)
      .flatMap(([, { figures }]) => figures)
      .filter(({ of, against }) => of === OURS && against === REFERENCE)
      .map(({ value }) => value);
    const value = geometricMean(ratios);
    const what = `geometric mean of ${ratios.length} cases${dispose ? DISPOSE : ''}`;
    const target = atLeast(1.3);
    return ratios.length === 0
      ? []
      : [{ what, of: OURS, against: REFERENCE, value, low: value, high: value, unit: 'x', target }];
  });
}

export const speedQuestion: Question = {
  id: 'speed',
  asks: 'How fast is ObjectCache beside every peer?',
  cases: [false, true].flatMap((dispose) =>
    CAPACITIES.flatMap((capacity) =>
      KEY_KINDS.flatMap((kind) => ACTIONS.map((action) => speedCase(action, kind, capacity, dispose))),
    ),
  ),
  overAll,
};
