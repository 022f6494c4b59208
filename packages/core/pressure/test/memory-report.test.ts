import { formatReport, type MemoryReport, reportOf } from '@core/pressure';
import { SHRINK_STOP } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import { FakeSource, Sim } from './support/sim.js';
import { MIB } from './support/sim-heap.js';

async function fullReport(): Promise<MemoryReport> {
  const psi = new FakeSource('psi', { stalledShare: 0.031 });
  using sim = new Sim({
    sources: [new FakeSource('cgroup', { limitBytes: 512 * MIB, usedBytes: 300 * MIB, from: '/memory.max' }), psi],
    limits: { totalBytes: 400 * MIB },
  });
  const { registry } = sim;
  const tenant = registry.root.child('tenant', { max: 10 * MIB });
  const objects = sim.cache({ name: 'objects', spec: { skipped: () => ({ held: 3 }) } });
  const buffers = sim.cache({ name: 'buffers', group: tenant, zone: 'external', spec: { zoneAware: true } });
  objects.insertBytes(100 * MIB);
  for (let insert = 0; insert < 700; insert++) {
    buffers.insert();
  }
  expect(() => tenant.charge(11 * MIB, 'external')).toThrow('Cannot charge');
  registry.register(
    registry.alloc({
      name: 'stopped',
      count: () => 5000,
      scan: () => SHRINK_STOP,
      retiredBytes: () => 1024,
      retiredAgeMs: () => 1500,
    }),
  );
  sim.heap.collect();
  sim.monitor.poll();
  registry.shrinkSlabSync({ priority: 0, group: tenant });
  registry.shrinkSlabSync({ priority: 3 });
  return reportOf(registry, sim.monitor, sim.reclaimer, 'near-limit', {
    pendings: [
      { name: 'objects', count: 12, bytes: 3 * MIB, oldestAgeMs: 15 },
      { name: 'quiet', count: 0, bytes: 0, oldestAgeMs: null },
    ],
    readers: [
      { domain: 'srcu', readers: 2, label: 'export', ageMs: 21_500, callbacksWaiting: 7 },
      { domain: 'raw', readers: 1, label: null, ageMs: null, callbacksWaiting: 0 },
    ],
  });
}

describe('a report', () => {
  test('as text', async () => {
    expect(formatReport(await fullReport())).toMatchInlineSnapshot(`
      "Memory is nearly used up
      budget        used         of  level  limit found in
      heap      94.6 MiB  256.0 MiB     ok  the simulation
      external   9.9 MiB  120.0 MiB     ok  /memory.max, less the heap, the process itself and a margin
      total     84.9 MiB  400.0 MiB     ok  options
      heap: 120.0 MiB alive after 3 major collections, 1.02 live bytes for each charged, 0 B wasted
      reclaim: 0 direct (0 B, 0.0 ms), 0 in the background (0 B), 0 fell short
      source        used         of  stalled  limit found in
      process   40.0 MiB    1.0 GiB           the simulation
      cgroup   300.0 MiB  512.0 MiB           /memory.max
      psi                              3.1 %
      group        heap  external  shared  max met  failed  protected
      /        75.0 MiB   9.9 MiB     0 B        0       0  0
      /tenant       0 B   9.9 MiB     0 B        5       1  0
      shrinker  freeable  freed  scanned  deferred  waiting   oldest  skipped
      stopped       5000      0        0      1250  3.0 KiB  1500 ms  stopped 1
      objects       4800   1600     1600         0      0 B           held 3
      buffers        636     64       64        80      0 B
      pending  objects    bytes  oldest
      objects       12  3.0 MiB  15 ms
      quiet          0      0 B
      domain  readers  oldest guard  open for  callbacks waiting
      srcu          2        export    21.5 s  7
      raw           1                          0"
    `);
  });

  test('is plain data', async () => {
    const report = await fullReport();
    const copy = JSON.parse(JSON.stringify(report)) as MemoryReport;
    expect(copy).toEqual(report);
    expect(formatReport(copy)).toBe(formatReport(report));
  });

  test('reads the same after JSON where nothing limits', () => {
    using sim = new Sim({ rssLimitBytes: Infinity });
    const report = reportOf(sim.registry, sim.monitor, sim.reclaimer);
    expect(formatReport(report)).toMatch(/^Memory report\n/);
    expect(formatReport(report)).toMatch(/external .* no limit/);
    expect(formatReport(JSON.parse(JSON.stringify(report)) as MemoryReport)).toBe(formatReport(report));
  });

  test('of nothing is short', () => {
    using sim = new Sim();
    const report = reportOf(sim.registry, sim.monitor, sim.reclaimer, 'reclaim-failed');
    expect(report).toMatchObject({ reason: 'reclaim-failed', shrinkers: [], pendings: [], readers: [] });
    expect(report.groups.map(({ path }) => path)).toEqual(['/']);
    expect(formatReport(report).split('\n')[0]).toContain('could give next to nothing back');
    expect(formatReport(report).split('\n').length).toBeLessThan(12);
  });

  test('has the 20 groups that use most, at any depth', () => {
    using sim = new Sim();
    const parent = sim.registry.root.child('parent');
    for (let index = 0; index < 30; index++) {
      parent.child(`g${index}`).charge(1000 * (index + 1));
    }
    const { groups } = reportOf(sim.registry, sim.monitor, sim.reclaimer);
    expect(groups).toHaveLength(20);
    expect(groups.slice(0, 3).map(({ path }) => path)).toEqual(['/', '/parent', '/parent/g29']);
    expect(groups.at(-1)?.path).toBe('/parent/g12');
  });

  test('lists 20 shrinkers as text, and has all of them', () => {
    using sim = new Sim();
    for (let index = 0; index < 30; index++) {
      sim.cache({ name: `cache ${index}` });
    }
    const report = reportOf(sim.registry, sim.monitor, sim.reclaimer);
    expect(report.shrinkers).toHaveLength(30);
    expect(formatReport(report).match(/^cache /gm)).toHaveLength(20);
    expect(formatReport(report)).toContain('and 10 shrinkers more');
  });

  test('an age that is none is reported, and unknown', () => {
    using sim = new Sim();
    for (const [name, retiredAgeMs] of Object.entries({
      negative: (): number => -1,
      throws: (): number => {
        throw new Error('broken');
      },
    })) {
      sim.registry.register(sim.registry.alloc({ name, count: () => 1, scan: () => 0, retiredAgeMs }));
    }
    const { shrinkers } = reportOf(sim.registry, sim.monitor, sim.reclaimer);
    expect(shrinkers.map(({ retiredAgeMs }) => retiredAgeMs)).toEqual([null, null]);
    expect(sim.faults.map(String)).toEqual([
      expect.stringContaining('retiredAgeMs of shrinker negative'),
      'Error: broken',
    ]);
  });

  test('survives a count that throws, and says so', () => {
    using sim = new Sim();
    sim.cache({ name: 'well' }).insertBytes(MIB);
    sim.registry.register(
      sim.registry.alloc({
        name: 'broken',
        count: () => {
          throw new Error('broken');
        },
        scan: () => 0,
      }),
    );
    const report = reportOf(sim.registry, sim.monitor, sim.reclaimer);
    expect(report.shrinkers.map(({ name, freeable }) => [name, freeable])).toEqual([
      ['well', 64],
      ['broken', null],
    ]);
    expect(formatReport(report)).toMatch(/^broken +\? /m);
    sim.registry.shrinkSlabSync({ priority: 0 });
    expect(reportOf(sim.registry, sim.monitor, sim.reclaimer).shrinkers[1]?.skipped).toEqual({ failed: 1 });
  });
});
