import { describe, expect, test } from 'vitest';

import { ShrinkerRegistry } from '@core/shrinker';

import { add } from './support.js';

const KIB = 1024;

describe('watchCharges', () => {
  test('tells inside of the charge that fills the step, whatever the group, and not of what is uncharged', () => {
    const registry = new ShrinkerRegistry();
    const group = registry.root.child('a').child('b');
    const seen: number[] = [];
    registry.watchCharges(64 * KIB, () => seen.push(registry.root.usage()));
    for (let charge = 0; charge < 10; charge++) {
      group.charge(10 * KIB, charge % 2 === 0 ? 'heap' : 'external');
      group.uncharge(10 * KIB, charge % 2 === 0 ? 'heap' : 'external');
    }
    expect(seen).toEqual([10 * KIB]);
    registry.root.charge(200 * KIB);
    expect(seen).toEqual([10 * KIB, 200 * KIB]);
  });

  test('a charge that fails is not counted', () => {
    const registry = new ShrinkerRegistry();
    const group = registry.root.child('a', { max: 10 });
    let told = 0;
    registry.watchCharges(100, () => told++);
    expect(() => group.charge(1000)).toThrow(/Cannot charge 1000 bytes/);
    group.charge(10);
    expect(told).toBe(0);
  });

  test('may run passes, whose charges do not call it again; afterwards it is called again', () => {
    const registry = new ShrinkerRegistry();
    let told = 0;
    add(registry, 'a', {
      scan: (sc) => {
        registry.root.charge(1000);
        return sc.nrToScan;
      },
    });
    registry.watchCharges(100, () => {
      told++;
      expect(registry.shrinkSlabSync({ priority: 0 })).toBeGreaterThan(0);
    });
    registry.root.charge(100);
    expect(told).toBe(1);
    registry.root.charge(100);
    expect(told).toBe(2);
  });

  test('is not called from inside a reclaim that a limit began', () => {
    const registry = new ShrinkerRegistry();
    const group = registry.root.child('a', { max: 100 });
    const inside: boolean[] = [];
    let reclaiming = false;
    const shrinker = add(registry, 'a', {
      groupAware: true,
      count: (sc) => (sc.group === group ? 10 : 0),
      scan: () => {
        reclaiming = true;
        registry.root.charge(500);
        group.uncharge(group.usage());
        reclaiming = false;
        return 10;
      },
    });
    group.setShrinkerBit(shrinker);
    registry.watchCharges(100, () => inside.push(reclaiming));
    group.charge(80);
    group.charge(80);
    expect(group.usage()).toBe(80);
    expect(inside).not.toContain(true);
  });

  test('one at a time; null ends it; a step must be above 0', () => {
    const registry = new ShrinkerRegistry();
    let first = 0;
    let second = 0;
    registry.watchCharges(10, () => first++);
    registry.watchCharges(10, () => second++);
    registry.root.charge(10);
    registry.watchCharges(10, null);
    registry.root.charge(100);
    expect([first, second]).toEqual([0, 1]);
    for (const bytes of [0, -1, Number.NaN]) {
      expect(() => registry.watchCharges(bytes, () => {})).toThrow(RangeError);
    }
  });
});

describe('retiredBytes', () => {
  test('adds up what the registered shrinkers say, by zone', async () => {
    const registry = new ShrinkerRegistry();
    const one = add(registry, 'one', { retiredBytes: (zone) => (zone === 'heap' ? 5 : 0) });
    add(registry, 'two', { retiredBytes: () => 2 });
    add(registry, 'three');
    registry.alloc({ name: 'four', count: () => 0, scan: () => 0, retiredBytes: () => 100 });
    expect(registry.retiredBytes('heap')).toBe(7);
    expect(registry.retiredBytes('external')).toBe(2);
    await registry.free(one);
    expect(registry.retiredBytes('heap')).toBe(2);
  });

  test('what throws, or is no number of bytes, is reported and counts as nothing', () => {
    const errors: string[] = [];
    const registry = new ShrinkerRegistry({ onError: (error, { name }) => errors.push(`${name}: ${String(error)}`) });
    add(registry, 'throws', {
      retiredBytes: () => {
        throw new Error('no');
      },
    });
    add(registry, 'negative', { retiredBytes: () => -1 });
    add(registry, 'nan', { retiredBytes: () => Number.NaN });
    add(registry, 'fine', { retiredBytes: () => 3 });
    expect(registry.retiredBytes('heap')).toBe(3);
    expect(errors.map((error) => error.split(':')[0])).toEqual(['throws', 'negative', 'nan']);
    expect(errors[1]).toContain('Cannot use the retiredBytes of shrinker negative: it is -1');
    expect(registry.stats().errors).toBe(3);
    expect(() => registry.alloc({ name: 'x', count: () => 0, scan: () => 0, retiredBytes: 1 as never })).toThrow(
      TypeError,
    );
  });
});
