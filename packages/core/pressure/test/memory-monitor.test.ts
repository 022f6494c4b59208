import { MemoryMonitor, type MemoryReading } from '@core/pressure';
import { ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { FakeSource, Sim } from './support/sim.js';
import { MIB, SimHeap } from './support/sim-heap.js';

interface Made {
  readonly registry: ShrinkerRegistry;
  readonly heap: SimHeap;
  readonly process: FakeSource;
  readonly source: FakeSource;
  readonly monitor: MemoryMonitor;
}

function make(
  reading: MemoryReading | null = null,
  own: Partial<ConstructorParameters<typeof MemoryMonitor>[0]> = {},
): Made {
  const registry = new ShrinkerRegistry();
  const heap = new SimHeap({ growth: 100 });
  const process = new FakeSource('process', { usedBytes: 40 * MIB, limitBytes: 4096 * MIB, from: 'os.totalmem()' });
  const source = new FakeSource('cgroup', reading);
  const monitor = new MemoryMonitor({ registry, heap, process, sources: [source], ...own });
  return { registry, heap, process, source, monitor };
}

describe('the limit of the process', () => {
  test('is the smallest that any source knows', () => {
    const { monitor } = make({ limitBytes: 512 * MIB, usedBytes: 50 * MIB, from: '/sys/fs/cgroup/memory.max' });
    expect(monitor.budgetOf('external').from).toContain('/sys/fs/cgroup/memory.max');
    expect(monitor.budgetOf('external').limitBytes).toBeLessThan(512 * MIB);
    expect(make({ limitBytes: 9000 * MIB }).monitor.budgetOf('external').from).toContain('os.totalmem()');
    expect(make({ limitBytes: Infinity }).monitor.budgetOf('external').from).toContain('os.totalmem()');
    expect(make({ limitBytes: 100 * MIB }).monitor.budgetOf('external').from).toContain('cgroup');
  });

  test('that changes is followed by a poll, and by nothing else', () => {
    const { monitor, source } = make({ limitBytes: 2048 * MIB });
    const { budgets } = monitor;
    source.reading = { limitBytes: 256 * MIB };
    monitor.sample();
    expect(monitor.budgets).toBe(budgets);
    monitor.poll();
    expect(monitor.budgetOf('heap').limitBytes).toBeLessThan(200 * MIB);
    source.reading = { limitBytes: 2048 * MIB };
    monitor.poll();
    expect(monitor.budgets).toEqual(budgets);
    const same = monitor.budgets;
    monitor.poll();
    expect(monitor.budgets).toBe(same);
  });

  test('a source that has nothing to say, for a while or at all', () => {
    const { monitor, source } = make();
    expect(monitor.stats().sources.map(({ name }) => name)).toEqual(['process']);
    expect(monitor.overflowBytes).toBe(0);
    source.reading = { limitBytes: 512 * MIB };
    monitor.poll();
    expect(monitor.stats().sources.map(({ name }) => name)).toEqual(['process', 'cgroup']);
    source.reading = null;
    monitor.poll();
    expect(monitor.budgetOf('external').from).toContain('os.totalmem()');
  });

  test('no source at all: nothing is limited but the heap', () => {
    const process = new FakeSource('process', null);
    const { monitor } = make(null, { process, sources: [] });
    expect(monitor.budgetOf('external')).toMatchObject({
      limitBytes: Infinity,
      watermarks: { min: 0, low: 0, high: 0 },
    });
    expect(monitor.budgetOf('heap').limitBytes).toBe(256 * MIB);
    expect(monitor.stateOf(monitor.budgetOf('external')).level).toBe('ok');
    expect(monitor.overflowBytes).toBe(0);
  });

  test('options go first', () => {
    const { monitor } = make({ limitBytes: 100 * MIB }, { limits: { rssBytes: 512 * MIB } });
    expect(monitor.budgetOf('external').from).toContain('options');
    expect(monitor.budgetOf('external').limitBytes).toBeGreaterThan(100 * MIB);
  });
});

describe('what is in use', () => {
  test('of the heap: what is alive, as far as is known', () => {
    const { monitor, heap, registry } = make();
    const budget = monitor.budgetOf('heap');
    expect(monitor.usedBytes(budget)).toBe(20 * MIB);
    registry.root.charge(30 * MIB);
    heap.alloc(30 * MIB);
    heap.alloc(50 * MIB);
    heap.drop(50 * MIB);
    expect(monitor.usedBytes(budget)).toBe(50 * MIB);
    registry.root.uncharge(10 * MIB);
    heap.drop(10 * MIB);
    expect(monitor.freeBytes(budget)).toBe((256 - 40) * MIB);
    heap.collect();
    expect(monitor.sample()).toBe(1);
    expect(monitor.sample()).toBe(0);
    expect(monitor.usedBytes(budget)).toBe(40 * MIB);
    expect(monitor.stats().heap).toMatchObject({ liveAtLastBytes: 40 * MIB, collections: 1, factor: 1 });
  });

  test('of other memory: what is charged', () => {
    const { monitor, registry } = make(null, { limits: { totalBytes: 1000 * MIB } });
    registry.root.charge(10 * MIB);
    registry.root.charge(20 * MIB, 'external');
    registry.root.charge(40 * MIB, 'shared');
    expect(monitor.usedBytes(monitor.budgetOf('external'))).toBe(60 * MIB);
    expect(monitor.usedBytes(monitor.budgetOf('total'))).toBe(70 * MIB);
  });

  test('bytes that wait for readers count once they were there at two polls', () => {
    const { monitor, registry } = make();
    let retired = 5 * MIB;
    const spec = { name: 'a', count: () => 0, scan: () => 0 };
    registry.register(registry.alloc({ ...spec, retiredBytes: (zone) => (zone === 'external' ? retired : 0) }));
    const used = (): number => {
      monitor.poll();
      return monitor.usedBytes(monitor.budgetOf('external')) / MIB;
    };
    expect(used()).toBe(0);
    expect(used()).toBe(5);
    retired = 8 * MIB;
    expect(used()).toBe(5);
    expect(used()).toBe(8);
    retired = 0;
    expect(used()).toBe(0);
  });

  test('levels', () => {
    const { monitor, registry } = make({ limitBytes: 512 * MIB });
    const budget = monitor.budgetOf('external');
    const { min, low, high } = budget.watermarks;
    const levels = [high, high - 1, low, low - 1, min, min - 1].map((free) => {
      const bytes = budget.limitBytes - free - registry.root.usage();
      registry.root.charge(bytes, 'external');
      return monitor.stateOf(budget).level;
    });
    expect(levels).toEqual(['ok', 'high', 'high', 'low', 'low', 'min']);
  });
});

describe('waste', () => {
  test('comes off the limit of the heap, down to half of it, and leaves the floor', () => {
    const { monitor, heap, registry } = make();
    const fill = (wastedMb: number): void => {
      registry.root.charge(30 * MIB);
      heap.alloc(30 * MIB);
      heap.collect(wastedMb * MIB);
      monitor.sample();
    };
    fill(0);
    fill(30);
    const budget = monitor.budgetOf('heap');
    expect(budget.limitBytes).toBeLessThan(256 * MIB);
    expect(budget.limitBytes).toBe(256 * MIB - monitor.stats().heap.wastedBytes);
    expect(budget.from).toBe('the simulation, less what large objects waste');
    fill(2000);
    expect(monitor.budgetOf('heap').limitBytes).toBe(128 * MIB);
    expect(monitor.budgetOf('heap').watermarks.min).toBe(Math.floor(0.2 * 128 * MIB));
    fill(0);
    expect(monitor.budgetOf('heap').limitBytes).toBe(256 * MIB);
  });

  test('of a small heap never lets more be used', () => {
    const registry = new ShrinkerRegistry();
    const heap = new SimHeap({ limitBytes: 100 * MIB, baseBytes: 5 * MIB, growth: 100 });
    const process = new FakeSource('process', { usedBytes: 40 * MIB, limitBytes: 4096 * MIB });
    const monitor = new MemoryMonitor({ registry, heap, process, sources: [] });
    const usable = (): number => {
      const { limitBytes, watermarks } = monitor.budgetOf('heap');
      return limitBytes - watermarks.min;
    };
    const before = usable();
    registry.root.charge(40 * MIB);
    heap.alloc(40 * MIB);
    heap.collect(5 * MIB);
    monitor.sample();
    expect(monitor.stats().heap.wastedBytes).toBeGreaterThan(0);
    expect(usable()).toBeLessThanOrEqual(before - monitor.stats().heap.wastedBytes);
  });
});

describe('signals from outside', () => {
  test('overflow is what a source uses beyond 95 % of its own limit', () => {
    const { monitor, source, process } = make();
    const overflow = (): number => {
      monitor.poll();
      return Math.round(monitor.overflowBytes / MIB);
    };
    expect(overflow()).toBe(0);
    source.reading = { limitBytes: 1000 * MIB, usedBytes: 960 * MIB };
    expect(overflow()).toBe(10);
    source.reading = { usedBytes: 9000 * MIB };
    expect(overflow()).toBe(0);
    source.reading = { limitBytes: 1000 * MIB };
    process.reading = { limitBytes: 4096 * MIB, usedBytes: 1000 * MIB };
    expect(overflow()).toBe(50);
  });

  test('the largest share of stalled time counts; none is 0', () => {
    const other = new FakeSource('psi', { stalledShare: 0.2 });
    const { monitor, source } = make(null, {});
    expect(monitor.stalledShare).toBe(0);
    source.reading = { stalledShare: 0.1 };
    monitor.poll();
    expect(monitor.stalledShare).toBe(0.1);
    expect(make(null, { sources: [source, other] }).monitor.stats().stalledShare).toBe(0.2);
  });

  test('stats are plain data, without infinite limits of sources', () => {
    const { monitor } = make({ limitBytes: Infinity, notes: ['Cannot read this'] });
    const stats = monitor.stats();
    expect(stats.sources[1]).toEqual({ name: 'cgroup', notes: ['Cannot read this'] });
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
  });
});

describe('options', () => {
  test.each([
    [{ heapBytes: 0 }, RangeError, 'heapBytes is 0, give bytes above 0'],
    [{ heapBytes: -1 }, RangeError, 'heapBytes is -1'],
    [{ rssBytes: Number.NaN }, RangeError, 'rssBytes is NaN'],
    [{ totalBytes: Infinity }, RangeError, 'totalBytes is Infinity'],
    [{ totalBytes: '5' as never }, TypeError, 'totalBytes is 5, give a number of bytes'],
    [{ rssBytes: null as never }, TypeError, 'rssBytes is null'],
  ])('%j', (limits, kind, message) => {
    expect(() => make(null, { limits })).toThrow(kind);
    expect(() => make(null, { limits })).toThrow(message);
  });

  test('undefined is as absent', () => {
    const { monitor } = make(null, { limits: { heapBytes: undefined, rssBytes: undefined, totalBytes: undefined } });
    expect(monitor.budgets.map(({ name }) => name)).toEqual(['heap', 'external']);
  });

  test('close closes the heap; disposing as well', () => {
    const { monitor, heap } = make();
    monitor[Symbol.dispose]();
    expect(heap.closed).toBe(true);
  });
});

test('on this very machine there are a heap and a process', () => {
  using monitor = new MemoryMonitor({ registry: new ShrinkerRegistry() });
  monitor.poll();
  const { budgets, sources } = monitor.stats();
  for (const { limitBytes, usedBytes, watermarks } of budgets) {
    expect(limitBytes).toBeGreaterThan(0);
    expect(usedBytes).toBeGreaterThanOrEqual(0);
    expect(watermarks.min).toBeLessThanOrEqual(watermarks.low);
  }
  expect(sources[0]?.name).toBe('process');
  expect(sources[0]?.usedBytes).toBeGreaterThan(10 * MIB);
});

test('a simulated process has the same', () => {
  using sim = new Sim();
  expect(sim.monitor.budgets.map(({ name }) => name)).toEqual(['heap', 'external']);
});
