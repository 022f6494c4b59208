import { describe, expect, test } from 'vitest';

import {
  type MemoryGroup,
  SHRINK_EMPTY,
  SHRINK_STOP,
  type Shrinker,
  type ShrinkControl,
  type Zone,
} from '@core/shrinker';

import { checkRegistry } from '../src/internal/check-invariants.js';
import {
  add,
  busted,
  caught,
  expectCode,
  isSettled,
  type MakeRegistry,
  manual,
  sound,
  turn,
  withCode,
} from './support.js';

describe('count', () => {
  test('a row of zones for each group that has anything', async () => {
    const registry = sound();
    const counts: Record<Zone, number> = { heap: 3, external: 0, shared: 5 };
    add(registry, 'zoned', { zoneAware: true, count: (sc) => counts[sc.zone] });
    add(registry, 'plain', { count: () => 7.5 });
    add(registry, 'empty', { count: () => SHRINK_EMPTY });
    expect(registry.debug.count('zoned')).toEqual([{ group: null, zones: counts }]);
    expect(registry.debug.count('plain')).toEqual([{ group: null, zones: { heap: 7, external: 0, shared: 0 } }]);
    expect(registry.debug.count('empty')).toEqual([]);
    await expectCode('ERR_SHRINKER_UNKNOWN', () => registry.debug.count('attic'));
  });

  test('what it throws goes to the caller', async () => {
    const registry = sound();
    add(registry, 'throws', { count: () => JSON.parse('{') as number });
    add(registry, 'bad', { count: () => -5 });
    expect(() => registry.debug.count('throws')).toThrow(SyntaxError);
    await expectCode('ERR_SHRINKER_BAD_RESULT', () => registry.debug.count('bad'));
    expect(registry.stats().errors).toBe(0);
  });
});

describe('scan', () => {
  test('exactly as many objects as asked for, with no books kept', async () => {
    const registry = sound();
    const seen: Partial<ShrinkControl>[] = [];
    add(registry, 'a', { batch: 10, scan: (sc) => (seen.push({ ...sc }), 42) });
    expect(await registry.debug.scan('a', { group: null, zone: 'external', nr: 1000 })).toBe(42);
    expect(seen).toEqual([
      { zone: 'external', group: null, nrToScan: 1000, nrScanned: 1000, priority: 12, mode: 'background' },
    ]);
    expect(registry.stats()).toMatchObject({ passes: 0, freed: 0 });
    expect(registry.debug.list()[0]).toMatchObject({ refs: 1, deferred: { heap: 0 } });
  });

  test('0 objects call nobody, and a stop is 0 freed', async () => {
    const registry = sound();
    add(registry, 'a', {
      scan: () => {
        throw new Error('called');
      },
    });
    add(registry, 'b', { scan: () => Promise.resolve(SHRINK_STOP) });
    expect(await registry.debug.scan('a', { nr: 0 })).toBe(0);
    expect(await registry.debug.scan('b', { nr: 1 })).toBe(0);
  });

  test('what is not valid', async () => {
    const registry = sound();
    add(registry, 'a', { scan: () => Number.NaN });
    add(registry, 'b', { scan: () => Promise.reject(new SyntaxError('out of order')) });
    const { debug } = registry;
    await expectCode('ERR_SHRINKER_UNKNOWN', () => debug.scan('attic', { nr: 1 }));
    const group = registry.root.child('g');
    await expectCode('ERR_SHRINKER_NO_GROUPS', () => debug.scan('a', { nr: 1, group }));
    await expect(debug.scan('a', { nr: 1, group: { path: '/' } as MemoryGroup })).rejects.toThrow(TypeError);
    await expectCode('ERR_SHRINKER_BAD_RESULT', () => debug.scan('a', { nr: 1 }));
    await expect(debug.scan('a', { nr: 0, zone: 'attic' as Zone })).rejects.toThrow(RangeError);
    await expect(debug.scan('a', { nr: -1 })).rejects.toThrow(RangeError);
    await expect(debug.scan('a', { nr: 0.5 })).rejects.toThrow(RangeError);
    await expect(debug.scan('b', { nr: 1 })).rejects.toThrow(SyntaxError);
    expect(debug.list().map(({ refs, inFlight }) => [refs, inFlight])).toEqual([
      [1, 0],
      [1, 0],
    ]);
    checkRegistry(registry);
  });

  test('a scan by hand may not free its own shrinker', async () => {
    const registry = sound();
    const errors: unknown[] = [];
    const own: Shrinker = add(registry, 'own', {
      scan: async () => {
        await turn();
        await registry.free(own).catch((error: unknown) => errors.push(error));
        return 1;
      },
    });
    expect(await registry.debug.scan('own', { nr: 1 })).toBe(1);
    expect(errors[0]).toSatisfy(withCode('ERR_SHRINKER_FREE_IN_SCAN'));
  });
});

describe('S25: a scan by hand races with free', () => {
  const property = async (make: MakeRegistry): Promise<void> => {
    const registry = make();
    const slow = manual();
    const shrinker = add(registry, 'slow', { scan: () => slow.promise });
    const scan = registry.debug.scan('slow', { nr: 5 });
    const freed = registry.free(shrinker);
    await expectCode('ERR_SHRINKER_UNKNOWN', () => registry.debug.count('slow'));
    await expectCode('ERR_SHRINKER_UNKNOWN', () => registry.debug.scan('slow', { nr: 5 }));
    expect(await isSettled(freed)).toBe(false);
    checkRegistry(registry);
    slow.resolve(4);
    expect(await scan).toBe(4);
    await freed;
    checkRegistry(registry);
  };
  test('free waits, and nobody finds it by name meanwhile', () => property(sound));
  test('busted: a scan that holds no reference is caught', () =>
    caught(() => property(busted(() => ({ tryGet: () => true, put: () => {} })))));
});

describe('rename', () => {
  test('keeps the id', async () => {
    const registry = sound();
    const shrinker = add(registry, 'old');
    const { id } = shrinker;
    registry.debug.rename('old', 'new');
    expect([shrinker.id, shrinker.name]).toEqual([id, 'new']);
    await expectCode('ERR_SHRINKER_UNKNOWN', () => registry.debug.rename('old', 'newer'));
    registry.debug.rename('new', 'new');
    add(registry, 'old');
    checkRegistry(registry);
    expect(registry.debug.list().map(({ name }) => name)).toEqual(['new', 'old']);
    await registry.free(shrinker);
    checkRegistry(registry);
  });

  test('not to a name that is taken, and not to nothing', async () => {
    const registry = sound();
    add(registry, 'a');
    add(registry, 'b');
    await expectCode('ERR_SHRINKER_NAME_TAKEN', () => registry.debug.rename('a', 'b'));
    expect(() => registry.debug.rename('a', '')).toThrow(TypeError);
    checkRegistry(registry);
  });

  test('of one whose scan is in flight, which is then freed under its new name', async () => {
    const registry = sound();
    const slow = manual();
    const shrinker = add(registry, 'old', { scan: () => slow.promise });
    registry.shrinkSlabSync({ priority: 0 });
    registry.debug.rename('old', 'new');
    const freed = registry.free(shrinker);
    expect(registry.debug.list()).toMatchObject([{ name: 'new', freeing: true, refs: 1 }]);
    slow.resolve(0);
    await freed;
    expect(registry.debug.list()).toEqual([]);
  });
});

test('list tells what was asked for and what is going on', () => {
  const registry = sound();
  add(registry, 'a', { seeks: 0, batch: 7, zoneAware: true, count: () => 3, scan: () => SHRINK_STOP });
  registry.shrinkSlabSync({ zone: 'shared', priority: 12 });
  registry.shrinkSlabSync({ zone: 'shared', priority: 12 });
  expect(registry.debug.list()).toEqual([
    {
      id: 0,
      name: 'a',
      seeks: 0,
      batch: 7,
      zoneAware: true,
      groupAware: false,
      nonSlab: false,
      refs: 1,
      freeing: false,
      inFlight: 0,
      deferred: { heap: 0, external: 0, shared: 2 },
    },
  ]);
});
