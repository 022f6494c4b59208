import { NodePool } from '@core/genradix';
import { SHRINK_EMPTY, SHRINK_STOP, type ShrinkControl, ShrinkerRegistry, type Zone } from '@core/shrinker';
import { describe, expect, it } from 'vitest';
import { nodePoolShrinker } from '../src/index.js';

function control(nrToScan: number, zone: Zone = 'heap'): ShrinkControl {
  return { zone, group: null, nrToScan, nrScanned: nrToScan, priority: 0, mode: 'background' };
}

/** A pool with so many spares, and one node in use. */
function poolWith(spares: number): NodePool {
  const pool = new NodePool({ nodeEntries: 4, spareNodes: Infinity });
  const nodes = Array.from({ length: spares + 1 }, () => pool.take());
  for (const node of nodes.slice(1)) {
    pool.give(node as unknown[]);
  }
  return pool;
}

describe('nodePoolShrinker', () => {
  it('is of the heap, and free to refill', () => {
    expect(nodePoolShrinker(poolWith(0))).toMatchObject({ name: 'node-pool', seeks: 0, zoneAware: true });
    expect(nodePoolShrinker(poolWith(0), { name: 'inodes', seeks: 2, batch: 16 })).toMatchObject({
      name: 'inodes',
      seeks: 2,
      batch: 16,
    });
  });

  it('counts spares, in the heap only', () => {
    const spec = nodePoolShrinker(poolWith(7));
    expect(spec.count(control(0))).toBe(7);
    expect(spec.count(control(0, 'external'))).toBe(0);
    expect(spec.count(control(0, 'shared'))).toBe(0);
    expect(nodePoolShrinker(poolWith(0)).count(control(0))).toBe(SHRINK_EMPTY);
  });

  it('lets go of as many spares as it is asked for, and of no node in use', () => {
    const pool = poolWith(7);
    const spec = nodePoolShrinker(pool);
    const some = control(3);
    expect([spec.scan(some), some.nrScanned, pool.spares]).toEqual([3, 3, 4]);
    const elsewhere = control(3, 'external');
    expect([spec.scan(elsewhere), elsewhere.nrScanned, pool.spares]).toEqual([SHRINK_STOP, 0, 4]);
    const more = control(100);
    expect([spec.scan(more), more.nrScanned, pool.spares]).toEqual([4, 4, 0]);
    expect([pool.taken, pool.bytes]).toEqual([1, pool.nodeBytes]);
    expect(spec.scan(control(1))).toBe(SHRINK_STOP);
    pool.checkInvariants();
  });

  it('in a registry gives everything back in passes over the heap, and nothing in others', async () => {
    const registry = new ShrinkerRegistry();
    const pool = poolWith(1000);
    const shrinker = registry.alloc(nodePoolShrinker(pool));
    registry.register(shrinker);
    for (const zone of ['external', 'shared'] as const) {
      expect(registry.shrinkSlabSync({ zone, priority: 0 })).toBe(0);
    }
    expect(pool.spares).toBe(1000);
    let freed = 0;
    for (let pass = 0; pass < 20; pass++) {
      freed += registry.shrinkSlabSync({ priority: 0 });
    }
    expect([freed, pool.spares, pool.taken]).toEqual([1000, 0, 1]);
    expect(registry.retiredBytes('heap')).toBe(0);
    await registry.free(shrinker);
    await registry[Symbol.asyncDispose]();
  });

  it('refuses what is no pool, and options that are none', () => {
    for (const wrong of [undefined, null, {}, 'pool']) {
      expect(() => nodePoolShrinker(wrong as never)).toThrow(TypeError);
    }
    expect(() => nodePoolShrinker(poolWith(0), { seek: 1 } as never)).toThrow('did you mean "seeks"?');
    expect(() => nodePoolShrinker(poolWith(0), null as never)).toThrow(TypeError);
  });
});
