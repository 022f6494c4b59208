import { SHRINK_EMPTY, SHRINK_STOP, type ShrinkControl, ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, it } from 'vitest';
import { asShrinker, type PendingShrinkerOptions } from '../src/index.js';
import { bulkInto, range, srcuBench } from './support/bench.js';

function control(nrToScan: number): ShrinkControl {
  return { zone: 'heap', group: null, nrToScan, nrScanned: nrToScan, priority: 0, mode: 'background' };
}

describe('asShrinker', () => {
  it('counts what waits, and says when that is nothing', () => {
    const { pending, enqueue } = srcuBench();
    const spec = asShrinker(pending);
    expect(spec).toMatchObject({ name: 'rcu-pending', seeks: 0 });
    expect(spec.count(control(0))).toBe(SHRINK_EMPTY);
    enqueue(1, 2);
    expect(spec.count(control(0))).toBe(2);
    pending.dequeue();
    pending.dequeue();
    expect(spec.count(control(0))).toBe(SHRINK_EMPTY);
  });

  it('takes a name, seeks and a batch', () => {
    const { pending } = srcuBench();
    expect(asShrinker(pending, { name: 'buffers', seeks: 3, batch: 512 })).toMatchObject({
      name: 'buffers',
      seeks: 3,
      batch: 512,
    });
  });

  it('answers in the passes over its zone only, if it has one', () => {
    const zones = ['heap', 'external', 'shared'] as const;
    const { pending, enqueue } = srcuBench({ sizeOf: () => 10 });
    const answers = (options: PendingShrinkerOptions): unknown[] => {
      const spec = asShrinker(pending, options);
      return [
        spec.zoneAware ?? false,
        ...zones.map((zone) => [spec.count({ ...control(0), zone }), spec.retiredBytes?.(zone)]),
      ];
    };
    enqueue(1, 2);
    expect(answers({})).toEqual([false, [2, 20], [2, 0], [2, 0]]);
    expect(answers({ zone: 'heap' })).toEqual([true, [2, 20], [0, 0], [0, 0]]);
    expect(answers({ zone: 'external' })).toEqual([true, [0, 0], [2, 20], [0, 0]]);
    expect(answers({ zone: 'shared' })).toEqual([true, [0, 0], [0, 0], [2, 20]]);

    const spec = asShrinker(pending, { zone: 'external' });
    pending.expedite();
    const heap = control(10);
    expect([spec.scan(heap), heap.nrScanned, pending.count]).toEqual([SHRINK_STOP, 0, 2]);
    const external = { ...control(10), zone: 'external' as const };
    expect([spec.scan(external), pending.count, spec.retiredBytes?.('external')]).toEqual([2, 0, 0]);
  });

  it('tells a registry the bytes that wait for readers', async () => {
    const registry = new ShrinkerRegistry();
    const { pending, enqueue } = srcuBench({ sizeOf: () => 10 });
    const shrinker = registry.alloc(asShrinker(pending, { zone: 'external' }));
    registry.register(shrinker);
    enqueue(...range(300));
    expect([registry.retiredBytes('heap'), registry.retiredBytes('external')]).toEqual([0, 3000]);
    pending.expedite();
    expect(registry.shrinkSlabSync({ priority: 0 })).toBe(0);
    expect(registry.shrinkSlabSync({ zone: 'external', priority: 0 })).toBeGreaterThan(0);
    pending.drainExpired(Infinity);
    expect(registry.retiredBytes('external')).toBe(0);
    await registry.free(shrinker);
    await registry[Symbol.asyncDispose]();
  });

  it('refuses a zone and options that are none', () => {
    const { pending } = srcuBench();
    expect(() => asShrinker(pending, { zone: 'disk' as never })).toThrow(
      new RangeError('Cannot shrink in zone disk: it must be "heap", "external" or "shared"'),
    );
    expect(() => asShrinker(pending, { zones: 'heap' } as never)).toThrow('did you mean "zone"?');
    expect(() => asShrinker(pending, null as never)).toThrow(TypeError);
  });

  it('drains what has expired, and says how much', () => {
    const { pending, enqueue, processed } = srcuBench();
    const spec = asShrinker(pending);
    enqueue(...range(10));
    pending.expedite();
    const sc = control(4);
    expect(spec.scan(sc)).toBe(4);
    expect([sc.nrScanned, processed.length, pending.stats().expedited]).toEqual([4, 4, 1]);
    expect(spec.scan(control(100))).toBe(6);
    expect(pending.count).toBe(0);
    // Nothing is left to hurry for.
    expect(pending.stats().expedited).toBe(1);
  });

  it('in bulk says how much it was', () => {
    const { pending, enqueue } = srcuBench({ process: bulkInto([]) });
    const spec = asShrinker(pending);
    enqueue(...range(101));
    pending.expedite();
    const sc = control(10);
    expect(spec.scan(sc)).toBe(101);
    expect(sc.nrScanned).toBe(101);
  });

  it('stops when nothing has expired, and hurries what has not', async () => {
    const { srcu, pending, enqueue, loop } = srcuBench();
    const spec = asShrinker(pending);
    const index = srcu.readLock();
    enqueue(1, 2, 3);
    const sc = control(10);
    expect(spec.scan(sc)).toBe(SHRINK_STOP);
    expect([sc.nrScanned, pending.stats().expedited, pending.count]).toEqual([0, 1, 3]);
    srcu.readUnlock(index);
    await loop.runAll();
    expect(pending.count).toBe(0);
    expect(spec.scan(control(10))).toBe(SHRINK_STOP);
    expect(pending.stats().expedited).toBe(1);
  });

  it('drains a part, and hurries the rest', () => {
    const { srcu, pending, enqueue, loop } = srcuBench();
    const spec = asShrinker(pending);
    enqueue(1);
    srcu.readLock();
    enqueue(2);
    loop.runTurn();
    expect(pending.count).toBe(1);
    enqueue(3);
    expect(spec.scan(control(10))).toBe(SHRINK_STOP);
    expect(pending.stats().expedited).toBe(1);
  });

  it('in a registry gives back what has expired, and the rest after its readers', async () => {
    const registry = new ShrinkerRegistry();
    const { srcu, pending, enqueue, loop, processed } = srcuBench();
    const shrinker = registry.alloc(asShrinker(pending, { name: 'pending' }));
    registry.register(shrinker);
    expect(registry.shrinkSlabSync({ priority: 0 })).toBe(0);

    enqueue(...range(300));
    await srcu.synchronizeExpedited();
    const index = srcu.readLock();
    enqueue(...range(50, 1000));
    // It comes back in batches of 128 of all that waits, which is 350; and freeing costs no seeks, so half goes at once.
    expect(registry.shrinkSlabSync({ priority: 0 })).toBeGreaterThanOrEqual(128);
    for (let pass = 0; pass < 5; pass++) {
      registry.shrinkSlabSync({ priority: 0 });
    }
    expect(pending.count).toBe(50);
    expect(await registry.shrinkSlab({ priority: 0 })).toBe(0);
    expect(pending.stats().expedited).toBeGreaterThan(0);
    expect(processed.length).toBe(300);

    srcu.readUnlock(index);
    await loop.runAll();
    expect(pending.count).toBe(0);
    expect(registry.shrinkSlabSync({ priority: 0 })).toBe(0);
    await registry.free(shrinker);
    await registry[Symbol.asyncDispose]();
  });

  it('in a registry is scanned by hand', async () => {
    const registry = new ShrinkerRegistry();
    const { pending, enqueue } = srcuBench();
    const shrinker = registry.alloc(asShrinker(pending, { name: 'by-hand' }));
    registry.register(shrinker);
    enqueue(...range(10));
    pending.expedite();
    await registry.debug.scan('by-hand', { group: null, zone: 'heap', nr: 3 });
    expect(pending.count).toBe(7);
    await registry.free(shrinker);
    await registry[Symbol.asyncDispose]();
  });
});
