import { describe, expect, test } from 'vitest';
import { FakeSource, Sim, type SimOptions } from './support/sim.js';
import { MIB } from './support/sim-heap.js';

/** At which seconds there was a slice. */
async function slicesOver(sim: Sim, seconds: number): Promise<number[]> {
  const found: number[] = [];
  for (let second = 1; second <= seconds; second++) {
    const before = sim.reclaimer.stats().background;
    await sim.time.runFor(1000);
    if (sim.reclaimer.stats().background > before) {
      found.push(second);
    }
  }
  return found;
}

describe('what is evicted and held elsewhere', () => {
  const neverCools = (sim: Sim): void => {
    sim.insides.reclaimer.cooldown.rests = () => false;
  };

  /** A collection each half second, for 60 s. */
  async function heldValues(bust?: (sim: Sim) => void): Promise<{ kept: number; cooldowns: number[] }> {
    using sim = new Sim({ baseBytes: 20 * MIB, growth: 100, ...(bust && { bust }) });
    const { limitBytes, watermarks } = sim.monitor.budgetOf('heap');
    const cache = sim.cache({ held: true });
    cache.insertBytes(limitBytes - 20 * MIB - watermarks.low + 4 * MIB);
    const before = cache.bytes;
    const cooldowns: number[] = [];
    let last = 0;
    for (let half = 0; half < 120; half++) {
      await sim.time.runFor(500);
      sim.heap.collect();
      await sim.time.runFor(1);
      // Whoever has values to insert looks at the heap, and hears of the collection.
      cache.insertBytes(2 * sim.reclaimer.stepBytes);
      cache.evict((2 * sim.reclaimer.stepBytes) / 16_384);
      sim.heap.live -= 2 * sim.reclaimer.stepBytes;
      const { cooldownMs } = sim.reclaimer.stats();
      if (cooldownMs > last) {
        cooldowns.push(cooldownMs);
      }
      last = cooldownMs;
    }
    return { kept: cache.bytes / before, cooldowns };
  }

  test('is not asked for again at once: pauses double up to 10 s', async () => {
    const { kept, cooldowns } = await heldValues();
    expect(kept).toBeGreaterThan(0.35);
    expect(cooldowns).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000]);
  });

  test('without pauses the caches are emptied', async () => {
    const { kept, cooldowns } = await heldValues(neverCools);
    expect(kept).toBeLessThan(0.05);
    expect(cooldowns.length).toBeGreaterThan(0);
  });

  test('a collection that only the timer sees counts as well', async () => {
    using sim = new Sim({ growth: 100 });
    const { limitBytes, watermarks } = sim.monitor.budgetOf('heap');
    const cache = sim.cache({ held: true });
    cache.insertBytes(limitBytes - 20 * MIB - watermarks.low + 4 * MIB);
    sim.heap.collect();
    await sim.time.runFor(2000);
    sim.heap.collect();
    await sim.time.runFor(1001);
    expect(sim.reclaimer.stats().cooldownMs).toBeGreaterThan(0);
  });

  test('memory that is counted exactly does not wait for it', async () => {
    using sim = new Sim({ growth: 100 });
    const { limitBytes, watermarks } = sim.monitor.budgetOf('heap');
    const buffers = sim.cache({ zone: 'external', spec: { zoneAware: true } });
    const cache = sim.cache({ held: true, spec: { zoneAware: true } });
    cache.insertBytes(limitBytes - 20 * MIB - watermarks.low + 4 * MIB);
    sim.heap.collect();
    await sim.time.runFor(2000);
    sim.heap.collect();
    for (let step = 0; step < 20 && sim.reclaimer.stats().cooldownMs === 0; step++) {
      await sim.time.runFor(100);
    }
    const external = sim.monitor.budgetOf('external');
    buffers.insertBytes(external.limitBytes - external.watermarks.low + MIB);
    const { evicted } = cache;
    await sim.time.runFor(500);
    expect(sim.reclaimer.stats().cooldownMs).toBeGreaterThan(0);
    expect(cache.evicted).toBe(evicted);
    expect(sim.monitor.freeBytes(external)).toBeGreaterThanOrEqual(external.watermarks.high);
  });
});

describe('pressure from outside', () => {
  test('a resident set near its limit: slices, with pauses that double, and begin anew when it is over', async () => {
    using sim = new Sim();
    const cache = sim.cache();
    cache.insertBytes(100 * MIB);
    sim.process.reading = { ...sim.process.reading, usedBytes: 1000 * MIB };
    expect(await slicesOver(sim, 130)).toEqual([1, 2, 4, 8, 16, 32, 64, 124]);
    expect(cache.bytes).toBeGreaterThan(50 * MIB);
    sim.process.reading = { ...sim.process.reading, usedBytes: 500 * MIB };
    expect(await slicesOver(sim, 10)).toEqual([]);
    sim.process.reading = { ...sim.process.reading, usedBytes: 1000 * MIB };
    expect(await slicesOver(sim, 10)).toEqual([1, 2, 4, 8]);
  });

  test('it is the zone of which most is charged that gives back', async () => {
    using sim = new Sim();
    const objects = sim.cache({ spec: { zoneAware: true } });
    const buffers = sim.cache({ zone: 'external', spec: { zoneAware: true } });
    objects.insertBytes(10 * MIB);
    buffers.insertBytes(100 * MIB);
    sim.process.reading = { ...sim.process.reading, usedBytes: 1000 * MIB };
    await sim.time.runFor(2000);
    expect(objects.evicted).toBe(0);
    expect(buffers.evicted * 16_384).toBeGreaterThanOrEqual(8 * MIB);
  });

  test('a container that others fill', async () => {
    const cgroup = new FakeSource('cgroup', { usedBytes: 490 * MIB, limitBytes: 512 * MIB });
    using sim = new Sim({ sources: [cgroup] });
    sim.cache().insertBytes(50 * MIB);
    await sim.time.runFor(1000);
    expect(sim.reclaimer.stats().background).toBe(1);
  });

  test('what others use is no matter where the limit is for this process alone', async () => {
    const cgroup = new FakeSource('cgroup', { usedBytes: 5000 * MIB, limitBytes: 16_384 * MIB });
    using sim = new Sim({ sources: [cgroup], limits: { rssBytes: 512 * MIB } });
    sim.cache().insertBytes(50 * MIB);
    await sim.time.runFor(60_000);
    expect(sim.passes).toEqual([]);
  });

  test('stalls: likewise', async () => {
    const psi = new FakeSource('psi', { stalledShare: 0.3 });
    using sim = new Sim({ sources: [psi] });
    sim.cache().insertBytes(100 * MIB);
    expect(await slicesOver(sim, 20)).toEqual([1, 2, 4, 8, 16]);
    psi.reading = { stalledShare: 0.1 };
    expect(await slicesOver(sim, 20)).toEqual([]);
  });

  test('a container that shrinks', async () => {
    const cgroup = new FakeSource('cgroup', { usedBytes: 100 * MIB, limitBytes: 1024 * MIB });
    using sim = new Sim({ sources: [cgroup] });
    const cache = sim.cache();
    cache.insertBytes(120 * MIB);
    await sim.time.runFor(3000);
    expect(sim.passes).toEqual([]);
    cgroup.reading = { usedBytes: 100 * MIB, limitBytes: 256 * MIB };
    // Something is charged: else it would be seen within 4 s only.
    cache.insertBytes(2 * MIB);
    await sim.time.runFor(3000);
    const heap = sim.monitor.budgetOf('heap');
    expect(heap.limitBytes).toBeLessThan(150 * MIB);
    expect(sim.monitor.freeBytes(heap)).toBeGreaterThanOrEqual(heap.watermarks.high);
    expect(cache.bytes).toBeGreaterThan(0.8 * (heap.limitBytes - heap.watermarks.high - 20 * MIB));
  });

  test('sources are read once a second while something is charged, and less often the longer nothing is', async () => {
    const cgroup = new FakeSource('cgroup', { usedBytes: 100 * MIB, limitBytes: 1024 * MIB });
    using sim = new Sim({ sources: [cgroup] });
    const cache = sim.cache();
    const readsWithin = async (ms: number): Promise<number> => {
      const before = cgroup.reads;
      await sim.time.runFor(ms);
      return cgroup.reads - before;
    };
    await sim.time.runFor(10_000);
    expect(await readsWithin(60_000)).toBe(15);
    let reads = 0;
    for (let second = 0; second < 20; second++) {
      cache.insertBytes(2 * MIB);
      reads += await readsWithin(1000);
    }
    expect(reads).toBe(20);
    cgroup.reading = { usedBytes: 1000 * MIB, limitBytes: 1024 * MIB };
    await sim.time.runFor(4000);
    expect(await readsWithin(20_000)).toBe(20);
  });
});

describe('other budgets', () => {
  function overfill(options: SimOptions, zone: 'external' | 'shared'): Sim {
    const sim = new Sim(options);
    const cache = sim.cache({ zone, spec: { zoneAware: true } });
    const { limitBytes, watermarks } = sim.monitor.budgetOf('external');
    for (let inserted = 0; inserted < 3 * limitBytes; inserted += 16_384) {
      cache.insert();
      if (sim.registry.root.usage(zone) > limitBytes - watermarks.min / 2) {
        throw new Error('Used more than it may');
      }
    }
    return sim;
  }

  test.each(['external', 'shared'] as const)('%s memory stays within its limit', async (zone) => {
    using sim = overfill({}, zone);
    const budget = sim.monitor.budgetOf('external');
    await sim.time.runFor(5000);
    expect(sim.monitor.freeBytes(budget)).toBeGreaterThanOrEqual(budget.watermarks.high);
    expect(sim.registry.root.usage(zone)).toBeGreaterThan(0.95 * (budget.limitBytes - budget.watermarks.high));
  });

  test('it would not without direct reclaim', () => {
    const bust = (sim: Sim): void => {
      sim.insides.reclaimer.reclaimDirectly = () => {};
    };
    expect(() => overfill({ bust }, 'external')).toThrow('Used more');
  });

  test('external memory and shared memory have one limit; the larger part gives back first', () => {
    using sim = new Sim();
    const { limitBytes, watermarks } = sim.monitor.budgetOf('external');
    const buffers = sim.cache({ zone: 'external', spec: { zoneAware: true } });
    const arenas = sim.cache({ zone: 'shared', spec: { zoneAware: true } });
    buffers.insertBytes(0.7 * limitBytes);
    arenas.insertBytes(0.2 * limitBytes);
    buffers.insertBytes(0.2 * limitBytes);
    expect(arenas.evicted).toBe(0);
    expect(buffers.evicted).toBeGreaterThan(0);
    expect(limitBytes - sim.registry.root.usage()).toBeGreaterThan(watermarks.min / 2);
  });

  test('a limit of everything together', async () => {
    using sim = new Sim({ limits: { totalBytes: 50 * MIB } });
    const objects = sim.cache({ spec: { zoneAware: true } });
    const buffers = sim.cache({ zone: 'external', spec: { zoneAware: true } });
    for (let round = 0; round < 10_000; round++) {
      objects.insert();
      buffers.insert();
      expect(sim.registry.root.usage()).toBeLessThan(50 * MIB);
    }
    expect(objects.evicted).toBeGreaterThan(0);
    expect(buffers.evicted).toBeGreaterThan(0);
    await sim.time.runFor(1000);
    expect(sim.registry.root.usage()).toBeLessThanOrEqual(0.85 * 50 * MIB);
    expect(sim.registry.root.usage()).toBeGreaterThan(0.75 * 50 * MIB);
  });

  test.each([4, 32, 100])('a limit of %s MiB beside a heap that is much larger', (limitMb) => {
    const options = { limitBytes: 8192 * MIB, rssLimitBytes: 32_768 * MIB, limits: { totalBytes: limitMb * MIB } };
    using sim = new Sim(options);
    const objects = sim.cache();
    let most = 0;
    for (let round = 0; round < 20_000; round++) {
      objects.insert();
      most = Math.max(most, sim.registry.root.usage());
    }
    expect(most).toBeLessThanOrEqual(limitMb * MIB);
    expect(most).toBeGreaterThan(0.85 * limitMb * MIB);
  });

  test('bytes that wait for readers are in use, once they stay', async () => {
    using sim = new Sim();
    const { limitBytes } = sim.monitor.budgetOf('external');
    let retired = 0;
    const buffers = sim.cache({ zone: 'external', spec: { zoneAware: true, retiredBytes: () => retired } });
    buffers.insertBytes(0.5 * limitBytes);
    retired = 0.45 * limitBytes;
    await sim.time.runFor(1000);
    expect(buffers.evicted).toBe(0);
    await sim.time.runFor(3000);
    expect(buffers.evicted).toBeGreaterThan(0);
  });
});

describe('groups', () => {
  test('those that are protected by min or low are passed over', async () => {
    using sim = new Sim();
    const kept = sim.registry.root.child('kept', { min: 30 * MIB });
    const spared = sim.registry.root.child('spared', { low: 30 * MIB });
    const other = sim.registry.root.child('other');
    const [first, second, third] = [kept, spared, other].map((group) => sim.cache({ group }));
    first?.insertBytes(29 * MIB);
    second?.insertBytes(29 * MIB);
    third?.insertBytes(3 * sim.heap.limitBytes);
    await sim.time.runFor(5000);
    expect(first?.evicted).toBe(0);
    expect(second?.evicted).toBe(0);
    expect(third?.evicted).toBeGreaterThan(0);
    expect(kept.stats().passedOver).toBeGreaterThan(0);
    expect(spared.stats().passedOver).toBeGreaterThan(0);
  });

  test('those that are not are not', async () => {
    using sim = new Sim();
    const group = sim.registry.root.child('a');
    const cache = sim.cache({ group });
    cache.insertBytes(29 * MIB);
    sim.cache({ group: sim.registry.root.child('other') }).insertBytes(3 * sim.heap.limitBytes);
    await sim.time.runFor(5000);
    expect(cache.evicted).toBeGreaterThan(0);
    expect(group.stats().passedOver).toBe(0);
  });
});
