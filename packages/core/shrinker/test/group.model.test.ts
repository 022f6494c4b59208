import { describe, expect, test } from 'vitest';

import { SeededRng } from '@core/base';
import {
  type MemoryGroup,
  SHRINK_EMPTY,
  ShrinkerError,
  type Shrinker,
  ShrinkerRegistry,
  type Zone,
} from '@core/shrinker';

import { checkRegistry } from '../src/internal/check-invariants.js';
import { ANY_ZONE } from '../src/internal/zones.js';
import { caught, entryOf, manual, type Manual, turn } from './support.js';

// Groups that come and go, are charged and limited, while shrinkers come and go and passes sleep in them: no object is
// forgotten, no byte is lost.

const ZONES: readonly Zone[] = ['heap', 'external', 'shared'];
const BYTES = 10;

interface Cache {
  readonly shrinker: Shrinker;
  /** Objects of each group, by zone; moved by hand when a group ends. */
  readonly objects: Map<MemoryGroup, [number, number, number]>;
  alive: boolean;
}

async function play(
  seed: number,
  steps: number,
  spoil: (registry: ShrinkerRegistry) => void = () => {},
): Promise<void> {
  const rng = new SeededRng(seed);
  const registry = new ShrinkerRegistry();
  spoil(registry);
  const { root } = registry;
  const groups: MemoryGroup[] = [root];
  const caches: Cache[] = [];
  const open: Manual[] = [];
  const waiting = new Set<Promise<unknown>>();
  const wait = (promise: Promise<unknown>): void => {
    waiting.add(promise);
    void promise.finally(() => waiting.delete(promise));
  };
  let names = 0;

  const take = (cache: Cache, group: MemoryGroup, zone: number, most: number): number => {
    const there = cache.objects.get(group.heir);
    const taken = Math.min(most, there?.[zone] ?? 0);
    if (there !== undefined && taken > 0) {
      there[zone]! -= taken;
      group.uncharge(taken * BYTES, ZONES[zone]);
    }
    return taken;
  };

  const addCache = (): void => {
    const zoneAware = rng.below(2) === 0;
    const zonesOf = (zone: Zone): number[] => (zoneAware ? [ZONES.indexOf(zone)] : [0, 1, 2]);
    const objects: Cache['objects'] = new Map();
    const shrinker = registry.alloc({
      name: `${names++}`,
      groupAware: true,
      zoneAware,
      seeks: 1 + rng.below(4),
      batch: 1 + rng.below(10),
      count: (sc) => {
        const there = objects.get(sc.group!.heir) ?? [0, 0, 0];
        return zonesOf(sc.zone).reduce((sum, zone) => sum + there[zone]!, 0) || SHRINK_EMPTY;
      },
      scan: (sc) => {
        const group = sc.group!;
        const free = (): number => {
          let freed = 0;
          for (const zone of zonesOf(sc.zone)) {
            freed += take(cache, group, zone, sc.nrToScan - freed);
          }
          return freed;
        };
        if (rng.below(4) > 0) {
          return free();
        }
        const answer = manual();
        open.push(answer);
        return answer.promise.then(free);
      },
    });
    const cache: Cache = { shrinker, objects, alive: true };
    registry.register(shrinker);
    caches.push(cache);
  };

  const addObject = (cache: Cache, group: MemoryGroup, zone: number): void => {
    try {
      group.charge(BYTES, ZONES[zone]);
    } catch (error) {
      expect(ShrinkerError.is(error) && error.code).toBe(group.isOffline ? 'ERR_GROUP_OFFLINE' : 'ERR_GROUP_LIMIT');
      return;
    }
    const there = cache.objects.get(group) ?? [0, 0, 0];
    cache.objects.set(group, there);
    there[zone]!++;
    group.setShrinkerBit(cache.shrinker, ZONES[zone]);
  };

  const end = (group: MemoryGroup): void => {
    group.offline();
    // As a list-lru does it.
    for (const { objects } of caches) {
      for (const [of, there] of objects) {
        if (of.isOffline) {
          objects.delete(of);
          const heirs = objects.get(of.heir) ?? [0, 0, 0];
          there.forEach((count, zone) => (heirs[zone]! += count));
          objects.set(of.heir, heirs);
        }
      }
    }
  };

  const check = (): void => {
    checkRegistry(registry);
    let bytes = 0;
    for (const { objects, shrinker, alive } of caches) {
      for (const [group, there] of objects) {
        there.forEach((count, zone) => {
          bytes += count * BYTES;
          const slot = shrinker.zoneAware ? zone : ANY_ZONE;
          const told = (group as any).infos[slot]?.has(entryOf(shrinker).bitId) === true;
          expect(
            count === 0 || !alive || group === root || told,
            `${shrinker.name} has ${count} in ${group.path}`,
          ).toBe(true);
        });
      }
    }
    expect(root.usage()).toBe(bytes);
  };

  for (let step = 0; step < steps; step++) {
    const group = rng.pick(groups);
    const living = caches.filter(({ alive }) => alive);
    switch (rng.below(12)) {
      case 0:
        if (groups.length < 15 && !group.isOffline) {
          groups.push(group.child(`${names++}`, rng.below(3) === 0 ? { max: 200 + rng.below(400) } : {}));
        }
        break;
      case 1:
        if (group !== root && rng.below(3) === 0) {
          end(group);
        }
        break;
      case 2:
        if (living.length < 5) {
          addCache();
        } else if (rng.below(3) === 0) {
          const cache = rng.pick(living);
          cache.alive = false;
          wait(registry.free(cache.shrinker));
        }
        break;
      case 3:
        wait(registry.shrinkSlab({ priority: rng.below(6), zone: rng.pick(ZONES), group: group.heir }));
        break;
      case 4:
        registry.shrinkSlabSync({ priority: rng.below(6), zone: rng.pick(ZONES), group: group.heir });
        break;
      case 5:
        open.splice(rng.below(open.length + 1), 1)[0]?.resolve(0);
        await turn();
        break;
      case 6:
        if (!group.isOffline) {
          group.limits = { max: 100 + rng.below(900), high: rng.below(900), min: rng.below(300), low: rng.below(300) };
          if (group === root || rng.below(2) === 0) {
            group.limits = {};
          }
        }
        break;
      default:
        for (let count = rng.below(20); living.length > 0 && count > 0; count--) {
          addObject(rng.pick(living), group, rng.below(3));
        }
    }
    check();
  }
  for (let turns = 0; waiting.size > 0; turns++) {
    open.pop()?.resolve(0);
    await turn();
    expect(turns, 'somebody waits for ever').toBeLessThan(5000);
  }
  check();
  for (const group of groups) {
    if (!group.isOffline) {
      group.limits = {};
    }
  }
  // Whatever is anybody's who lives can be had.
  for (let round = 0; round < 10; round++) {
    for (const zone of ZONES) {
      const pass = registry.shrinkSlab({ priority: 0, zone });
      for (let left = true; left;) {
        open.splice(0).forEach((answer) => answer.resolve(0));
        left = await Promise.race([pass.then(() => false), turn().then(() => true)]);
      }
    }
  }
  check();
  for (const { objects, alive } of caches) {
    const left = [...objects.values()].flat().reduce((sum, count) => sum + count, 0);
    expect(alive ? left : 0).toBe(0);
  }
}

async function playAll(first: number, count: number, spoil?: (registry: ShrinkerRegistry) => void): Promise<void> {
  for (let seed = first; seed < first + count; seed++) {
    try {
      await play(seed, 80, spoil);
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error });
    }
  }
}

describe('random groups, shrinkers, passes and charges', () => {
  test('no object is forgotten, no byte is lost', async () => {
    await playAll(Number(process.env['SEED'] ?? Date.now() % 1e9), 80);
  });

  const twins: [string, (table: any) => Record<string, unknown>][] = [
    ['bits of a group that ends are lost', () => ({ reparent: (from: any) => from.dropInfos() })],
    ['an id brings the bits of another along', () => ({ purge: () => {} })],
    [
      'a group that has one bit less has none',
      (table) => ({
        unmark(group: any, id: number, slot: number) {
          Object.getPrototypeOf(table).unmark.call(table, group, id, slot);
          table.any[slot][group.index >>> 5] &= ~(1 << (group.index & 31));
        },
      }),
    ],
  ];
  test.each(twins)('busted: %s', async (_name, methods) => {
    await caught(() =>
      playAll(1, 40, (registry) => {
        const { table } = registry as any;
        Object.assign(table, methods(table));
      }),
    );
  });
});
