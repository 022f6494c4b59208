import { describe, expect, test } from 'vitest';
import { Reclaimer } from '@core/pressure';
import { Sim } from './support/sim.js';
import { MIB } from './support/sim-heap.js';
import { turn } from './support/sim-time.js';
import { uncaught } from './support/uncaught.js';

/** Charges the heap up to so many bytes above a watermark. */
function fill(sim: Sim, mark: 'min' | 'low' | 'high', aboveBytes: number): void {
  const heap = sim.monitor.budgetOf('heap');
  const bytes = Math.floor(sim.monitor.freeBytes(heap) - heap.watermarks[mark] - aboveBytes);
  sim.heap.alloc(bytes);
  sim.registry.root.charge(bytes);
}

describe('caches that charge nothing', () => {
  test('give back in one pass for each look, at rising priority, and from the mildest again after a rest', async () => {
    using sim = new Sim({ growth: 100 });
    const cache = sim.cache({ chargedBytes: 0 });
    cache.insertBytes(150 * MIB);
    sim.heap.alloc(30 * MIB);
    sim.heap.collect();
    await sim.time.runFor(1000);
    expect(sim.passes).toEqual([{ mode: 'background', zone: 'heap', priority: 12 }]);
    await sim.time.runFor(150);
    expect(sim.passes.map(({ priority }) => priority)).toEqual([12, 11, 10, 9, 8]);
    sim.heap.live = 50 * MIB;
    sim.heap.collect();
    await sim.time.runFor(5000);
    expect(sim.passes).toHaveLength(5);
    expect(sim.reclaimer.stats().active).toBe(false);
    sim.heap.live = 200 * MIB;
    sim.heap.collect();
    await sim.time.runFor(1000);
    expect(sim.passes[5]).toEqual({ mode: 'background', zone: 'heap', priority: 12 });
  });

  test('nothing is asked of them where enough is free', async () => {
    using sim = new Sim();
    sim.cache({ chargedBytes: 0 }).insertBytes(50 * MIB);
    await sim.time.runFor(60_000);
    expect(sim.passes).toEqual([]);
  });
});

describe('shrinkers that do not do as they should', () => {
  test('one that throws goes to the error channel, and the others are asked', () => {
    using sim = new Sim();
    const broken = sim.cache({
      spec: {
        scan: () => {
          throw new Error('broken');
        },
      },
    });
    const cache = sim.cache();
    broken.insertBytes(60 * MIB);
    cache.insertBytes(3 * sim.heap.limitBytes);
    expect(sim.faults).toContainEqual(new Error('broken'));
    expect(broken.evicted).toBe(0);
    expect(cache.evicted).toBeGreaterThan(0);
  });

  test('one whose scans are promises gives back in the background', async () => {
    using sim = new Sim();
    const cache = sim.cache({ spec: { scan: async (sc) => cache.evict((await turn(), sc.nrToScan)) } });
    fill(sim, 'low', 40 * MIB);
    cache.insertBytes(44 * MIB);
    for (let step = 0; step < 400; step++) {
      await sim.time.runFor(5);
      await turn();
    }
    const heap = sim.monitor.budgetOf('heap');
    expect(sim.monitor.freeBytes(heap)).toBeGreaterThanOrEqual(heap.watermarks.high);
    expect(sim.errors).toEqual([]);
  });

  test('one that never settles does not stop direct reclaim of the others', async () => {
    using sim = new Sim();
    const stuck = sim.cache({ spec: { scan: () => new Promise<number>(() => {}) } });
    const cache = sim.cache();
    stuck.insertBytes(20 * MIB);
    fill(sim, 'low', -MIB);
    await sim.time.runFor(5000);
    cache.insertBytes(3 * sim.heap.limitBytes);
    expect(cache.evicted).toBeGreaterThan(0);
    sim.reclaimer.close();
    expect(sim.time.timers).toEqual([]);
  });

  test('one that charges inside of its scan begins no other reclaim', async () => {
    using sim = new Sim();
    let depth = 0;
    let deepest = 0;
    const cache = sim.cache({
      spec: {
        scan: (sc) => {
          depth++;
          deepest = Math.max(deepest, depth);
          sim.registry.root.charge(3 * MIB);
          sim.registry.root.uncharge(3 * MIB);
          depth--;
          return cache.evict(sc.nrToScan);
        },
      },
    });
    cache.insertBytes(2 * sim.heap.limitBytes);
    await sim.time.runFor(5000);
    expect(cache.evicted).toBeGreaterThan(0);
    expect(deepest).toBe(1);
    expect(sim.faults).toEqual([]);
    expect(sim.errors).toEqual([]);
  });

  test('one that lies about what it has does not hang a charge', () => {
    using sim = new Sim();
    const liar = sim.registry.alloc({ name: 'liar', count: () => 1e6, scan: (sc) => sc.nrToScan });
    sim.registry.register(liar);
    fill(sim, 'min', -MIB);
    sim.registry.root.charge(2 * MIB);
    expect(sim.reclaimer.stats().shortfalls).toBeGreaterThan(0);
  });
});

describe('close', () => {
  test('in the middle of a slice: no timer is left, and no pass begins', async () => {
    const sim = new Sim();
    let settle = (): void => {};
    const cache = sim.cache({
      spec: {
        scan: () =>
          new Promise<number>((resolve) => {
            settle = () => resolve(0);
          }),
      },
    });
    cache.insertBytes(20 * MIB);
    fill(sim, 'low', -MIB);
    await sim.time.runFor(5);
    const passes = sim.passes.length;
    expect(passes).toBe(1);
    sim.reclaimer.close();
    for (let batch = 0; batch < 20; batch++) {
      settle();
      await turn();
    }
    fill(sim, 'min', -4 * MIB);
    await sim.time.runFor(60_000);
    expect(sim.passes).toHaveLength(passes);
    expect(sim.time.timers).toEqual([]);
    expect(sim.errors).toEqual([]);
  });

  test('twice, and a start after it, do nothing', async () => {
    const sim = new Sim();
    sim.reclaimer.close();
    sim.reclaimer.close();
    sim.reclaimer.start();
    fill(sim, 'min', -4 * MIB);
    await sim.time.runFor(10_000);
    expect(sim.time.timers).toEqual([]);
    expect(sim.passes).toEqual([]);
  });

  test('of one that was never started leaves the charges to who watches them', () => {
    using sim = new Sim();
    const { registry, monitor } = sim;
    new Reclaimer({ registry, monitor }).close();
    sim.cache().insertBytes(2 * sim.heap.limitBytes);
    expect(sim.reclaimer.stats().direct).toBeGreaterThan(0);
  });

  test('from inside of a scan, and of onShort', async () => {
    const sim = new Sim({ onShort: () => sim.reclaimer.close() });
    const cache = sim.cache({ spec: { scan: () => (sim.reclaimer.close(), 0) } });
    cache.insertBytes(20 * MIB);
    fill(sim, 'min', -4 * MIB);
    await sim.time.runFor(10_000);
    expect(sim.time.timers).toEqual([]);
  });
});

describe('onShort', () => {
  test('is told when the caches can give next to nothing back, and not again within 10 s', async () => {
    using sim = new Sim();
    fill(sim, 'min', -MIB);
    sim.registry.root.charge(2 * MIB);
    expect(sim.told).toEqual(['reclaim-failed']);
    for (let second = 0; second < 9; second++) {
      await sim.time.runFor(1000);
      sim.registry.root.charge(2 * MIB);
    }
    expect(sim.told).toHaveLength(1);
    await sim.time.runFor(1000);
    sim.registry.root.charge(2 * MIB);
    expect(sim.told).toHaveLength(2);
  });

  test('is told when the end is near', () => {
    using sim = new Sim();
    const { min } = sim.monitor.budgetOf('heap').watermarks;
    fill(sim, 'min', -0.6 * min);
    sim.registry.root.charge(2 * MIB);
    expect(sim.told).toEqual(['near-limit']);
  });

  test('is not told when direct reclaim has made room, nor of background reclaim', async () => {
    using sim = new Sim();
    sim.cache().insertBytes(3 * sim.heap.limitBytes);
    await sim.time.runFor(20_000);
    expect(sim.reclaimer.stats().direct).toBeGreaterThan(0);
    expect(sim.told).toEqual([]);
  });

  test('what it throws does not break the charge', async () => {
    const sim = new Sim({
      onShort: () => {
        throw new Error('told');
      },
    });
    expect(await uncaught(() => fill(sim, 'min', -4 * MIB))).toEqual([new Error('told')]);
    const heap = sim.monitor.budgetOf('heap');
    expect(sim.monitor.freeBytes(heap) - heap.watermarks.min).toBeLessThan(-3 * MIB);
    sim.reclaimer.close();
  });
});

describe('reserve', () => {
  test('makes room before something large is built', () => {
    using sim = new Sim();
    const cache = sim.cache();
    cache.insertBytes(150 * MIB);
    const heap = sim.monitor.budgetOf('heap');
    expect(sim.monitor.freeBytes(heap)).toBeLessThan(heap.watermarks.min + 80 * MIB);
    expect(sim.reclaimer.reserve(80 * MIB)).toBe(true);
    expect(sim.monitor.freeBytes(heap)).toBeGreaterThanOrEqual(heap.watermarks.min + 80 * MIB);
    // A pass frees up to twice what is lacking.
    expect(cache.bytes).toBeGreaterThan(60 * MIB);
  });

  test('takes nothing where there is room', () => {
    using sim = new Sim();
    sim.cache().insertBytes(20 * MIB);
    expect(sim.reclaimer.reserve(20 * MIB)).toBe(true);
    expect(sim.passes).toEqual([]);
  });

  test('says no, at no cost, to what can never fit', () => {
    using sim = new Sim();
    const cache = sim.cache();
    cache.insertBytes(150 * MIB);
    expect(sim.reclaimer.reserve(300 * MIB)).toBe(false);
    expect(sim.reclaimer.reserve(Infinity)).toBe(false);
    expect(cache.evicted).toBe(0);
  });

  test('says no when the caches have not enough', () => {
    using sim = new Sim({ baseBytes: 150 * MIB });
    const cache = sim.cache();
    cache.insertBytes(10 * MIB);
    expect(sim.reclaimer.reserve(100 * MIB)).toBe(false);
  });

  test('counts for every limit of the zone', () => {
    using sim = new Sim({ limits: { totalBytes: 50 * MIB } });
    const cache = sim.cache({ zone: 'external', spec: { zoneAware: true } });
    cache.insertBytes(40 * MIB);
    expect(sim.reclaimer.reserve(30 * MIB, 'external')).toBe(true);
    expect(sim.registry.root.usage()).toBeLessThanOrEqual(20 * MIB);
    expect(sim.reclaimer.reserve(60 * MIB, 'shared')).toBe(false);
  });

  test('refuses what is no number of bytes, and no zone', () => {
    using sim = new Sim();
    expect(() => sim.reclaimer.reserve(-1)).toThrow(RangeError);
    expect(() => sim.reclaimer.reserve(Number.NaN)).toThrow(
      new RangeError('Cannot reserve NaN bytes: give a number from 0'),
    );
    expect(() => sim.reclaimer.reserve('5' as never)).toThrow(TypeError);
    expect(() => sim.reclaimer.reserve(5, 'disk' as never)).toThrow(
      'Cannot reserve memory in zone disk: the zones are heap, external, shared',
    );
  });
});
