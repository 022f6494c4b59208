import { describe, expect, test } from 'vitest';

import { ShrinkerRegistry } from '@core/shrinker';

import { add } from './support.js';

interface Shape {
  readonly objects: number;
  readonly bytes?: number;
  readonly seeks?: number;
}

/** How many objects of each cache one pass scans, after a pass that has seen them. */
function scannedOf(shapes: readonly Shape[], priority: number, make = () => new ShrinkerRegistry()): number[] {
  const registry = make();
  const scanned = shapes.map(() => 0);
  for (const [index, { objects, bytes, seeks = 2 }] of shapes.entries()) {
    add(registry, `cache ${index}`, {
      batch: 1,
      seeks,
      count: () => objects,
      scan: (sc) => {
        scanned[index] = (scanned[index] as number) + sc.nrToScan;
        return sc.nrToScan;
      },
      ...(bytes === undefined ? {} : { objectBytes: () => bytes }),
    });
  }
  registry.shrinkSlabSync({ priority: 12 });
  scanned.fill(0);
  registry.shrinkSlabSync({ priority });
  return scanned;
}

function bytesOf(shapes: readonly Shape[], scanned: readonly number[]): number {
  return scanned.reduce((sum, count, index) => sum + count * (shapes[index]?.bytes ?? 0), 0);
}

describe('objectBytes', () => {
  const mixed: Shape[] = [
    { objects: 65_536, bytes: 100 },
    { objects: 4_096, bytes: 1_600 },
    { objects: 1_024, bytes: 6_400 },
  ];

  test('larger objects are scanned more, in proportion, and as many bytes in all', () => {
    const scanned = scannedOf(mixed, 4);
    const shares = scanned.map((count, index) => count / (mixed[index]?.objects ?? 1));
    expect((shares[1] as number) / (shares[0] as number)).toBeCloseTo(16, 0);
    expect((shares[2] as number) / (shares[1] as number)).toBeCloseTo(4, 0);
    const plain = mixed.map(({ objects }) => ({ objects }));
    const before = bytesOf(mixed, scannedOf(plain, 4));
    expect(bytesOf(mixed, scanned) / before).toBeGreaterThan(0.95);
    expect(bytesOf(mixed, scanned) / before).toBeLessThan(1.05);
  });

  test('busted: weights that are taken twice are caught', () => {
    const twice = (): ShrinkerRegistry => {
      const registry = new ShrinkerRegistry();
      const { alloc } = registry;
      registry.alloc = (spec) =>
        alloc.call(registry, { ...spec, objectBytes: (zone) => (spec.objectBytes?.(zone) ?? 0) ** 2 });
      return registry;
    };
    const scanned = scannedOf(mixed, 4, twice);
    expect((scanned[1] as number) / 4_096 / ((scanned[0] as number) / 65_536)).not.toBeCloseTo(16, 0);
  });

  test('one size, or none told, scans as ever; seeks count besides', () => {
    const same = [
      { objects: 4_096, bytes: 500 },
      { objects: 1_024, bytes: 500, seeks: 4 },
    ];
    const plain = same.map(({ objects, seeks = 2 }) => ({ objects, seeks }));
    expect(scannedOf(same, 5)).toEqual(scannedOf(plain, 5));
    expect(scannedOf([{ objects: 4_096, bytes: 0 }], 5)).toEqual(scannedOf([{ objects: 4_096 }], 5));
  });

  test('a desperate pass scans everything', () => {
    expect(scannedOf(mixed, 0)).toEqual(
      scannedOf(
        mixed.map(({ objects }) => ({ objects })),
        0,
      ),
    );
  });

  test('a pass over one group goes by counts: what is usual elsewhere is not there', () => {
    const registry = new ShrinkerRegistry();
    const group = registry.root.child('tenant');
    let scanned = 0;
    const large = add(registry, 'large', {
      groupAware: true,
      batch: 1,
      count: (sc) => (sc.group === group ? 1_024 : 0),
      scan: (sc) => {
        scanned += sc.nrToScan;
        return sc.nrToScan;
      },
      objectBytes: () => 1e6,
    });
    group.setShrinkerBit(large);
    add(registry, 'small', { count: () => 1e6, scan: (sc) => sc.nrToScan, objectBytes: () => 100 });
    registry.shrinkSlabSync({ priority: 12 });
    scanned = 0;
    registry.shrinkSlabSync({ group, priority: 4 });
    // 1,024 / 16, twice, for seeks of 2.
    expect(scanned).toBe(128);
  });

  test('what throws, or is no number of bytes, is reported, and the cache is scanned by its count', () => {
    const errors: string[] = [];
    const registry = new ShrinkerRegistry({ onError: (error, { name }) => errors.push(`${name}: ${String(error)}`) });
    const freed: string[] = [];
    const scanning = (name: string, objectBytes: () => number): void => {
      add(registry, name, {
        scan: (sc) => {
          freed.push(name);
          return sc.nrToScan;
        },
        objectBytes,
      });
    };
    scanning('nan', () => Number.NaN);
    scanning('throws', () => {
      throw new Error('no');
    });
    registry.shrinkSlabSync({ priority: 0 });
    expect(errors).toHaveLength(2);
    expect(errors[0]).toContain('Cannot use the objectBytes of shrinker nan: it is NaN');
    expect(new Set(freed)).toEqual(new Set(['nan', 'throws']));
  });
});
