import { describe, expect, test } from 'vitest';
import { Sim, type SimOptions } from './support/sim.js';
import { HeapDied, MIB } from './support/sim-heap.js';

/** Fills a cache with ten times what the heap can have, in one turn. */
function burst(options: SimOptions = {}, sizes: { realBytes?: number; chargedBytes?: number } = {}): Sim {
  const sim = new Sim(options);
  const cache = sim.cache(sizes);
  cache.insertBytes(10 * sim.heap.limitBytes);
  expect(cache.evicted).toBeGreaterThan(0);
  return sim;
}

const noDirectReclaim = (sim: Sim): void => {
  sim.insides.reclaimer.reclaimDirectly = () => {};
};
const factorOfOne = (sim: Sim): void => {
  Object.defineProperty(sim.insides.monitor.model, 'factor', { get: () => 1, set: () => {} });
};
const steersByUsedBytes = (sim: Sim): void => {
  const { monitor } = sim.insides;
  const usedBytes = monitor.usedBytes.bind(monitor);
  monitor.usedBytes = (budget) => (budget.name === 'heap' ? sim.heap.usedBytes() : usedBytes(budget));
};
const forgetsItsLatch = (sim: Sim): void => {
  const { latched } = sim.insides.reclaimer;
  // As if background reclaim began below `high`, and not below `low`.
  latched.has = (name) => sim.monitor.freeBytes(sim.monitor.budgetOf(name as 'heap')) < 0.4 * 256 * MIB;
};

describe('a loop that fills a cache and never yields', () => {
  test.each([0.25, 0.5, 1, 2, 4])('survives when values are %s times as large as is charged', (factor) => {
    using sim = burst({}, { realBytes: 16_384, chargedBytes: 16_384 / factor });
    const { direct, directBytes } = sim.reclaimer.stats();
    expect(direct).toBeGreaterThan(0);
    expect(directBytes).toBe((sim.registry.stats().freed * 16_384) / factor);
    expect(sim.heap.live).toBeLessThan(sim.heap.limitBytes);
  });

  test.each([1.3, 1.5, 2, 4])('survives when the heap grows by %s between collections', (growth) => {
    using sim = burst({ growth });
    expect(sim.heap.collected).toBeGreaterThan(0);
  });

  test('survives beside other garbage', () => {
    using sim = new Sim();
    const cache = sim.cache();
    for (let insert = 0; insert < 100_000; insert++) {
      cache.insert();
      sim.heap.churn(30_000);
    }
    expect(cache.bytes).toBeGreaterThan(0.85 * sim.highMarkBytes);
  });

  test('dies with timers only', () => {
    expect(() => burst({ bust: noDirectReclaim })).toThrow(HeapDied);
  });

  test('dies with sizes wrong by 4 when nobody measures that', () => {
    expect(() => burst({ bust: factorOfOne }, { realBytes: 16_384, chargedBytes: 4096 })).toThrow(HeapDied);
  });

  test('takes next to no more than it must', () => {
    using sim = burst();
    const { limitBytes, watermarks } = sim.monitor.budgetOf('heap');
    const kept = sim.heap.live;
    expect(kept).toBeGreaterThan(0.9 * (limitBytes - watermarks.min));
    expect(kept).toBeLessThan(limitBytes - watermarks.min / 2);
  });
});

describe('after a burst', () => {
  async function keptAfter(bust?: (sim: Sim) => void): Promise<number> {
    using sim = new Sim({ ...(bust && { bust }) });
    const cache = sim.cache();
    cache.insertBytes(2 * sim.heap.limitBytes);
    await sim.time.runFor(15_000);
    return cache.bytes / sim.highMarkBytes;
  }

  test('the caches keep what they may', async () => {
    expect(await keptAfter()).toBeGreaterThanOrEqual(0.85);
  });

  test('they lose it to one that steers by the used heap', async () => {
    expect(await keptAfter(steersByUsedBytes)).toBeLessThan(0.5);
  });

  async function passesAtRest(bust?: (sim: Sim) => void): Promise<{ first: number; rest: number; free: number }> {
    using sim = new Sim({ ...(bust && { bust }) });
    const cache = sim.cache();
    cache.insertBytes(2 * sim.heap.limitBytes);
    sim.passes.length = 0;
    await sim.time.runFor(5000);
    const first = sim.passes.length;
    for (let second = 0; second < 55; second++) {
      sim.heap.churn(8 * MIB);
      // Between `low` and `high`: neither begins nor goes on.
      cache.insertBytes(MIB / 8);
      await sim.time.runFor(1000);
    }
    const heap = sim.monitor.budgetOf('heap');
    return { first, rest: sim.passes.length - first, free: sim.monitor.freeBytes(heap) - heap.watermarks.low };
  }

  test('background reclaim goes down to `high` once, and rests', async () => {
    const { first, rest, free } = await passesAtRest();
    expect(free).toBeGreaterThan(0);
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(100);
    expect(rest).toBe(0);
  });

  test('one without a latch does not rest', async () => {
    const { rest } = await passesAtRest(forgetsItsLatch);
    expect(rest).toBeGreaterThan(20);
  });

  test('what is evicted is not asked for again, though no collection has come', async () => {
    using sim = new Sim();
    const cache = sim.cache();
    cache.insertBytes(2 * sim.heap.limitBytes);
    const { collected } = sim.heap;
    await sim.time.runFor(5000);
    const { evicted } = cache;
    expect(sim.heap.garbage).toBeGreaterThan(0);
    await sim.time.runFor(600_000);
    expect(sim.heap.collected).toBe(collected);
    expect(cache.evicted).toBe(evicted);
  });

  test('background reclaim works in slices, each on a timer of its own', async () => {
    using sim = new Sim();
    sim.cache().insertBytes(sim.heap.limitBytes);
    const before = sim.reclaimer.stats();
    expect(before).toMatchObject({ background: 0, active: true });
    await sim.time.runFor(5);
    const { background, backgroundBytes } = sim.reclaimer.stats();
    expect(background).toBe(1);
    expect(backgroundBytes).toBeGreaterThanOrEqual(4 * MIB);
    expect(backgroundBytes).toBeLessThan(8 * MIB);
    await sim.time.runFor(2000);
    expect(sim.reclaimer.stats().active).toBe(false);
  });
});

describe('at rest', () => {
  test('it looks once a second, and does no pass', async () => {
    using sim = new Sim();
    sim.cache().insertBytes(20 * MIB);
    await sim.time.runFor(60_000);
    expect(sim.time.delays.every((delay) => delay >= 1000)).toBe(true);
    expect(sim.time.delays).toHaveLength(60);
    expect(sim.passes).toEqual([]);
    expect(sim.reclaimer.stats()).toMatchObject({ direct: 0, background: 0, shortfalls: 0, active: false });
  });

  test('also on a small heap, after reclaim', async () => {
    using sim = new Sim({ limitBytes: 40 * MIB, baseBytes: MIB });
    sim.cache().insertBytes(80 * MIB);
    await sim.time.runFor(10_000);
    expect(sim.reclaimer.stats().background).toBeGreaterThan(0);
    sim.time.delays.length = 0;
    await sim.time.runFor(20_000);
    expect(sim.time.delays.every((delay) => delay >= 1000)).toBe(true);
  });

  test('it watches more closely when reclaim might begin soon', async () => {
    using sim = new Sim();
    const { limitBytes, watermarks } = sim.monitor.budgetOf('heap');
    sim.cache().insertBytes(limitBytes - 20 * MIB - 1.2 * watermarks.low);
    await sim.time.runFor(5000);
    expect(sim.time.delays.at(-1)).toBe(100);
    expect(sim.passes).toEqual([]);
  });

  test('a step follows the limit of the heap', async () => {
    using large = new Sim({ limitBytes: 8192 * MIB, rssLimitBytes: 32_768 * MIB });
    using medium = new Sim({ limitBytes: 512 * MIB });
    using small = new Sim({ limitBytes: 64 * MIB });
    expect([large, medium, small].map(({ reclaimer }) => reclaimer.stepBytes / MIB)).toEqual([8, 2, 0.5]);
    large.process.reading = { ...large.process.reading, limitBytes: 512 * MIB };
    await large.time.runFor(1000);
    expect(large.reclaimer.stepBytes).toBeLessThan(2 * MIB);
    expect((large.reclaimer as unknown as { watchedBytes: number }).watchedBytes).toBe(large.reclaimer.stepBytes);
  });
});
