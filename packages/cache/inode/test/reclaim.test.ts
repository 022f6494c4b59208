import { SHRINK_EMPTY, type ShrinkControl, ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { DerivedKind, type FileContents, type Inode, SuperBlock } from '../src/index.js';
import { makeWorld, type World } from './support/make-cache.js';

const TEXT = new DerivedKind<string>('text', { sizeOf: (text) => text.length });

function files(world: World, count: number): Inode[] {
  const inodes: Inode[] = [];
  for (let index = 0; index < count; index++) {
    world.memory.writeFileSync(`/${index}`);
    inodes.push(world.cache.igetSync(`/${index}`));
  }
  world.time.advance(10_000);
  return inodes;
}

function released(world: World, count: number): Inode[] {
  const inodes = files(world, count);
  for (const inode of inodes) {
    world.cache.release(inode);
  }
  return inodes;
}

describe('prune', () => {
  test('oldest first, and a second chance for those that were used', () => {
    const world = makeWorld();
    const [a, b, c] = released(world, 3) as [Inode, Inode, Inode];
    const { cache } = world;
    expect(cache.get(a.dev, a.ino)).toBe(a);
    expect(cache.prune(2)).toBe(1);
    expect([a, b, c].map(({ isStale }) => isStale)).toEqual([false, true, false]);
    // The walk went on behind the first: it comes last now, and its chance is spent.
    expect(cache.prune(2)).toBe(2);
    expect(cache.stats()).toMatchObject({ inodes: 0, unused: 0, evictions: 3 });
    cache.checkInvariants();
  });

  test('to be released again while on the list counts as used', () => {
    const world = makeWorld();
    const [a, b] = released(world, 2) as [Inode, Inode];
    const { cache } = world;
    cache.hold(a);
    cache.release(a);
    expect(cache.prune(2)).toBe(1);
    expect([a.isStale, b.isStale]).toEqual([false, true]);
  });

  test('values go first, and then the inode, which the walk comes back for', () => {
    const world = makeWorld();
    const [a, b] = files(world, 2) as [Inode, Inode];
    const { cache } = world;
    a.deriveSync(TEXT, () => 'a');
    cache.release(a);
    cache.release(b);
    expect(cache.prune(1)).toBe(0);
    expect(cache.stats()).toMatchObject({ derived: 0, inodes: 2, unused: 2 });
    expect(cache.prune(1)).toBe(1);
    expect([a.isStale, b.isStale]).toEqual([true, false]);
  });

  test('a held inode keeps its values, which may be pruned for themselves', () => {
    const world = makeWorld();
    const [a, b] = files(world, 2) as [Inode, Inode];
    const { cache } = world;
    a.deriveSync(TEXT, () => 'a');
    b.deriveSync(TEXT, () => 'b');
    expect(cache.prune(10)).toBe(0);
    expect(a.derived(TEXT)).toBe('a');
    expect(cache.derivedValues.count()).toBe(2);
    expect(cache.derivedValues.prune(2)).toBe(1);
    expect(cache.derivedValues.prune(2)).toBe(1);
    expect(cache.derivedValues.count()).toBe(0);
    expect(cache.stats()).toMatchObject({ derivedEvictions: 2, derivedBytes: 0, inodes: 2 });
  });

  test('is no number to prune', () => {
    const { cache } = makeWorld();
    expect(() => cache.prune(-1)).toThrow(RangeError);
    expect(() => cache.prune(1.5)).toThrow(RangeError);
    expect(cache.prune(0)).toBe(0);
  });
});

describe('contents', () => {
  function withContents(drop: (inode: Inode, cached: Set<Inode>) => boolean) {
    const cached = new Set<Inode>();
    const contents: FileContents = { has: (inode) => cached.has(inode), drop: (inode) => drop(inode, cached) };
    return { ...makeWorld({ contents }), cached };
  }

  test('are dropped before their inode, when the file is changed by others, and when it is another', () => {
    const dropped: string[] = [];
    const world = withContents((inode, cached) => {
      dropped.push(inode.path);
      return cached.delete(inode);
    });
    const { memory, cache, cached } = world;
    const [a, b, c] = files(world, 3) as [Inode, Inode, Inode];
    for (const inode of [a, b, c]) {
      cached.add(inode);
    }
    memory.writeFileSync('/0', 'x');
    cache.revalidateSync(a);
    expect(dropped).toEqual(['/0']);
    // Whoever has written himself has written through the contents.
    memory.writeFileSync('/1', 'x');
    cache.changed(b, memory.lstatSync('/1'));
    expect(dropped).toEqual(['/0']);
    memory.unlinkSync('/2');
    memory.writeFileSync('/2', 'other');
    expect(cache.revalidateSync(c)).toBe('replaced');
    expect(dropped).toEqual(['/0', '/2']);
    cache.release(b);
    cache.prune(3);
    expect(dropped).toEqual(['/0', '/2', '/1']);
    expect(b.isStale).toBe(true);
    cache.checkInvariants();
  });

  test('that cannot be dropped now keep their inode', () => {
    const world = withContents(() => false);
    const [a, b] = files(world, 2) as [Inode, Inode];
    world.cached.add(a);
    world.cache.release(a);
    world.cache.release(b);
    expect(world.cache.prune(10)).toBe(1);
    expect([a.isStale, b.isStale]).toEqual([false, true]);
    world.cached.clear();
    expect(world.cache.prune(10)).toBe(1);
  });

  test('whose drop calls back: takes, releases, prunes and replaces the very inode', () => {
    let callback: ((inode: Inode) => void) | null = null;
    const world = withContents((inode, cached) => {
      cached.delete(inode);
      callback?.(inode);
      return true;
    });
    const { cache, cached, memory } = world;
    const [a, b, c] = released(world, 3) as [Inode, Inode, Inode];
    cached.add(a).add(b).add(c);
    const held: Inode[] = [];
    callback = (inode) => {
      expect(cache.hold(inode)).toBe(true);
      cache.prune(1);
      held.push(inode);
    };
    expect(cache.prune(1)).toBe(0);
    expect([held, a.isStale]).toEqual([[a], false]);
    callback = (inode) => {
      cache.hold(inode);
      cache.release(inode);
    };
    cache.release(a);
    cache.prune(2);
    callback = ({ path }) => {
      memory.unlinkSync(path);
      memory.writeFileSync(path, 'another');
      const inode = cache.igetSync(path);
      expect(inode.isStale).toBe(false);
      cache.release(inode);
    };
    cached.add(a).add(b).add(c);
    cache.prune(100);
    cache.checkInvariants();
    expect([a, b, c].every(({ isStale }) => isStale)).toBe(true);
    expect(cache.stats().holds).toBe(0);
  });

  test('whose drop doubts, or does away with, the inode that is being looked at', () => {
    let callback: ((inode: Inode) => void) | null = null;
    const world = withContents((inode, cached) => {
      cached.delete(inode);
      callback?.(inode);
      return true;
    });
    const { cache, cached, memory } = world;
    const [a, b] = files(world, 2) as [Inode, Inode];
    cached.add(a).add(b);
    callback = (inode) => cache.invalidate(inode);
    memory.writeFileSync('/0', 'x');
    world.time.advance(60_000);
    expect(cache.revalidateSync(a)).toBe('changed');
    expect(cache.isFresh(a)).toBe(false);
    callback = (inode) => {
      cache.release(inode);
      cache.prune(5);
    };
    memory.writeFileSync('/1', 'x');
    cache.revalidateSync(b);
    expect([b.isStale, cache.isFresh(b)]).toEqual([true, false]);
    cache.checkInvariants();
  });

  test('that throw are reported, and keep their inode', () => {
    const world = withContents(() => {
      throw new Error('stuck');
    });
    const { cache, cached, errors } = world;
    const [a] = released(world, 1) as [Inode];
    cached.add(a);
    expect(cache.prune(5)).toBe(0);
    expect((errors[0] as Error).message).toBe('stuck');
    cache.checkInvariants();
  });

  test('an inode that is leaving is not found, and its number goes to a new one', () => {
    const seen: unknown[] = [];
    const world = withContents((inode, cached) => {
      cached.delete(inode);
      // The walk has taken the first already, and destroys it when it ends.
      const { dev, ino } = first.stats;
      seen.push(cache.get(dev, ino), cache.hold(first));
      again = cache.igetSync('/0');
      return true;
    });
    const { cache, cached } = world;
    const [first, second] = released(world, 2) as [Inode, Inode];
    let again: Inode | null = null;
    cached.add(second);
    cache.prune(10);
    expect(seen).toEqual([undefined, false]);
    expect(again).not.toBe(first);
    expect(cache.get(first.stats.dev, first.stats.ino)).toBe(again);
    cache.checkInvariants();
  });
});

describe('super block', () => {
  /** Names that hold an inode each, until they are pruned. */
  class Names {
    readonly held: Inode[] = [];
    readonly world: World;
    readonly asked: number[] = [];

    constructor(world: World) {
      this.world = world;
    }

    count(): number {
      return this.held.length;
    }

    prune(nr: number): number {
      this.asked.push(nr);
      const dropped = this.held.splice(0, nr);
      for (const inode of dropped) {
        this.world.cache.release(inode);
      }
      return dropped.length;
    }
  }

  class Blocks {
    left: number;
    readonly asked: number[] = [];

    constructor(left: number) {
      this.left = left;
    }

    count(): number {
      return this.left;
    }

    prune(nr: number): number {
      this.asked.push(nr);
      const freed = Math.min(nr, this.left);
      this.left -= freed;
      return freed;
    }
  }

  function register(block: SuperBlock): ShrinkerRegistry {
    const registry = new ShrinkerRegistry();
    const shrinker = registry.alloc(block.asShrinker());
    registry.register(shrinker);
    block.attach(shrinker);
    return registry;
  }

  test('declares what the kernel does', () => {
    const { cache } = makeWorld();
    const spec = new SuperBlock({ inodes: cache }).asShrinker();
    expect([spec.name, spec.batch, spec.seeks, spec.zoneAware]).toEqual(['sb', 1024, 2, true]);
  });

  test('names first, since they hold inodes: even the least scan frees one of each', async () => {
    const world = makeWorld();
    const names = new Names(world);
    names.held.push(...files(world, 5));
    expect(world.cache.count()).toBe(0);
    const registry = register(new SuperBlock({ dentries: names, inodes: world.cache }));
    await registry.debug.scan('sb', { nr: 1 });
    expect([names.count(), world.cache.stats().inodes]).toEqual([4, 4]);
    await registry.debug.scan('sb', { nr: 10 });
    expect(world.cache.stats().inodes).toBeLessThan(4);
  });

  test('busted: inodes before names frees no inode', async () => {
    const world = makeWorld();
    const names = new Names(world);
    names.held.push(...files(world, 5));
    const block = new SuperBlock({ dentries: world.cache, inodes: names });
    await register(block).debug.scan('sb', { nr: 1 });
    expect([names.count(), world.cache.stats().inodes]).toEqual([4, 5]);
  });

  test('the scan is split in proportion', async () => {
    const world = makeWorld();
    const names = new Names(world);
    const inodes = released(world, 300);
    const all = inodes.map((inode) => (world.cache.hold(inode), inode));
    names.held.push(...all.slice(0, 100));
    for (const inode of all.slice(100)) {
      world.cache.release(inode);
    }
    const blocks = new Blocks(599);
    const registry = register(new SuperBlock({ dentries: names, inodes: world.cache, contents: [blocks] }));
    // 100 + 300 + 599 + 1: shares of a hundredth are 1, 3 and 5, and each is asked for one more.
    await registry.debug.scan('sb', { nr: 10 });
    expect([names.asked, blocks.asked]).toEqual([[2], [6]]);
    await registry.debug.scan('sb', { nr: 1000 });
    expect(names.asked[1]).toBeGreaterThan(95);
  });

  const heap: ShrinkControl = { zone: 'heap', group: null, nrToScan: 0, nrScanned: 0, priority: 0, mode: 'direct' };

  test('counts all of it, scaled by the pressure, and says when there is nothing', async () => {
    const world = makeWorld();
    for (const [cachePressure, expected] of [
      [100, 10],
      [50, 5],
      [300, 30],
      [0, 0],
    ] as const) {
      const block = new SuperBlock({ inodes: new Blocks(4), contents: [new Blocks(6)], cachePressure });
      expect(block.asShrinker().count(heap)).toBe(expected);
    }
    expect(new SuperBlock({ inodes: world.cache }).asShrinker().count(heap)).toBe(SHRINK_EMPTY);
  });

  test('tells how large its objects are, by zone', () => {
    const world = makeWorld();
    const spec = new SuperBlock({
      dentries: new Blocks(5),
      inodes: world.cache,
      contents: [world.cache.derivedValues],
    }).asShrinker();
    expect(spec.objectBytes?.('heap')).toBe(0);
    const [a, b] = files(world, 2) as [Inode, Inode];
    const large = new DerivedKind<string>('large', { sizeOf: () => 10_000 - 112, zone: 'external' });
    a.deriveSync(large, () => 'a');
    b.deriveSync(large, () => 'b');
    expect([spec.objectBytes?.('heap'), spec.objectBytes?.('external')]).toEqual([0, 10_000]);
    world.cache.release(a);
    world.cache.release(b);
    // Of two inodes; the values, in another zone, are not in it.
    expect([spec.objectBytes?.('heap'), spec.objectBytes?.('shared')]).toEqual([800, 0]);
    world.cache.derivedValues.prune(2);
    expect(spec.objectBytes?.('external')).toBe(0);
  });

  test('a pass takes all in the end', () => {
    const world = makeWorld();
    const names = new Names(world);
    names.held.push(...files(world, 3000));
    const registry = register(
      new SuperBlock({ dentries: names, inodes: world.cache, contents: [world.cache.derivedValues] }),
    );
    for (let pass = 0; pass < 20 && world.cache.stats().inodes > 0; pass++) {
      registry.shrinkSlabSync({ priority: 0 });
      world.cache.checkInvariants();
    }
    expect([names.count(), world.cache.stats().inodes]).toEqual([0, 0]);
  });

  test('objects of the heap are not taken for another zone', () => {
    const world = makeWorld();
    released(world, 10);
    const blocks = new Blocks(5);
    const registry = register(new SuperBlock({ inodes: world.cache, contents: [blocks] }));
    registry.shrinkSlabSync({ zone: 'external', priority: 0 });
    expect([world.cache.count(), blocks.left]).toEqual([10, 0]);
  });

  test('a scan from inside a scan is stopped', async () => {
    const world = makeWorld();
    released(world, 2);
    const freed: number[] = [];
    const contents = {
      count: () => 100,
      prune: () => {
        freed.push(registry.shrinkSlabSync({ priority: 0 }));
        return 1;
      },
    };
    const registry = register(new SuperBlock({ inodes: world.cache, contents: [contents] }));
    await registry.debug.scan('sb', { nr: 100 });
    expect(freed).toEqual([0]);
    world.cache.checkInvariants();
  });

  test.each([
    [{}, TypeError],
    [undefined, TypeError],
    [{ inodes: {} }, TypeError],
    [{ inodes: new Blocks(1), dentries: { count: () => 1 } }, TypeError],
    [{ inodes: new Blocks(1), contents: [null] }, TypeError],
    [{ inodes: new Blocks(1), cachePressure: -1 }, RangeError],
    [{ inodes: new Blocks(1), cachePressure: Number.NaN }, RangeError],
    [{ inodes: new Blocks(1), pressure: 1 }, TypeError],
  ])('not %o', (options, error) => {
    expect(() => new SuperBlock(options as any)).toThrow(error);
  });
});

describe('in a group', () => {
  function grouped(max: number) {
    const registry = new ShrinkerRegistry();
    const group = registry.root.child('tenant', { max });
    const world = makeWorld({ group });
    const block = new SuperBlock({
      inodes: world.cache,
      contents: [world.cache.derivedValues],
      groupAware: true,
    });
    const shrinker = registry.alloc(block.asShrinker());
    registry.register(shrinker);
    block.attach(shrinker);
    return { ...world, registry, group };
  }

  test('inodes and values are charged, and given back', async () => {
    const world = grouped(1_000_000);
    const { group, cache } = world;
    const [a] = files(world, 2) as [Inode];
    expect(group.usage()).toBe(2 * 800);
    const kind = new DerivedKind<string>('e', { sizeOf: () => 1000.5, zone: 'external' });
    a.deriveSync(kind, () => 'x');
    expect([group.usage('heap'), group.usage('external')]).toEqual([1600, 1001 + 112]);
    expect(cache.stats().chargedBytes).toBe(group.usage());
    void cache.close();
    cache.release(a);
    await world.settle();
    expect(group.usage()).toBe(800);
  });

  test('a full group is reclaimed for a new inode', () => {
    const world = grouped(10 * 800);
    for (let index = 0; index < 100; index++) {
      world.memory.writeFileSync(`/${index}`);
      world.cache.release(world.cache.igetSync(`/${index}`));
    }
    expect(world.group.usage()).toBeLessThanOrEqual(8000);
    expect(world.cache.stats()).toMatchObject({ uncharged: 0 });
    expect(world.cache.stats().inodes).toBeGreaterThan(5);
    world.cache.checkInvariants();
  });

  test('when all is held, a new inode lives as long as it is held', async () => {
    const world = grouped(3 * 800);
    const inodes = files(world, 5);
    const { cache, group } = world;
    expect(group.usage()).toBe(2400);
    expect(cache.stats()).toMatchObject({ inodes: 5, uncharged: 2 });
    for (const inode of inodes) {
      cache.release(inode);
    }
    expect(cache.stats()).toMatchObject({ inodes: 3, unused: 3 });
    cache.checkInvariants();
  });

  test('a value that there is no room for is handed out', () => {
    const world = grouped(2000);
    const [a] = files(world, 1) as [Inode];
    expect(a.deriveSync(TEXT, () => 'x'.repeat(2000))).toHaveLength(2000);
    expect([a.derived(TEXT), world.group.usage()]).toEqual([undefined, 800]);
    world.cache.checkInvariants();
  });

  test('a pass over another group leaves it alone, and its own takes it', () => {
    const world = grouped(1_000_000);
    const { registry, group, cache } = world;
    const other = registry.root.child('other');
    released(world, 50);
    registry.shrinkSlabSync({ group: other, priority: 0 });
    expect(cache.count()).toBe(50);
    registry.shrinkSlabSync({ group, priority: 0 });
    expect(cache.count()).toBeLessThan(50);
  });

  test('when it ends, its parent has all', () => {
    const world = grouped(1_000_000);
    const { registry, group, cache } = world;
    released(world, 10);
    group.offline();
    expect(registry.root.usage()).toBe(8000);
    world.memory.writeFileSync('/more');
    cache.release(cache.igetSync('/more'));
    expect(registry.root.usage()).toBe(8800);
    while (cache.count() > 0) {
      registry.shrinkSlabSync({ priority: 0 });
    }
    expect(registry.root.usage()).toBe(0);
    cache.checkInvariants();
  });
});
