import { describe, expect, test } from 'vitest';

import { SeededRng } from '@core/base';
import {
  ListLru,
  type LruNode,
  type LruStatus,
  REMOVED,
  REMOVED_RETRY,
  RETRY,
  ROTATE,
  SKIP,
  STOP,
} from '@core/list-lru';
import { type MemoryGroup, SHRINK_EMPTY, type Shrinker, ShrinkerRegistry, type Zone } from '@core/shrinker';

import { checkListLru } from '../src/internal/check-invariants.js';

interface Item extends LruNode {
  readonly name: string;
}

const item = (name: string): Item => ({ name, lruSlot: -1 });
const names = (lru: Iterable<Item>): string => [...lru].map(({ name }) => name).join('');

/** Registers a shrinker over the list, and notes whom it is called for. */
function shrink(registry: ShrinkerRegistry, lru: ListLru<any>, zoneAware = false) {
  const called: (string | null)[] = [];
  const shrinker = registry.alloc({
    name: 'items',
    groupAware: true,
    zoneAware,
    batch: 1,
    count: (sc) => {
      called.push(sc.group === null ? null : sc.group.path);
      return lru.count(sc) || SHRINK_EMPTY;
    },
    scan: (sc) => lru.walk(sc, () => REMOVED),
  });
  lru.attach(shrinker);
  registry.register(shrinker);
  return { called, shrinker };
}

const walked = (lru: ListLru<Item>, sc: { zone?: Zone; group?: MemoryGroup | null; nrToScan: number }): string => {
  let seen = '';
  const control = { zone: 'heap' as Zone, nrScanned: -1, ...sc };
  lru.walk(control, ({ name }) => {
    seen += name;
    return SKIP;
  });
  expect(control.nrScanned).toBe(seen.length);
  return seen;
};

describe('lists by group', () => {
  test('keep objects apart, by zone too', () => {
    const { root } = new ShrinkerRegistry();
    const [a, b] = [root.child('a'), root.child('b')];
    const lru = new ListLru<Item>({ zones: ['heap', 'external'] });
    const first = item('1');
    expect([lru.add(first, a), lru.add(first, b), lru.add(first)]).toEqual([true, false, false]);
    lru.add(item('2'), a, 'external');
    lru.add(item('3'), null, 'external');
    lru.add(item('4'), 'external');
    lru.add(item('5'), root);
    lru.add(item('6'), b);
    expect(() => lru.add(item('x'), a, 'shared')).toThrow(RangeError);
    expect(lru.count({ zone: 'heap', group: a })).toBe(1);
    expect(lru.count({ zone: 'external', group: a })).toBe(1);
    expect(lru.count({ zone: 'external', group: b })).toBe(0);
    expect(lru.count({ zone: 'external', group: null })).toBe(2);
    expect(lru.count({ zone: 'external', group: root })).toBe(2);
    expect(lru.count({ zone: 'shared', group: a })).toBe(0);
    expect([lru.count(), lru.length, names(lru)]).toEqual([6, 6, '534126']);
    expect(walked(lru, { group: a, nrToScan: 9 })).toBe('1');
    expect(walked(lru, { group: root, nrToScan: 9 })).toBe('5');
    expect(walked(lru, { group: a, zone: 'shared', nrToScan: 9 })).toBe('');
    expect([lru.moveToTail(first), lru.del(first), lru.del(first)]).toEqual([true, true, false]);
    expect(lru.count({ zone: 'heap', group: a })).toBe(0);
    checkListLru(lru);
  });

  test('the first object of a group sets the bit of the shrinker, and the last is found out', () => {
    const registry = new ShrinkerRegistry();
    const [a, b] = [registry.root.child('a'), registry.root.child('b')];
    const lru = new ListLru<Item>();
    lru.add(item('0'), b);
    const { called } = shrink(registry, lru);
    lru.add(item('1'), a);
    lru.add(item('2'), a);
    const pass = (group?: MemoryGroup): (string | null)[] => {
      called.length = 0;
      registry.shrinkSlabSync({ priority: 0, ...(group ? { group } : {}) });
      return called.slice();
    };
    expect(pass(a)).toEqual(['/a']);
    expect([lru.count({ zone: 'heap', group: a }), lru.length]).toEqual([0, 1]);
    // It is empty, which is said, and looked at twice; after that nobody asks.
    expect(pass(a)).toEqual(['/a', '/a']);
    expect(pass(a)).toEqual([]);
    lru.add(item('3'), a);
    expect(pass()).toEqual(['/', '/a', '/b']);
    expect(lru.length).toBe(0);
    checkListLru(lru);
  });

  test('a shrinker that fell back to knowing no groups has all of it', () => {
    const registry = new ShrinkerRegistry({ accountsObjects: false });
    const a = registry.root.child('a');
    const lru = new ListLru<Item>();
    lru.add(item('1'), a);
    const { called, shrinker } = shrink(registry, lru);
    expect(shrinker.groupAware).toBe(false);
    lru.add(item('2'), a);
    expect(lru.count({ zone: 'heap', group: null })).toBe(2);
    expect(lru.count({ zone: 'heap', group: a })).toBe(2);
    expect(registry.shrinkSlabSync({ priority: 0, group: a })).toBe(0);
    expect(registry.shrinkSlabSync({ priority: 0 })).toBe(2);
    expect(called).toEqual([null]);
    checkListLru(lru);
  });
});

describe('reparent', () => {
  const shape = () => {
    const registry = new ShrinkerRegistry();
    const a = registry.root.child('a');
    const b = a.child('b');
    const lru = new ListLru<Item>();
    const { called } = shrink(registry, lru);
    const items = [...'12345'].map(item);
    items.forEach((object, index) => lru.add(object, index < 3 ? b : a));
    return { registry, a, b, lru, items, called };
  };

  test('the heir has the objects, the inherited ones first, and its bit', () => {
    const { registry, a, b, lru, items, called } = shape();
    b.offline();
    checkListLru(lru);
    expect([lru.count({ zone: 'heap', group: a }), lru.count({ zone: 'heap', group: b }), lru.length]).toEqual([
      5, 5, 5,
    ]);
    expect(walked(lru, { group: a, nrToScan: 9 })).toBe('12345');
    expect(walked(lru, { group: a, nrToScan: 2 })).toBe('12');
    expect(walked(lru, { group: a, nrToScan: 4 })).toBe('1234');
    // Who has not heard of it.
    expect([lru.del(items[1]!), lru.add(items[1]!, b), lru.moveToTail(items[0]!)]).toEqual([true, true, true]);
    expect(walked(lru, { group: a, nrToScan: 9 })).toBe('31452');
    a.offline();
    expect([lru.count({ zone: 'heap', group: null }), lru.length]).toEqual([5, 5]);
    expect(walked(lru, { nrToScan: 9 })).toBe('31452');
    called.length = 0;
    expect(registry.shrinkSlabSync({ priority: 0 })).toBe(5);
    expect([called, lru.length]).toEqual([['/'], 0]);
    checkListLru(lru);
  });

  test('a group that had nothing gets the bit with the objects', () => {
    const registry = new ShrinkerRegistry();
    const a = registry.root.child('a');
    const b = a.child('b');
    const lru = new ListLru<Item>();
    shrink(registry, lru);
    lru.add(item('1'), b);
    lru.reparent(b, a);
    expect(registry.shrinkSlabSync({ priority: 0, group: a })).toBe(1);
    // It has not ended, and may have objects again.
    lru.add(item('2'), b);
    expect(lru.count({ zone: 'heap', group: b })).toBe(1);
    lru.reparent(b, b);
    expect(lru.count({ zone: 'heap', group: b })).toBe(1);
    checkListLru(lru);
  });

  test('from inside a walk over the list that moves', () => {
    const { b, a, lru, items } = shape();
    let seen = '';
    const sc = { zone: 'heap' as const, group: b, nrToScan: 9, nrScanned: -1 };
    const removed = lru.walk(sc, (object) => {
      seen += object.name;
      if (object.name === '1') {
        b.offline();
        lru.del(items[1]!);
        lru.add(item('6'), b);
      }
      return REMOVED;
    });
    expect([seen, removed, sc.nrScanned, names(lru)]).toEqual(['13', 2, 2, '456']);
    expect(lru.count({ zone: 'heap', group: a })).toBe(3);
    checkListLru(lru);
  });

  test('STOP, and an error, end the walk over all that is inherited', () => {
    const { a, b, lru } = shape();
    b.offline();
    const sc = { zone: 'heap' as const, group: a, nrToScan: 9, nrScanned: -1 };
    expect(lru.walk(sc, ({ name }) => (name === '3' ? STOP : SKIP))).toBe(0);
    expect(sc.nrScanned).toBe(3);
    expect(() =>
      lru.walk(sc, ({ name }) => {
        if (name === '4') {
          throw new Error('four');
        }
        return SKIP;
      }),
    ).toThrow('four');
    expect(sc.nrScanned).toBe(4);
    checkListLru(lru);
  });

  test('costs the same however many there are, and lists are used again', () => {
    const registry = new ShrinkerRegistry();
    const lru = new ListLru<Item>();
    for (let round = 0; round < 1000; round++) {
      const group = registry.root.child('g');
      const objects = [item('1'), item('2')];
      objects.forEach((object) => lru.add(object, group));
      group.offline();
      objects.forEach((object) => lru.del(object));
      lru.walk({ zone: 'heap', group: null, nrToScan: 1, nrScanned: 0 }, () => SKIP);
    }
    expect((lru as any).links.lists.length).toBeLessThan(5);
    checkListLru(lru);
  });

  test('dispose gives all to the root, and no group keeps the list alive', () => {
    const { registry, a, lru } = shape();
    lru[Symbol.dispose]();
    expect([lru.count({ zone: 'heap', group: null }), lru.length]).toEqual([5, 5]);
    (lru as any).reparent = () => {
      throw new Error('told');
    };
    a.offline();
    registry.shrinkSlabSync({ priority: 0 });
    expect(lru.length).toBe(0);
  });
});

const STATUSES: readonly LruStatus[] = [REMOVED, REMOVED, REMOVED_RETRY, ROTATE, SKIP, RETRY, STOP];
const ZONES: readonly Zone[] = ['heap', 'shared'];

/** Adds, deletes, walks, and groups that come and go, also from inside callbacks: sums are conserved, groups exact. */
function fuzz(seed: number, bust: (lru: any) => void = () => {}): void {
  const rng = new SeededRng(seed);
  const registry = new ShrinkerRegistry();
  const lru = new ListLru<Item>({ zones: ZONES });
  bust(lru);
  let shrinker: Shrinker | null = null;
  if (rng.below(2) === 0) {
    ({ shrinker } = shrink(registry, lru, true));
  }
  const objects = Array.from({ length: 1 + rng.below(40) }, (_none, index) => item(`${index}.`));
  // Where each object was put; who has it now is the heir.
  const places = new Map<Item, { group: MemoryGroup; zone: Zone }>();
  const groups: MemoryGroup[] = [registry.root];
  let serial = 0;
  const change = (): void => {
    const object = rng.pick(objects);
    const group = rng.pick(groups);
    switch (rng.below(8)) {
      case 0:
        if (groups.length < 12 && !group.isOffline) {
          groups.push(group.child(`${serial++}`));
        }
        break;
      case 1:
        if (group.parent !== null && rng.below(2) === 0) {
          group.offline();
        }
        break;
      case 2:
      case 3:
        expect(lru.del(object)).toBe(places.delete(object));
        break;
      case 4:
        expect(lru.moveToTail(object)).toBe(places.has(object));
        break;
      default: {
        const zone = rng.pick(ZONES);
        expect(lru.add(object, group, zone)).toBe(!places.has(object));
        if (!places.has(object)) {
          places.set(object, { group, zone });
        }
      }
    }
  };
  const inGroup = (zone: Zone, group: MemoryGroup): Item[] =>
    objects.filter((object) => places.get(object)?.group.heir === group.heir && places.get(object)?.zone === zone);
  for (let step = 0; step < 80; step++) {
    change();
    if (rng.below(4) === 0) {
      const sc = { zone: rng.pick(ZONES), group: rng.pick(groups), nrToScan: rng.below(20), nrScanned: -1 };
      let removedNow = 0;
      let offered = 0;
      const removed = lru.walk(sc, (object) => {
        offered++;
        const place = places.get(object);
        expect([place?.zone, place?.group.heir]).toEqual([sc.zone, sc.group.heir]);
        for (let times = rng.below(3); times > 0; times--) {
          change();
        }
        const status = rng.pick(STATUSES);
        if (status === REMOVED || status === REMOVED_RETRY) {
          removedNow++;
          if (places.get(object) === place) {
            places.delete(object);
          }
        }
        return status;
      });
      expect([removed, sc.nrScanned]).toEqual([removedNow, offered]);
      expect(offered).toBeLessThanOrEqual(sc.nrToScan);
    }
    checkListLru(lru);
    expect(lru.length).toBe(places.size);
    const counts: [unknown, unknown][] = [];
    for (const group of groups) {
      for (const zone of ZONES) {
        const there = inGroup(zone, group);
        counts.push([lru.count({ zone, group }), there.length]);
        // Whoever has objects has its bit set.
        if (shrinker !== null && there.length > 0 && group.heir.parent !== null) {
          const { infos } = group.heir as any;
          counts.push([infos[ZONES.indexOf(zone) * 2]?.has((shrinker as any).bitId), true]);
        }
      }
    }
    expect(counts.filter(([is, should]) => is !== should)).toEqual([]);
    expect(new Set(lru)).toEqual(new Set(places.keys()));
  }
}

test('random operations on groups that come and go', () => {
  const first = Number(process.env['SEED'] ?? Date.now() % 1e9);
  for (let seed = first; seed < first + 60; seed++) {
    try {
      fuzz(seed);
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error });
    }
  }
});

const twins: [string, (lru: any) => void][] = [
  [
    'lists that do not change hands',
    (lru) => {
      lru.give = (part: any, to: any) => {
        lru.owners[part.id - 1] ??= to;
      };
    },
  ],
  [
    'groups that are not followed to their heirs',
    (lru) => {
      lru.placeOf = (group: MemoryGroup) => (group.parent === null ? null : group);
    },
  ],
  [
    'a heir that is not told',
    (lru) => {
      const { inherit } = lru;
      lru.inherit = function quietly(from: unknown, to: unknown) {
        const { tell } = this;
        this.tell = () => {};
        inherit.call(this, from, to);
        this.tell = tell;
      };
      const hold = lru.listIn;
      lru.listIn = function ofGroup(group: any, index: number) {
        const list = hold.call(this, group, index);
        // The group's own reparenting sets the bit as well: only the list is to be seen here.
        if (group !== null && !group.isOffline && list.length === 0 && lru.shrinker !== null) {
          (group.host.table as any).unmark(group, lru.shrinker.bitId, index * 2);
        }
        return list;
      };
    },
  ],
];

test.each(twins)('busted: %s', (_name, bust) => {
  expect(() => {
    for (let seed = 1; seed <= 60; seed++) {
      fuzz(seed, bust);
    }
  }).toThrow();
});
