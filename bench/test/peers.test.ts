import { AssertionError } from '@core/base';
import { describe, expect, it } from 'vitest';
import { CachedValue, cacheLoad } from '../src/core/object-cache/cache-load.js';
import { atLeast } from '../src/harness/competitor.js';
import { race } from '../src/harness/race.js';
import type { CaseResult, Figure } from '../src/harness/result.js';
import { type Resource, type ResourceCache, resourceCaches, useConcurrently } from '../src/peers/async-load.js';
import { peerWork } from '../src/peers/peer-work.js';
import { COMPAT, OURS, type PeerCache, type PeerKey, REFERENCE, compat, peerNamed, peers } from '../src/peers/peers.js';
import { heldToTheFastest, overAll } from '../src/peers/speed.bench.js';

const CAPACITY = 200;

/** What a cache shows of the keys 0 to `count`. */
function found(cache: PeerCache<{ n: number }>, count: number, keyOf: (n: number) => PeerKey): number[] {
  return Array.from({ length: count }, (_, n) => cache.get(keyOf(n))?.n ?? -1).filter((n) => n >= 0);
}

describe.each([...peers, compat].map((peer) => [peer.name, peer] as const))('the adapter of %s', (_, { create }) => {
  it.each([
    ['integers', (n: number) => n],
    ['strings', (n: number) => `key:${n}`],
  ])('keeps as many %s as there is room for', (_kind, keyOf) => {
    const cache = create<{ n: number }>(CAPACITY);
    for (let n = 0; n < CAPACITY; n++) {
      cache.set(keyOf(n), { n });
    }
    expect(cache.size).toBe(CAPACITY);
    expect(found(cache, CAPACITY, keyOf)).toHaveLength(CAPACITY);
  });

  it('evicts', () => {
    const cache = create<{ n: number }>(CAPACITY);
    for (let n = 0; n < CAPACITY * 10; n++) {
      cache.set(n, { n });
    }
    expect(cache.size).toBeLessThanOrEqual(CAPACITY);
    const kept = found(cache, CAPACITY * 10, (n) => n);
    // One of them may keep twice as many as it says.
    expect(kept.length).toBeLessThanOrEqual(CAPACITY * 2);
    expect(kept.length).toBeGreaterThanOrEqual(CAPACITY / 2);
  });
});

it('there is no peer of another name', () => {
  expect(() => peerNamed('lru')).toThrow(RangeError);
});

describe('a race of peers', () => {
  /** A peer that cheats, beside an honest one. */
  async function outcome(action: 'get hit' | 'set evict' | 'mixed', cheat: PeerCache<CachedValue>): Promise<unknown> {
    const load = cacheLoad(action, 'integer', 500, 2_000, false);
    try {
      const honest = peerWork(REFERENCE, peerNamed(REFERENCE).create(500), load);
      await race({ competitors: [honest, peerWork('cheat', cheat, load)], comparisons: [] }, 'smoke');
    } catch (error) {
      return error;
    }
    return null;
  }

  it.each(['get hit', 'set evict', 'mixed'] as const)('is open to who does the work: %s', async (action) => {
    expect(await outcome(action, peerNamed('mnemonist').create(500))).toBeNull();
  });

  it('refuses one that never evicts', async () => {
    expect(await outcome('set evict', new Map<PeerKey, CachedValue>())).toBeInstanceOf(AssertionError);
  });

  it('refuses one that stores nothing', async () => {
    const empty = { size: 0, get: () => undefined, set: () => {} };
    expect(await outcome('get hit', empty)).toBeInstanceOf(AssertionError);
  });

  it('refuses one that answers with what is of another key', async () => {
    const constant = new CachedValue(1);
    expect(await outcome('mixed', { size: 1, get: () => constant, set: () => {} })).toBeInstanceOf(AssertionError);
  });
});

describe('figures of speed', () => {
  const figure = (against: string, value: number, target: Figure['target'] = null, of: string = OURS): Figure => ({
    what: 'get',
    of,
    against,
    value,
    low: value,
    high: value,
    unit: 'x',
    target,
  });

  it('are held to the fastest that has a bound, and to lru-cache', () => {
    const lru = figure(REFERENCE, 1.5, atLeast(1));
    const held = heldToTheFastest([figure('Map', 0.5), lru, figure('a', 0.8), figure('b', 0.7)]);
    expect(held.map(({ target }) => target)).toEqual([null, atLeast(1), null, atLeast(0.9)]);
    // If that is the fastest, what it is held to stays.
    expect(heldToTheFastest([lru, figure('a', 2)])).toEqual([lru, figure('a', 2)]);
    // What is of ours in the shape of lru-cache is held to nothing.
    const shaped = figure(REFERENCE, 0.5, null, COMPAT);
    expect(heldToTheFastest([shaped, figure('a', 0.8)])).toEqual([shaped, figure('a', 0.8, atLeast(0.9))]);
  });

  it('have a geometric mean, with dispose and without', () => {
    const of = (value: number): CaseResult => ({
      timings: [],
      figures: [figure(REFERENCE, value), figure('Map', 9), figure(REFERENCE, 9, null, COMPAT)],
    });
    const means = overAll(
      new Map([
        ['get hit, 1,000, integer', of(4)],
        ['get miss, 1,000, integer', of(1)],
        ['get hit, 1,000, integer, dispose', of(0.5)],
      ]),
    );
    expect(means.map(({ what, value }) => [what, Number(value.toFixed(9))])).toEqual([
      ['geometric mean of 2 cases', 2],
      ['geometric mean of 1 cases, dispose', 0.5],
    ]);
    expect(overAll(new Map())).toEqual([]);
  });
});

describe('uses after dispose', () => {
  const keys = new Int32Array(600).map((_, at) => (at * 7) % 50);
  const use = (create: (max: number, make: () => Resource) => ResourceCache) => useConcurrently(create, 8, keys, 16);

  it('are none with ObjectCache, which disposes of each resource once', async () => {
    const uses = await use(resourceCaches[OURS] as never);
    expect(uses).toMatchObject({ afterDispose: 0, notOnce: 0 });
    expect(uses.made).toBeGreaterThan(50);
  });

  it.each(Object.keys(resourceCaches).filter((name) => name !== OURS))('are seen with %s', async (name) => {
    expect((await use(resourceCaches[name] as never)).afterDispose).toBeGreaterThan(0);
  });

  it('and resources that are never disposed of are seen', async () => {
    const leaky = (_max: number, make: () => Resource): ResourceCache => ({
      name: 'leaky',
      withResource: (_key, section) => section(make()),
      close: () => Promise.resolve(),
    });
    expect(await use(leaky)).toEqual({ afterDispose: 0, made: 600, notOnce: 600 });
  });
});
