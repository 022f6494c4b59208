import { ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { EVICTION_POLICIES, type EvictionPolicy, Shadows, createPolicy } from '../../src/index.js';
import { makeCache } from '../support/make-cache.js';

describe('the policy option', () => {
  test.each(EVICTION_POLICIES)('%s keeps a cache within its limits, and says its name', (policy) => {
    const { cache } = makeCache<string, number>({ policy, max: 100, maxBytes: 5_000, sizeOf: (value) => value });
    for (let at = 0; at < 3_000; at++) {
      const key = `k${(at * at) % 317}`;
      if (cache.get(key) === undefined) {
        cache.set(key, at % 100);
      }
    }
    cache.checkInvariants();
    expect(cache.stats().policy).toBe(policy);
    expect(cache.size).toBeGreaterThan(50);
  });

  test.each([['fifo'], [''], [null], [7], [{}], ['toString']])('cannot be %j', (policy) => {
    expect(() => makeCache({ policy: policy as never })).toThrow(/^Cannot create a cache with policy/);
  });

  test('may make a policy of one’s own', () => {
    const own = createPolicy('sieve');
    const { cache } = makeCache<number, number>({ policy: () => own, max: 2 });
    cache.set(1, 1).set(2, 2).set(3, 3);
    expect([own.length, cache.size]).toEqual([2, 2]);
  });

  test('a policy that never has an unmarked entry in its hand costs patience, and hangs nothing', () => {
    const own = createPolicy('second-chance');
    own.spare = () => {};
    const { cache } = makeCache<number, number>({ policy: () => own, max: 3 });
    for (let key = 0; key < 3; key++) {
      cache.set(key, key);
      cache.get(key);
    }
    cache.set(3, 3);
    expect([...cache.keys()]).toEqual([1, 2, 3]);
  });

  test('a policy that has entries and shows none is a fault, and is named', () => {
    const own = createPolicy('second-chance');
    Object.assign(own, { name: 'mine', hand: () => -1 });
    const { cache } = makeCache<number, number>({ policy: () => own as EvictionPolicy, max: 1 });
    cache.set(1, 1);
    expect(() => cache.set(2, 2)).toThrow(/^Cannot evict: policy "mine" has 1 entries, and none in its hand/);
  });
});

describe('the order of', () => {
  const filled = (policy: 'lru' | 'sieve' | 's3-fifo' | 'workingset', max: number) => {
    const { cache } = makeCache<number, number>({ policy, max });
    for (let key = 0; key < max; key++) {
      cache.set(key, key);
    }
    return cache;
  };

  test('lru is that of the last use', () => {
    const cache = filled('lru', 3);
    cache.get(0);
    cache.get(1);
    cache.get(0);
    cache.set(3, 3).set(4, 4);
    expect([...cache.keys()].toSorted()).toEqual([0, 3, 4]);
  });

  test('sieve leaves what was used where it is', () => {
    const cache = filled('sieve', 3);
    cache.get(0);
    cache.set(3, 3).set(4, 4);
    expect([...cache.keys()].toSorted()).toEqual([0, 3, 4]);
  });

  test.each(['s3-fifo', 'workingset'] as const)('%s survives a scan that empties second chance', (policy) => {
    const survivors = (name: 'second-chance' | typeof policy): number => {
      const { cache } = makeCache<number, number>({ policy: name, max: 100 });
      for (let round = 0; round < 4; round++) {
        for (let key = 0; key < 80; key++) {
          if (cache.get(key) === undefined) {
            cache.set(key, key);
          }
        }
      }
      for (let key = 1000; key < 2000; key++) {
        cache.set(key, key);
      }
      return Array.from({ length: 80 }, (_, key) => key).filter((key) => cache.has(key)).length;
    };
    expect([survivors('second-chance'), survivors(policy) > 70]).toEqual([0, true]);
  });

  test('workingset is second chance for keys that are objects', () => {
    const keys = Array.from({ length: 40 }, (_, key) => ({ key }));
    const left = (policy: 'workingset' | 'second-chance'): number[] => {
      const { cache } = makeCache<{ key: number }, number>({ policy, max: 10 });
      for (let at = 0; at < 400; at++) {
        const key = keys[(at * at + (at >> 3)) % 40] as { key: number };
        if (cache.peek(key) === undefined) {
          cache.set(key, at);
        }
      }
      cache.checkInvariants();
      return [...cache.keys()].map(({ key }) => key);
    };
    expect(left('workingset')).toEqual(left('second-chance'));
  });

  test('workingset keeps a part of a loop that is larger than the cache', () => {
    const hits = (policy: 'workingset' | 'lru', keys: number): number => {
      const { cache } = makeCache<number, number>({ policy, max: 100 });
      for (let at = 0; at < 10_000; at++) {
        if (cache.get(at % keys) === undefined) {
          cache.set(at % keys, at);
        }
      }
      return cache.stats().hits;
    };
    expect([hits('lru', 120), hits('lru', 300)]).toEqual([0, 0]);
    expect(hits('workingset', 120)).toBeGreaterThan(4_000);
    expect(hits('workingset', 300)).toBeGreaterThan(3_000);
  });
});

describe('what is remembered of evicted keys', () => {
  // And a hash of each that is in.
  const bytesFor = (keys: number): number => Shadows.bytesFor(keys) + 4 * keys;
  const churn = (cache: { set(key: number, value: string): unknown }, from: number, to: number): void => {
    for (let key = from; key < to; key++) {
      cache.set(key, 'value');
    }
  };

  test('takes memory from the first eviction on, and is told apart from values', () => {
    const { cache } = makeCache<number, string>({ policy: 'workingset', max: 1_000, sizeOf: () => 1 });
    churn(cache, 0, 1_000);
    expect([cache.stats().shadowBytes, cache.bytes]).toEqual([0, 1_000]);
    churn(cache, 1_000, 1_001);
    expect([cache.stats().shadowBytes, cache.bytes]).toEqual([bytesFor(1_000), 1_000]);
  });

  test.each([
    ['a mild scan leaves it', 12, true],
    ['a hard one has it go', 3, false],
  ])('%s', (_, priority, stays) => {
    const { cache } = makeCache<number, string>({ policy: 's3-fifo', max: 1_000 });
    churn(cache, 0, 1_100);
    const sc = { zone: 'heap', group: null, nrToScan: 1, nrScanned: 0, priority, mode: 'direct' } as const;
    cache.asShrinker().scan({ ...sc });
    expect(cache.stats().shadowBytes > 0).toBe(stays);
    // It comes back when as many were evicted as there are entries.
    churn(cache, 2_000, 3_100);
    expect(cache.stats().shadowBytes).toBeGreaterThan(0);
    cache.clear();
    expect(cache.stats().shadowBytes).toBe(0);
  });

  test('is charged to the group, as long as there is room', () => {
    const registry = new ShrinkerRegistry();
    const run = (max: number): { charged: number; shadows: number; size: number } => {
      const group = registry.root.child(`g${max}`, { max });
      const { cache } = makeCache<number, string>({
        policy: 'workingset',
        max: 1_000,
        sizeOf: () => 100,
        group,
        name: `${max}`,
      });
      const shrinker = registry.alloc(cache.asShrinker());
      registry.register(shrinker);
      cache.attach(shrinker);
      churn(cache, 0, 5_000);
      cache.checkInvariants();
      const { chargedBytes, shadowBytes, size } = cache.stats();
      expect(group.usage()).toBe(chargedBytes);
      return { charged: chargedBytes, shadows: shadowBytes, size };
    };
    const roomy = run(1_000_000);
    expect(roomy.shadows).toBe(bytesFor(1_000));
    expect(roomy.charged).toBeGreaterThanOrEqual(1_000 * 196 + roomy.shadows);
    const tight = run(100_000);
    expect(tight.charged).toBeLessThanOrEqual(100_000);
    expect(tight.size).toBeGreaterThan(450);
  });
});
