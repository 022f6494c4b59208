import { describe, expect, test } from 'vitest';

import {
  GroupLimitError,
  type MemoryGroup,
  SHRINK_EMPTY,
  type Shrinker,
  ShrinkerRegistry,
  type Zone,
} from '@core/shrinker';

import { checkRegistry } from '../src/internal/check-invariants.js';
import type { GroupNode } from '../src/internal/group-node.js';
import { add, caught, entryOf, expectCode, sound } from './support.js';

/** A group-aware cache of items of one size, that charges what it has to the group of each. */
function cache(registry: ShrinkerRegistry, name: string, bytesEach: number) {
  const items = new Map<MemoryGroup | null, number>();
  const shrinker = add(registry, name, {
    groupAware: true,
    batch: 1,
    count: (sc) => items.get(sc.group) ?? SHRINK_EMPTY,
    scan: (sc) => {
      const group = sc.group as MemoryGroup;
      const there = items.get(group) ?? 0;
      const freed = Math.min(sc.nrToScan, there);
      items.set(group, there - freed);
      group.uncharge(freed * bytesEach);
      return freed;
    },
  });
  return {
    items,
    shrinker,
    put(group: MemoryGroup, count: number): void {
      for (let at = 0; at < count; at++) {
        group.charge(bytesEach);
        items.set(group, (items.get(group) ?? 0) + 1);
        group.setShrinkerBit(shrinker);
      }
    },
  };
}

describe('the tree', () => {
  test('has paths, parents, children and names', async () => {
    const registry = sound();
    const { root } = registry;
    const a = root.child('a');
    const b = a.child('b');
    expect([root.path, a.path, b.path, b.name, b.toString()]).toEqual(['/', '/a', '/a/b', 'b', '/a/b']);
    expect(JSON.stringify({ b })).toBe('{"b":"/a/b"}');
    expect([root.parent, a.parent, b.parent]).toEqual([null, root, a]);
    expect(root.children()).toEqual([a]);
    await expectCode('ERR_GROUP_NAME_TAKEN', () => root.child('a'));
    expect(() => root.child('')).toThrow(RangeError);
    expect(() => root.child('x/y')).toThrow(RangeError);
    expect(() => root.child(1 as never)).toThrow(TypeError);
    expect(() => root.child('c', { max: -1 })).toThrow(RangeError);
    expect(root.children()).toEqual([a]);
    checkRegistry(registry);
  });

  test('charges go up, by zone', () => {
    const registry = sound();
    const a = registry.root.child('a');
    const b = a.child('b');
    b.charge(5);
    b.charge(7, 'external');
    a.charge(1, 'heap');
    expect([b.usage(), b.usage('heap'), b.usage('external'), b.usage('shared')]).toEqual([12, 5, 7, 0]);
    expect([a.usage(), a.usage('heap')]).toEqual([13, 6]);
    expect(registry.root.usage()).toBe(13);
    expect(a.stats()).toMatchObject({ usage: { heap: 6, external: 7, shared: 0 }, own: { heap: 1, external: 0 } });
    checkRegistry(registry);
    b.uncharge(5, 'heap');
    expect([b.usage('heap'), a.usage('heap'), registry.root.usage('heap')]).toEqual([0, 1, 1]);
    checkRegistry(registry);
  });

  test('bad bytes and zones, with books as before', async () => {
    const registry = sound();
    const a = registry.root.child('a');
    a.charge(3);
    for (const bytes of [-1, Number.NaN, 0.5, Infinity, 2 ** 53]) {
      expect(() => a.charge(bytes)).toThrow(RangeError);
      expect(() => a.uncharge(bytes)).toThrow(RangeError);
    }
    expect(() => a.charge('1' as never)).toThrow(TypeError);
    expect(() => a.charge(1, 'attic' as Zone)).toThrow(RangeError);
    expect(() => a.uncharge(1, 'attic' as Zone)).toThrow(RangeError);
    expect(() => a.usage('attic' as Zone)).toThrow(RangeError);
    expect(() => a.charge(Number.MAX_SAFE_INTEGER)).toThrow(RangeError);
    await expectCode('ERR_GROUP_UNDERFLOW', () => a.uncharge(4));
    await expectCode('ERR_GROUP_UNDERFLOW', () => a.uncharge(1, 'shared'));
    // The parent has the bytes, but they are not its own to give back.
    await expectCode('ERR_GROUP_UNDERFLOW', () => registry.root.uncharge(1));
    expect([a.usage(), registry.root.usage()]).toEqual([3, 3]);
    checkRegistry(registry);
    for (const max of [-1, Number.NaN, { heap: -1 }, { attic: 1 } as never]) {
      expect(() => (a.limits.max = max)).toThrow(RangeError);
    }
    expect(() => (a.limits.low = '7' as never)).toThrow(TypeError);
    expect(() => (a.limits = null as never)).toThrow(TypeError);
    expect(a.limits.max).toBe(Infinity);
  });

  test('room is what the tightest limit leaves, of all zones or of one, here or above', () => {
    const { root } = new ShrinkerRegistry();
    const parent = root.child('parent', { max: { heap: 1000 } });
    const child = parent.child('child');
    expect([root.room(), child.room('external')]).toEqual([Infinity, Infinity]);
    child.charge(300);
    child.charge(50, 'external');
    expect([child.room(), child.room('heap'), child.room('external')]).toEqual([700, 700, Infinity]);
    child.limits = { high: 500 };
    expect([child.room('heap'), child.room('external'), parent.room()]).toEqual([150, 150, 700]);
    child.limits.max = { external: 60 };
    expect([child.room('heap'), child.room('external')]).toEqual([150, 10]);
    child.limits.high = 300;
    expect(child.room()).toBe(-50);
    expect(() => child.room('disk' as Zone)).toThrow(RangeError);
  });

  test('limits, at once and one by one', () => {
    const a = sound().root.child('a', { max: 10, low: { heap: 3 } });
    expect(a.stats().limits).toEqual({ min: 0, low: { heap: 3 }, high: Infinity, max: 10 });
    a.limits.max = { heap: 5, external: 6 };
    a.limits.min = 1;
    expect(a.stats().limits).toEqual({ min: 1, low: { heap: 3 }, high: Infinity, max: { heap: 5, external: 6 } });
    a.limits = { high: 7 };
    expect(a.stats().limits).toEqual({ min: 0, low: 0, high: 7, max: Infinity });
  });
});

describe('max', () => {
  test('reclaims in the charging call', () => {
    const registry = sound();
    const a = registry.root.child('a', { max: 1000 });
    const pages = cache(registry, 'pages', 100);
    pages.put(a, 10);
    expect(a.usage()).toBe(1000);
    a.charge(300);
    expect(a.usage()).toBeLessThanOrEqual(1000);
    expect(pages.items.get(a)).toBeLessThanOrEqual(7);
    expect(a.stats()).toMatchObject({ maxHits: 1, maxFailures: 0 });
    checkRegistry(registry);
  });

  test('reclaims the whole subtree of the full group, and nothing else', () => {
    const registry = sound();
    const a = registry.root.child('a', { max: 1000 });
    const pages = cache(registry, 'pages', 100);
    const [b, c] = [a.child('b'), a.child('c')];
    const other = registry.root.child('other');
    pages.put(other, 50);
    pages.put(b, 8);
    c.charge(1000);
    expect([pages.items.get(b), pages.items.get(other)]).toEqual([0, 50]);
    expect(a.usage()).toBe(1000);
  });

  const failsByName = (): void => {
    const registry = sound();
    const a = registry.root.child('a', { max: { heap: 1000 } });
    const [b, c] = [a.child('b'), a.child('c')];
    const pages = cache(registry, 'pages', 100);
    pages.put(c, 2);
    add(registry, 'stuck', { groupAware: true, count: () => 7, scan: () => 0 });
    const stuck = add(registry, 'stuck too', { groupAware: true, count: () => 9, scan: () => 0 });
    b.setShrinkerBit(stuck);
    a.charge(300);
    b.charge(500);
    let error: unknown;
    try {
      b.charge(600);
    } catch (thrown) {
      error = thrown;
    }
    expect(GroupLimitError.is(error)).toBe(true);
    const { group, charged, bytes, zone, users, message } = error as GroupLimitError;
    expect([group, charged, bytes, zone]).toEqual([a, b, 600, 'heap']);
    expect(users).toEqual([
      { kind: 'group', path: '/a/b', bytes: 500 },
      { kind: 'group', path: '/a', bytes: 300 },
      { kind: 'shrinker', name: 'stuck too', objects: 9 },
    ]);
    expect(message).toContain('group /a/b: group /a uses 800 of 1000 bytes of heap');
    expect(message).toContain('group /a/b 500 bytes');
    expect([a.usage(), b.usage(), registry.root.usage()]).toEqual([800, 500, 800]);
    expect(a.stats()).toMatchObject({ maxHits: 1, maxFailures: 1 });
    // Another zone has no limit.
    b.charge(5000, 'external');
    checkRegistry(registry);
  };
  test('fails by name when nothing can be freed, with books as before', failsByName);
  test('busted: counting first, and not taking it back, is caught', async () => {
    const prototype = Object.getPrototypeOf(sound().root) as GroupNode;
    const { charge } = prototype;
    prototype.charge = function eager(this: GroupNode, bytes, zone) {
      const limits = this.above?.limits.plain() ?? {};
      try {
        charge.call(this, bytes, zone);
      } catch (error) {
        (this.above ?? this).limits = {};
        charge.call(this, bytes, zone);
        (this.above ?? this).limits = limits;
        throw error;
      }
    };
    try {
      await caught(failsByName);
    } finally {
      prototype.charge = charge;
    }
  });

  test('what can never fit does not empty the caches', async () => {
    const registry = sound();
    const a = registry.root.child('a', { max: 1000 });
    const pages = cache(registry, 'pages', 100);
    pages.put(a, 10);
    await expectCode('ERR_GROUP_LIMIT', () => a.charge(1001));
    expect(pages.items.get(a)).toBe(10);
  });

  test('of all zones together is made room for in any of them', () => {
    const registry = sound();
    const a = registry.root.child('a', { max: 1000 });
    const items = { heap: 0, external: 10, shared: 0 };
    const zoned = add(registry, 'zoned', {
      groupAware: true,
      zoneAware: true,
      batch: 1,
      count: (sc) => items[sc.zone],
      scan: (sc) => {
        const freed = Math.min(sc.nrToScan, items[sc.zone]);
        items[sc.zone] -= freed;
        sc.group!.uncharge(100 * freed, sc.zone);
        return freed;
      },
    });
    a.charge(1000, 'external');
    a.setShrinkerBit(zoned, 'external');
    a.charge(500, 'heap');
    expect(a.usage()).toBeLessThanOrEqual(1000);
    expect(a.usage('heap')).toBe(500);
  });

  test('below what is used is fine: it is reclaimed, and charges fail until there is room', async () => {
    const registry = sound();
    const a = registry.root.child('a');
    const pages = cache(registry, 'pages', 100);
    pages.put(a, 5);
    a.charge(500);
    a.limits.max = 600;
    expect(a.usage()).toBeLessThanOrEqual(600);
    a.limits.max = 400;
    expect([a.usage(), pages.items.get(a)]).toEqual([500, 0]);
    await expectCode('ERR_GROUP_LIMIT', () => a.charge(1));
    a.uncharge(200);
    a.charge(1);
    expect(a.usage()).toBe(301);
    checkRegistry(registry);
  });

  test('a charge from inside a reclaim begins no other, and the reclaim goes on', () => {
    const errors: unknown[] = [];
    const registry = new ShrinkerRegistry({ onError: (error) => errors.push(error) });
    const a = registry.root.child('a', { max: 1000 });
    let charging = 0;
    const greedy = add(registry, 'greedy', {
      groupAware: true,
      batch: 1,
      count: () => 1000,
      scan: () => {
        charging++;
        a.charge(1000);
        return 1;
      },
    });
    const pages = cache(registry, 'pages', 100);
    pages.put(a, 10);
    a.setShrinkerBit(greedy);
    a.charge(400);
    expect(charging).toBeGreaterThan(0);
    expect(errors.every((error) => GroupLimitError.is(error))).toBe(true);
    expect(errors.length).toBe(charging);
    checkRegistry(registry);
  });

  test('after the end of the registry nothing is reclaimed, and books go on', async () => {
    const registry = sound();
    const a = registry.root.child('a', { max: 10 });
    a.charge(10);
    await registry[Symbol.asyncDispose]();
    await expectCode('ERR_GROUP_LIMIT', () => a.charge(1));
    a.uncharge(10);
    expect(registry.root.usage()).toBe(0);
  });
});

describe('high', () => {
  test('has the group reclaimed, and never fails', () => {
    const registry = sound();
    const a = registry.root.child('a', { high: 500 });
    const pages = cache(registry, 'pages', 100);
    pages.put(a, 20);
    expect(a.usage()).toBeLessThanOrEqual(500);
    a.charge(10_000);
    expect(a.usage()).toBeGreaterThanOrEqual(10_000);
    checkRegistry(registry);
  });

  test('that cannot be met is not tried again at each charge', () => {
    const registry = sound();
    const a = registry.root.child('a', { high: 500 });
    for (let at = 0; at < 1000; at++) {
      a.charge(100);
    }
    expect(a.usage()).toBe(100_000);
    expect(a.stats().highHits).toBeLessThan(400);
    expect(registry.stats().passes).toBeLessThan(400 * 36);
  });
});

describe('min and low', () => {
  const shape = () => {
    const registry = sound();
    const tenants = registry.root.child('tenants');
    const pages = cache(registry, 'pages', 100);
    return { registry, tenants, pages };
  };
  /** What is left in each of the groups after a pass. */
  const left = (tree: ReturnType<typeof shape>, groups: MemoryGroup[], priority: number, target?: MemoryGroup) => {
    tree.registry.shrinkSlabSync({ priority, ...(target ? { group: target } : {}) });
    checkRegistry(tree.registry);
    return groups.map((group) => tree.pages.items.get(group));
  };

  test('min always, low unless desperate', () => {
    const tree = shape();
    const { root } = tree.registry;
    const [min, low, none] = [
      root.child('min', { min: 1000 }),
      root.child('low', { low: 1000 }),
      root.child('none'),
    ] as const;
    for (const group of [min, low, none]) {
      tree.pages.put(group, 10);
    }
    expect(left(tree, [min, low, none], 1)).toEqual([10, 10, 0]);
    expect(left(tree, [min, low, none], 0)).toEqual([10, 0, 0]);
    // Reclaim of the group itself is not from above.
    expect(left(tree, [min], 0, min)).toEqual([0]);
  });

  test('nothing is protected that uses more', () => {
    const tree = shape();
    const group = tree.registry.root.child('min', { min: 999, low: 999 });
    tree.pages.put(group, 10);
    expect(left(tree, [group], 1)).toEqual([0]);
  });

  test('what a group protects goes for those below, as far as it reaches', () => {
    const tree = shape();
    tree.tenants.limits.min = 1000;
    const [a, b] = [tree.tenants.child('a', { min: 1000 }), tree.tenants.child('b', { min: 1000 })];
    tree.pages.put(a, 5);
    tree.pages.put(b, 5);
    expect(left(tree, [a, b], 0)).toEqual([5, 5]);
    // Together they claim 1,100 of 1,000: each has its part, which is less than it uses. With a out of the way there is
    // enough for b.
    tree.pages.put(b, 1);
    expect(left(tree, [a, b], 0)).toEqual([0, 6]);
  });

  test('a child has no more than its parent has', () => {
    const tree = shape();
    const a = tree.tenants.child('a', { min: 1000 });
    tree.pages.put(a, 5);
    expect(left(tree, [a], 0)).toEqual([0]);
  });

  test('what nobody claims goes to all', () => {
    const tree = shape();
    tree.tenants.limits.min = 1000;
    const [a, b] = [tree.tenants.child('a'), tree.tenants.child('b', { min: 300 })];
    tree.pages.put(a, 6);
    tree.pages.put(b, 3);
    expect(left(tree, [a, b], 0)).toEqual([6, 3]);
    tree.pages.put(a, 10);
    expect(left(tree, [a, b], 0)).toEqual([0, 3]);
  });

  test('zone by zone', () => {
    const tree = shape();
    const a = tree.registry.root.child('a', { min: { external: 100 } });
    tree.pages.put(a, 5);
    expect(left(tree, [a], 0)).toEqual([0]);
  });

  test('busted: a pass that does not ask is caught', () =>
    caught(() => {
      const tree = shape();
      const a = tree.registry.root.child('a', { min: 1000 });
      tree.pages.put(a, 5);
      (tree.registry as any).table.protecting = 0;
      expect(left(tree, [a], 0)).toEqual([5]);
    }));
});

describe('offline', () => {
  const movesBytes = async (): Promise<void> => {
    const registry = sound();
    const a = registry.root.child('a');
    const b = a.child('b', { min: 1 });
    a.charge(1);
    b.charge(10);
    b.offline();
    b.offline();
    expect([b.isOffline, b.heir, b.usage(), a.usage(), registry.root.usage()]).toEqual([true, a, 0, 11, 11]);
    expect(b.stats()).toMatchObject({ offline: true });
    await expectCode('ERR_GROUP_OFFLINE', () => b.charge(1));
    await expectCode('ERR_GROUP_OFFLINE', () => b.child('c'));
    await expectCode('ERR_GROUP_OFFLINE', () => b.hold({ reparent: () => {} }));
    await expectCode('ERR_GROUP_ROOT', () => registry.root.offline());
    b.uncharge(4);
    expect([a.usage(), a.stats().own.heap]).toEqual([7, 7]);
    await expectCode('ERR_GROUP_UNDERFLOW', () => b.uncharge(8));
    checkRegistry(registry);
    const again = a.child('b');
    again.charge(2);
    expect([again.usage(), a.usage()]).toEqual([2, 9]);
    checkRegistry(registry);
  };
  test('moves bytes to the parent, and takes no more', movesBytes);
  test('busted: bytes that end with the group are caught', async () => {
    const prototype = Object.getPrototypeOf(sound().root) as GroupNode;
    const { offline } = prototype;
    prototype.offline = function lossy(this: GroupNode) {
      this.own.fill(0);
      offline.call(this);
    };
    try {
      await caught(movesBytes);
    } finally {
      prototype.offline = offline;
    }
  });

  test('of a parent before its child ends both, and the grandparent has it all', () => {
    const registry = sound();
    const a = registry.root.child('a');
    const b = a.child('b');
    const c = b.child('c');
    c.charge(5, 'shared');
    b.offline();
    expect([c.isOffline, c.heir, a.usage('shared'), a.stats().own.shared]).toEqual([true, a, 5, 5]);
    c.offline();
    a.offline();
    expect([c.heir, registry.root.stats().own.shared]).toEqual([registry.root, 5]);
    c.uncharge(5, 'shared');
    expect(registry.root.usage()).toBe(0);
    checkRegistry(registry);
  });

  test('tells holders, after all else is done; one that throws does not stop it', () => {
    const registry = sound();
    const a = registry.root.child('a');
    const told: unknown[] = [];
    const reports: unknown[] = [];
    (a as any).host.reportHolder = (error: unknown) => reports.push(error);
    const gone = { reparent: () => told.push('gone') };
    a.hold({
      reparent: () => {
        throw new Error('first');
      },
    });
    a.hold(gone);
    a.hold({ reparent: (from, to) => told.push([from.path, to.path, from.isOffline]) });
    a.letGo(gone);
    a.offline();
    expect(told).toEqual([['/a', '/', true]]);
    expect(reports).toHaveLength(1);
  });
});

describe('who is told of', () => {
  test('only shrinkers of this registry', async () => {
    const registry = sound();
    const foreign = add(sound(), 'f', { groupAware: true });
    const a = registry.root.child('a');
    await expectCode('ERR_SHRINKER_FOREIGN', () => a.setShrinkerBit(foreign));
    expect(() => a.setShrinkerBit({} as Shrinker)).toThrow(TypeError);
    const own = add(registry, 'own', { groupAware: true });
    expect(() => a.setShrinkerBit(own, 'attic' as Zone)).toThrow(RangeError);
    expect(entryOf(own).marked).toBe(false);
  });
});
