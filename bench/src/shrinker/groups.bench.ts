import {
  type MemoryGroup,
  SHRINK_EMPTY,
  type ShrinkControl,
  type Shrinker,
  type ShrinkerSpec,
  ShrinkerRegistry,
} from '@core/shrinker';
import { collectGarbage } from '../harness/collect-garbage.js';
import { type Competitor, type Size, atLeast, atMost } from '../harness/competitor.js';
import { nextTurn } from '../harness/event-loop.js';
import { race } from '../harness/race.js';
import type { Case, CaseResult, Figure, Question } from '../harness/result.js';

/** The seed stress shape: so many groups, each with objects of one of so many shrinkers. */
function shapeOf(size: Size): { readonly groups: number; readonly shrinkers: number } {
  return size === 'real' ? { groups: 4_001, shrinkers: 3_001 } : { groups: 41, shrinkers: 31 };
}

/** Has ten objects in each of its groups, of which a scan frees one. */
class Sparse implements ShrinkerSpec {
  readonly name: string;
  readonly groupAware = true;
  readonly homes: MemoryGroup[] = [];

  constructor(index: number) {
    this.name = `sparse-${index}`;
  }

  count(sc: ShrinkControl): number {
    const { homes } = this;
    for (let index = 0; index < homes.length; index++) {
      if (homes[index] === sc.group) {
        return 10;
      }
    }
    return SHRINK_EMPTY;
  }

  scan(): number {
    return 1;
  }
}

interface Stress {
  readonly registry: ShrinkerRegistry;
  readonly groups: MemoryGroup[];
  readonly specs: Sparse[];
}

function stress(size: Size): Stress {
  const { groups: groupCount, shrinkers: shrinkerCount } = shapeOf(size);
  const registry = new ShrinkerRegistry();
  const specs = Array.from({ length: shrinkerCount }, (_, index) => new Sparse(index));
  const shrinkers: Shrinker[] = [];
  for (const spec of specs) {
    const shrinker = registry.alloc(spec);
    registry.register(shrinker);
    shrinkers.push(shrinker);
  }
  const groups = Array.from({ length: groupCount }, (_, index) => registry.root.child(`g${index}`));
  for (const [index, group] of groups.entries()) {
    const home = (index * 7) % shrinkerCount;
    (specs[home] as Sparse).homes.push(group);
    group.setShrinkerBit(shrinkers[home] as Shrinker);
  }
  return { registry, groups, specs };
}

/** The quick ones do the work so many times, to take as long as the clock needs. */
const TIMES = 20;

function passOverBits(size: Size): Competitor {
  const { registry, groups } = stress(size);
  const sink = new Float64Array(1);
  const request = { priority: 0 };
  return {
    name: 'a pass over set bits',
    operations: groups.length * TIMES,
    run() {
      let freed = 0;
      for (let time = 0; time < TIMES; time++) {
        freed += registry.shrinkSlabSync(request);
      }
      sink[0] = freed / TIMES;
    },
    hash: () => sink[0] as number,
  };
}

function everyShrinkerOfEveryGroup(size: Size): Competitor {
  const { registry, groups, specs } = stress(size);
  const sink = new Float64Array(1);
  const all = [registry.root, ...groups];
  const sc = {
    zone: 'heap' as const,
    group: registry.root,
    nrToScan: 0,
    nrScanned: 0,
    priority: 0,
    mode: 'direct' as const,
  };
  return {
    name: 'every shrinker for every group',
    operations: groups.length,
    run() {
      let freed = 0;
      for (let at = 0; at < all.length; at++) {
        sc.group = all[at] as MemoryGroup;
        for (let index = 0; index < specs.length; index++) {
          const spec = specs[index] as Sparse;
          if (spec.count(sc) > 0) {
            sc.nrToScan = 20;
            sc.nrScanned = 20;
            freed += spec.scan();
          }
        }
      }
      sink[0] = freed;
    },
    hash: () => sink[0] as number,
  };
}

/** Only what is set is visited: the groups' own shrinkers once each, without those of the root. */
function passOverPairs(size: Size): Competitor {
  const { groups, specs } = stress(size);
  const sink = new Float64Array(1);
  const sc = {
    zone: 'heap' as const,
    group: groups[0] as MemoryGroup,
    nrToScan: 0,
    nrScanned: 0,
    priority: 0,
    mode: 'direct' as const,
  };
  return {
    name: 'calls of the pairs alone',
    operations: groups.length * TIMES,
    run() {
      let freed = 0;
      for (let time = 0; time < TIMES; time++) {
        for (let at = 0; at < groups.length; at++) {
          sc.group = groups[at] as MemoryGroup;
          const spec = specs[(at * 7) % specs.length] as Sparse;
          if (spec.count(sc) > 0) {
            sc.nrToScan = 20;
            sc.nrScanned = 20;
            freed += spec.scan();
          }
        }
      }
      sink[0] = freed / TIMES;
    },
    hash: () => sink[0] as number,
  };
}

async function settledHeap(): Promise<number> {
  for (let turn = 0; turn < 5; turn++) {
    collectGarbage();
    await nextTurn();
  }
  return process.memoryUsage().heapUsed;
}

/** What a group weighs by itself, and what its bits add, for each 32 shrinkers that are registered. */
async function memoryOf(size: Size): Promise<CaseResult> {
  const { groups: groupCount, shrinkers: shrinkerCount } = shapeOf(size);
  const registry = new ShrinkerRegistry();
  const shrinkers: Shrinker[] = [];
  for (let index = 0; index < shrinkerCount; index++) {
    const shrinker = registry.alloc(new Sparse(index));
    registry.register(shrinker);
    shrinkers.push(shrinker);
  }
  const groups: MemoryGroup[] = Array.from({ length: groupCount }, () => registry.root);
  const empty = await settledHeap();
  for (let index = 0; index < groupCount; index++) {
    groups[index] = registry.root.child(`g${index}`);
  }
  const bare = await settledHeap();
  for (const [index, group] of groups.entries()) {
    group.setShrinkerBit(shrinkers[(index * 7) % shrinkerCount] as Shrinker);
  }
  const told = await settledHeap();
  const units = Math.ceil(shrinkerCount / 32);
  const figure = (what: string, value: number, target: Figure['target']): Figure => ({
    what,
    of: 'MemoryGroup',
    against: null,
    value,
    low: value,
    high: value,
    unit: 'bytes',
    target,
  });
  return {
    timings: [],
    figures: [
      figure('a group without a bit', (bare - empty) / groupCount, null),
      figure('a group with one bit, more', (told - bare) / groupCount, null),
      figure(
        'the same, for each 32 shrinkers',
        (told - bare) / groupCount / units,
        size === 'real' ? atMost(64) : null,
      ),
    ],
  };
}

const setBits: Case = {
  name: 'a full pass, one charged shrinker a group',
  run: (size) =>
    race(
      {
        competitors: [passOverBits(size), everyShrinkerOfEveryGroup(size), passOverPairs(size)],
        comparisons: [
          {
            what: 'a full pass',
            of: 'a pass over set bits',
            against: 'every shrinker for every group',
            as: 'speedup',
            ...(size === 'real' ? { target: atLeast(100) } : {}),
          },
          { what: 'a full pass', of: 'a pass over set bits', against: 'calls of the pairs alone', as: 'cost' },
        ],
      },
      size,
    ),
};

export const groupsQuestion: Question = {
  id: 'groups',
  asks: 'Does a pass over 4,001 groups and 3,001 shrinkers cost what is set, and what does a group weigh?',
  cases: [setBits, { name: 'memory of a group', run: memoryOf }],
};
