import { createHost, type FrameworkError, TOKENS } from '@core/framework';
import { memorySource } from '@core/fs-source';
import { type ShrinkControl, SHRINK_EMPTY, SHRINK_STOP, ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, it } from 'vitest';
import { DentryCache, dentryCache, DentryError } from '../src/index.js';
import { check } from './support/insides.js';

function control(nrToScan: number): ShrinkControl {
  return { zone: 'heap', group: null, nrToScan, nrScanned: nrToScan, priority: 0, mode: 'direct' };
}

function wide(names: number): ReturnType<typeof memorySource> {
  const memory = memorySource();
  memory.mkdirSync('/d');
  for (let at = 0; at < names; at++) {
    memory.writeFileSync(`/d/f${at}`);
  }
  return memory;
}

function walkAll(cache: DentryCache, names: number): void {
  for (let at = 0; at < names; at++) {
    cache.walkSync(`/d/f${at}`);
  }
}

describe('the shrinker', () => {
  it('has the kernel’s parameters, and counts what could be freed', () => {
    const cache = new DentryCache({ source: wide(10) });
    const shrinker = cache.asShrinker();
    expect(shrinker).toMatchObject({ name: 'dentry', seeks: 2, groupAware: false });
    expect(shrinker.count(control(0))).toBe(SHRINK_EMPTY);
    walkAll(cache, 10);
    // Ten files, their directory as long as nobody has looked, two listings.
    expect(shrinker.count(control(0))).toBe(13);
    expect(shrinker.scan(control(1000))).toBe(13);
    expect(cache.stats()).toMatchObject({ dentries: 0, listings: 0, evictions: 13 });
    expect(shrinker.count(control(0))).toBe(SHRINK_EMPTY);
    check(cache);
  });

  it('runs under a registry, and does not enter itself', () => {
    const registry = new ShrinkerRegistry();
    let inner: number | null = null;
    const cache: DentryCache = new DentryCache({ source: wide(3000), seeks: 2 });
    registry.register(cache.attach(registry.alloc(cache.asShrinker())));
    walkAll(cache, 3000);
    expect(registry.shrinkSlabSync({ priority: 4 })).toBeGreaterThan(100);
    check(cache);
    const tree = (cache as unknown as { tree: { prune: (...of: unknown[]) => number } }).tree;
    const prune = tree.prune.bind(tree);
    tree.prune = (...of) => {
      inner = cache.asShrinker().scan(control(1)) as number;
      return prune(...of);
    };
    cache.asShrinker().scan(control(5));
    expect(inner).toBe(SHRINK_STOP);
  });

  it('lets remembered paths go, which would keep what they led to', () => {
    const cache = new DentryCache({ source: wide(1000) });
    walkAll(cache, 1000);
    expect(cache.stats().paths).toBe(1000);
    for (let round = 0; round < 8; round++) {
      cache.prune(2000);
      walkAll(cache, 1);
    }
    expect(cache.stats().paths).toBeLessThan(10);
  });
});

describe('a group', () => {
  it('is charged for dentries, listings and paths, and its limit acts on the cache', async () => {
    const registry = new ShrinkerRegistry();
    const group = registry.root.child('tenant', { max: 400_000 });
    const cache = new DentryCache({ source: wide(1500), group });
    registry.register(cache.attach(registry.alloc(cache.asShrinker())));
    expect(cache.asShrinker().groupAware).toBe(true);
    walkAll(cache, 1500);
    expect(cache.stats().chargedBytes).toBe(group.usage());
    expect(group.usage()).toBeGreaterThan(100_000);
    expect(group.usage()).toBeLessThanOrEqual(400_000);
    expect(cache.stats().dentries).toBeLessThan(1200);
    check(cache);
    expect(registry.shrinkSlabSync({ group, priority: 0 })).toBeGreaterThan(0);
    group.offline();
    walkAll(cache, 100);
    check(cache);
    await cache.close();
    expect(registry.root.usage()).toBe(0);
  });

  it('without room lets the cache take no more than it has', () => {
    const registry = new ShrinkerRegistry();
    const group = registry.root.child('tenant', { max: 100_000 });
    const cache = new DentryCache({ source: wide(2000), group });
    // No shrinker is attached: nobody makes room but the cache itself.
    walkAll(cache, 2000);
    expect(group.usage()).toBeLessThanOrEqual(100_000);
    expect(cache.stats().dentries).toBeLessThan(400);
    check(cache);
  });
});

describe('the plugin', () => {
  it('gives a host a cache, of its memory, with a shrinker', async () => {
    const plugin = dentryCache({ source: wide(500) });
    await using host = await createHost({ plugins: [plugin] });
    const cache = host.get(plugin);
    expect(host.get(DentryCache)).toBe(cache);
    walkAll(cache, 500);
    expect(cache.stats().chargedBytes).toBe(host.get(TOKENS.MemoryGroup).usage());
    expect(await host.reclaim()).toBeGreaterThan(0);
    expect(host.stats().plugins).toMatchObject([{ name: 'dentry' }]);
    check(cache);
  });

  it('stands before node’s file system, in a group that is made for it', async () => {
    const plugin = dentryCache({ name: 'files', group: (root) => root.child('files') });
    await using host = await createHost({ plugins: [plugin] });
    const cache = host.get(plugin);
    expect(cache.name).toBe('files');
    expect(cache.walkSync(import.meta.dirname).kind).toBe(2);
    const none = dentryCache({ group: null });
    await using other = await createHost({ plugins: [none] });
    expect(other.get(none).stats().chargedBytes).toBe(0);
  });

  it('says so when the host closes over holds', async () => {
    const plugin = dentryCache({ source: wide(1) });
    const host = await createHost({ plugins: [plugin] });
    host.get(plugin).hold(host.get(plugin).walkSync('/d/f0'));
    const failure = (await host.close().catch((error: unknown) => error)) as FrameworkError;
    const [cause] = (failure.cause as AggregateError).errors as unknown[];
    expect(DentryError.is(cause) && cause.code).toBe('ERR_DENTRY_HELD');
    expect(failure.message).toContain('1 holds of dentries are open; release each');
  });
});

describe('options', () => {
  const source = memorySource();

  it('are checked', () => {
    expect(() => new DentryCache({ source, maxs: 1 } as never)).toThrow('did you mean "max"?');
    expect(() => new DentryCache({} as never)).toThrow('Cannot create a DentryCache without a source');
    expect(() => new DentryCache(undefined as never)).toThrow(TypeError);
    for (const [name, value] of [
      ['max', 0],
      ['max', 1.5],
      ['maxNegative', -1],
      ['maxListed', Number.NaN],
      ['maxListedTotal', '1'],
      ['listAfter', 0],
      ['maxPaths', -2],
    ] as const) {
      expect(() => new DentryCache({ source, [name]: value }), name).toThrow(RangeError);
    }
  });

  it('may leave out what is limited, and what is remembered', () => {
    const memory = wide(50);
    const cache = new DentryCache({ source: memory, max: Infinity, maxNegative: 0, maxPaths: 0, maxListedTotal: 0 });
    walkAll(cache, 50);
    walkAll(cache, 50);
    expect(cache.stats()).toMatchObject({ paths: 0, pathHits: 0 });
    check(cache);
    const boundless = new DentryCache({ source: memory, max: Infinity, maxPaths: Infinity, maxListed: Infinity });
    walkAll(boundless, 50);
    expect(boundless.stats().paths).toBe(50);
  });
});
