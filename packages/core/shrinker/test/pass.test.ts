import { describe, expect, test } from 'vitest';

import {
  DEF_PRIORITY,
  type MemoryGroup,
  SHRINK_EMPTY,
  SHRINK_STOP,
  type ShrinkControl,
  ShrinkerRegistry,
  type ShrinkerSpec,
  type ShrinkRequest,
  type Zone,
} from '@core/shrinker';

import { checkRegistry } from '../src/internal/check-invariants.js';
import { Entry } from '../src/internal/entry.js';
import { ShrinkerList } from '../src/internal/shrinker-list.js';
import {
  add,
  busted,
  caught,
  entryOf,
  expectCode,
  type MakeRegistry,
  manual,
  sound,
  turn,
  withCode,
} from './support.js';

const DESPERATE = { priority: 0 };

describe('a pass', () => {
  test('asks each shrinker in the order of registration, and adds up what they freed', async () => {
    const registry = sound();
    const order: string[] = [];
    const answers = { a: 5, b: Promise.resolve(7), c: SHRINK_STOP, d: 1 };
    for (const [name, answer] of Object.entries(answers)) {
      add(registry, name, {
        scan: (sc) => {
          order.push(`${name} ${sc.nrToScan}`);
          return answer;
        },
      });
    }
    expect(await registry.shrinkSlab(DESPERATE)).toBe(13);
    expect(order).toEqual(['a 20', 'b 20', 'c 20', 'd 20']);
    expect(registry.stats()).toEqual({
      passes: 1,
      freed: 13,
      scanned: 60,
      errors: 0,
      shrinkers: [
        { name: 'a', id: 0, runs: 1, freed: 5, scanned: 20, errors: 0, stops: 0, busy: 0 },
        { name: 'b', id: 1, runs: 1, freed: 7, scanned: 20, errors: 0, stops: 0, busy: 0 },
        { name: 'c', id: 2, runs: 1, freed: 0, scanned: 0, errors: 0, stops: 1, busy: 0 },
        { name: 'd', id: 3, runs: 1, freed: 1, scanned: 20, errors: 0, stops: 0, busy: 0 },
      ],
    });
    checkRegistry(registry);
  });

  test('is over on return when every scan answers at once', () => {
    const registry = sound();
    const calls: string[] = [];
    add(registry, 'a', {
      scan: () => {
        calls.push('a');
        return 1;
      },
    });
    void registry.shrinkSlab(DESPERATE);
    expect(calls).toEqual(['a']);
  });

  test('tells callbacks the zone, the priority and the mode', async () => {
    const registry = sound();
    const seen: unknown[] = [];
    const note = ({ zone, group, priority, mode }: ShrinkControl) => {
      seen.push([zone, group, priority, mode]);
      return 0;
    };
    add(registry, 'a', { count: note });
    await registry.shrinkSlab();
    registry.shrinkSlabSync();
    await registry.shrinkSlab({ zone: 'shared', group: null, priority: 3, mode: 'direct' });
    registry.shrinkSlabSync({ zone: 'external', priority: 0, mode: 'background' });
    expect(seen).toEqual([
      ['heap', null, DEF_PRIORITY, 'background'],
      ['heap', null, DEF_PRIORITY, 'direct'],
      ['shared', null, 3, 'direct'],
      ['external', null, 0, 'background'],
    ]);
  });

  test('a request that is not valid', async () => {
    const registry = sound();
    const bad: [ShrinkRequest, typeof TypeError | typeof RangeError][] = [
      [{ priority: 13 }, RangeError],
      [{ priority: -1 }, RangeError],
      [{ priority: 0.5 }, RangeError],
      [{ priority: Number.NaN }, RangeError],
      [{ priority: '3' as unknown as number }, TypeError],
      [{ zone: 'attic' as Zone }, RangeError],
      [{ zone: 1 as unknown as Zone }, TypeError],
      [{ mode: 'sideways' as 'direct' }, RangeError],
      [{ mode: 1 as unknown as 'direct' }, TypeError],
    ];
    for (const [request, error] of bad) {
      expect(() => registry.shrinkSlabSync(request)).toThrow(error);
      await expect(registry.shrinkSlab(request)).rejects.toThrow(error);
    }
    const group = { path: '/a' } as MemoryGroup;
    await expect(registry.shrinkSlab({ group })).rejects.toThrow(TypeError);
    expect(() => registry.shrinkSlabSync({ group })).toThrow(TypeError);
    const foreign = sound().root.child('a');
    await expectCode('ERR_GROUP_FOREIGN', () => registry.shrinkSlab({ group: foreign }));
    await expectCode('ERR_GROUP_FOREIGN', () => registry.shrinkSlabSync({ group: foreign }));
    const ended = registry.root.child('a');
    ended.offline();
    await expectCode('ERR_GROUP_OFFLINE', () => registry.shrinkSlab({ group: ended }));
    await expectCode('ERR_GROUP_OFFLINE', () => registry.shrinkSlabSync({ group: ended }));
    expect(registry.stats().passes).toBe(0);
  });

  test('has what is put off by zone for those who know zones, and once for those who do not', () => {
    const registry = sound();
    add(registry, 'zoned', { zoneAware: true, count: () => 1000 });
    add(registry, 'plain', { count: () => 1000 });
    // 124 put off in each pass, which is 7 more at the next; with those a batch is there.
    for (const zone of ['heap', 'external', 'shared'] as const) {
      registry.shrinkSlabSync({ zone, priority: 4 });
    }
    expect(registry.debug.list().map(({ deferred }) => deferred)).toEqual([
      { heap: 124, external: 124, shared: 124 },
      { heap: 116, external: 0, shared: 0 },
    ]);
  });
});

describe('S1: every reference that is taken is given back once', () => {
  const property = async (make: MakeRegistry): Promise<void> => {
    const registry = make();
    const specs: Partial<ShrinkerSpec>[] = [
      { count: () => 0 },
      { count: () => SHRINK_EMPTY },
      { count: () => 10_000, scan: () => SHRINK_STOP },
      { scan: (sc) => (sc.nrScanned = 0) },
      { scan: () => Promise.resolve(3) },
      { scan: () => Promise.resolve(SHRINK_STOP) },
      { count: () => 1, batch: 1, scan: async () => await turn().then(() => 1) },
    ];
    const shrinkers = specs.map((spec, index) => add(registry, String(index), spec));
    for (const priority of [12, 3, 0]) {
      registry.shrinkSlabSync({ priority });
      await registry.shrinkSlab({ priority });
      await turn();
      expect(registry.debug.list().map(({ refs, inFlight }) => [refs, inFlight])).toEqual(specs.map(() => [1, 0]));
      checkRegistry(registry);
    }
    await Promise.all(shrinkers.map((shrinker) => registry.free(shrinker)));
    expect(registry.debug.list()).toEqual([]);
  };
  test('on every way through a run', () => property(sound));

  test('busted: one that is kept where there was nothing to free is caught', () =>
    caught(() =>
      property(
        busted((list) => ({
          putAndNext: (entry) =>
            entry.runs === 0 ? list.after(entry) : ShrinkerList.prototype.putAndNext.call(list, entry),
        })),
      ),
    ));

  test('busted: one that is given back twice is caught', () =>
    caught(() =>
      property(
        busted((list) => ({
          putAndNext(entry) {
            const next = ShrinkerList.prototype.putAndNext.call(list, entry);
            list.put(entry);
            return next;
          },
        })),
      ),
    ));

  test('also where callbacks throw and reject', async () => {
    const errors: unknown[] = [];
    const registry = new ShrinkerRegistry({ onError: (error) => errors.push(error) });
    const fail = () => {
      throw new Error('out of order');
    };
    add(registry, 'count', { count: fail });
    add(registry, 'scan', { scan: fail });
    add(registry, 'rejects', { scan: async () => await turn().then(fail) });
    const last = add(registry, 'last');
    expect(registry.shrinkSlabSync(DESPERATE)).toBe(20);
    await turn();
    await turn();
    expect(errors).toHaveLength(3);
    expect(await registry.shrinkSlab(DESPERATE)).toBe(20);
    expect(errors).toHaveLength(6);
    checkRegistry(registry);
    expect(registry.debug.list().map(({ refs }) => refs)).toEqual([1, 1, 1, 1]);
    expect(registry.stats().errors).toBe(6);
    await registry.free(last);
    await registry[Symbol.asyncDispose]();
    expect(registry.stats()).toMatchObject({ freed: 40, errors: 6, shrinkers: [] });
  });
});

describe('S6: each shrinker runs once in a pass', () => {
  const property = async (make: MakeRegistry): Promise<void> => {
    const registry = make();
    const runs: string[] = [];
    const spec = (name: string, scan: ShrinkerSpec['scan']) => ({
      count: () => {
        runs.push(name);
        return 10;
      },
      scan,
    });
    add(registry, 'a', { ...spec('a', () => 0), zoneAware: true });
    add(registry, 'b', { ...spec('b', () => Promise.resolve(0)), groupAware: true });
    add(registry, 'c', { ...spec('c', () => 0), groupAware: true, nonSlab: true });
    await registry.shrinkSlab(DESPERATE);
    registry.shrinkSlabSync(DESPERATE);
    expect(runs.join('')).toBe('abcabc');
  };
  test('whatever its flags', () => property(sound));
  test('busted: a walk that stops twice at the same one is caught', () =>
    caught(() => {
      let twice = true;
      return property(
        busted((list) => ({
          putAndNext(entry) {
            const next = ShrinkerList.prototype.putAndNext.call(list, entry);
            twice = !twice;
            return twice ? next : entry;
          },
        })),
      );
    }));

  test('a pass inside a callback leaves out the shrinkers whose callbacks are on the stack', () => {
    const registry = sound();
    const seen: unknown[] = [];
    add(registry, 'a', {
      scan: (sc) => {
        const before = { ...sc };
        seen.push(['inner', registry.shrinkSlabSync({ zone: 'external', priority: 0 })]);
        // The outer control is not the inner one's.
        expect({ ...sc }).toEqual(before);
        return 1;
      },
    });
    add(registry, 'b', {
      count: () => {
        registry.shrinkSlabSync(DESPERATE);
        return 10;
      },
    });
    seen.push(['outer', registry.shrinkSlabSync(DESPERATE)]);
    checkRegistry(registry);
    expect(seen).toContainEqual(['inner', 20]);
    expect(seen.at(-1)).toEqual(['outer', 21]);
  });
});

describe('S19: two passes at once do not both do what was put off', () => {
  const property = async (): Promise<void> => {
    const registry = sound();
    const asked: number[] = [];
    const slow = manual();
    const shrinker = add(registry, 'a', {
      seeks: 4,
      batch: 1000,
      count: () => 1000,
      scan: (sc) => {
        asked.push(sc.nrToScan);
        return slow.promise;
      },
    });
    entryOf(shrinker).addDeferred(0, 1500);
    // 500 new ones, and 750 of those put off, are more than a batch; 500 are not.
    const passes = [registry.shrinkSlab({ priority: 1 }), registry.shrinkSlab({ priority: 1 })];
    expect(asked).toEqual([1000]);
    slow.resolve(1000);
    expect(await Promise.all(passes)).toEqual([1000, 0]);
    // 1500 + 500 - 1000 of the first, 500 of the second.
    expect(registry.debug.list()[0]!.deferred.heap).toBe(1500);
    checkRegistry(registry);
  };
  test('the second finds nothing put off', property);
  test('busted: reading what was put off, and not taking it, is caught', async () => {
    const { takeDeferred } = Entry.prototype;
    Entry.prototype.takeDeferred = function read(zoneIndex: number) {
      return this.deferredAt(zoneIndex);
    };
    try {
      await caught(property);
    } finally {
      Entry.prototype.takeDeferred = takeDeferred;
    }
  });
});

describe('S23: what callbacks get wrong goes to the error channel, and the pass goes on', () => {
  const faults: [string, Partial<ShrinkerSpec>][] = [
    ['count throws', { count: () => JSON.parse('{') as number }],
    ['count is NaN', { count: () => Number.NaN }],
    ['count is negative', { count: () => -3 }],
    ['count is infinite', { count: () => Infinity }],
    ['count is a promise', { count: (() => Promise.resolve(3)) as never }],
    ['count is nothing', { count: (() => {}) as never }],
    ['scan throws', { scan: () => JSON.parse('{') as number }],
    ['scan is NaN', { scan: () => Number.NaN }],
    ['scan is negative', { scan: () => -3 }],
    ['scan is infinite', { scan: () => Infinity }],
    ['scan is a string', { scan: () => '3' as never }],
    ['scan is nothing', { scan: (() => {}) as never }],
    ['scan is an object without prototype', { scan: () => Object.create(null) as never }],
    ['scan rejects', { scan: () => Promise.reject(new SyntaxError('out of order')) }],
    ['scan resolves to NaN', { scan: () => Promise.resolve(Number.NaN) }],
    ['scan resolves to nothing', { scan: () => Promise.resolve() as never }],
    ['nrScanned is NaN', { scan: (sc) => ((sc.nrScanned = Number.NaN), 0) }],
    ['nrScanned is negative', { scan: (sc) => ((sc.nrScanned = -128), 0) }],
    ['nrScanned is infinite', { scan: (sc) => ((sc.nrScanned = Infinity), 0) }],
    [
      'scan is an object that nobody can look at',
      { scan: () => new Proxy({}, { get: () => JSON.parse('{') }) as never },
    ],
  ];
  test.each(faults)('%s', async (_what, spec) => {
    const errors: [unknown, string][] = [];
    const registry = new ShrinkerRegistry({ onError: (error, { name }) => errors.push([error, name]) });
    add(registry, 'before');
    add(registry, 'faulty', { count: () => 1000, ...spec });
    add(registry, 'after');
    expect(await registry.shrinkSlab({ priority: 2 })).toBe(0);
    expect(await registry.shrinkSlab(DESPERATE)).toBe(40);
    registry.shrinkSlabSync(DESPERATE);
    await turn();
    expect(errors).toHaveLength(3);
    for (const [error, name] of errors) {
      expect(name).toBe('faulty');
      expect(error instanceof SyntaxError || withCode('ERR_SHRINKER_BAD_RESULT')(error)).toBe(true);
    }
    checkRegistry(registry);
    const [, faulty] = registry.debug.list();
    const counted = spec.count === undefined;
    // What was not scanned is put off: 500 and twice 2000, and never more than 2000 in one run.
    expect(faulty!.deferred.heap).toBe(counted ? 2000 : 0);
    expect(registry.stats()).toMatchObject({ freed: 80, scanned: 80, errors: 3 });
  });

  test('a scan that never gets on does not go on for ever', async () => {
    const registry = sound();
    let calls = 0;
    add(registry, 'sync', { count: () => 1e6, scan: (sc) => ((calls += 1), (sc.nrScanned = 0)) });
    add(registry, 'async', {
      count: () => 1e6,
      scan: (sc) => {
        calls += 1;
        sc.nrScanned = 0;
        return Promise.resolve(5);
      },
    });
    expect(await registry.shrinkSlab(DESPERATE)).toBe(5);
    expect(calls).toBe(2);
  });

  test('without a channel an error is an uncaught exception, and the pass goes on', async () => {
    const uncaught: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    try {
      const registry = new ShrinkerRegistry();
      add(registry, 'faulty', { scan: () => Number.NaN });
      add(registry, 'rest');
      expect(registry.shrinkSlabSync(DESPERATE)).toBe(20);
      const broken = new ShrinkerRegistry({
        onError: () => {
          throw new Error('so is the channel');
        },
      });
      add(broken, 'faulty', { scan: () => Number.NaN });
      expect(broken.shrinkSlabSync(DESPERATE)).toBe(0);
      await turn();
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) {
        process.on('uncaughtException', listener);
      }
    }
    expect(uncaught).toHaveLength(2);
    expect(uncaught[0]).toSatisfy(withCode('ERR_SHRINKER_BAD_RESULT'));
    expect(uncaught[1]).toMatchObject({ message: 'so is the channel' });
  });
});

describe('S24: a count may be stale', () => {
  test('the scan looks again, and what it does not find is neither freed nor scanned for ever', async () => {
    const registry = sound();
    let objects = 300;
    let counts = 0;
    add(registry, 'a', {
      count: () => {
        counts += 1;
        return 300;
      },
      scan: (sc) => {
        const freed = Math.min(objects, sc.nrToScan);
        objects -= freed;
        sc.nrScanned = freed;
        return freed;
      },
    });
    expect(await registry.shrinkSlab(DESPERATE)).toBe(300);
    expect(await registry.shrinkSlab(DESPERATE)).toBe(0);
    expect(counts).toBe(2);
    checkRegistry(registry);
  });

  test('a count that is no whole number is rounded down', () => {
    const registry = sound();
    const asked: number[] = [];
    add(registry, 'a', { count: () => 10.9, scan: (sc) => asked.push(sc.nrToScan) });
    add(registry, 'b', { count: () => 0.5, scan: (sc) => asked.push(sc.nrToScan) });
    registry.shrinkSlabSync(DESPERATE);
    expect(asked).toEqual([20]);
  });
});

describe('S27: more than 2^31 freed', () => {
  test('in the result, in the statistics, by both kinds of pass', async () => {
    const registry = sound();
    add(registry, 'a', { count: () => 2 ** 33, batch: 2 ** 33 });
    add(registry, 'b', { count: () => 2 ** 33, batch: 2 ** 34, scan: (sc) => Promise.resolve(sc.nrToScan) });
    expect(await registry.shrinkSlab(DESPERATE)).toBe(2 ** 35);
    expect(registry.shrinkSlabSync(DESPERATE)).toBe(2 ** 34);
    await turn();
    expect(registry.stats()).toMatchObject({ freed: 2 ** 36, scanned: 2 ** 36 });
  });
});

test('a callback is called with its spec as `this`', () => {
  class Cache implements ShrinkerSpec {
    readonly name = 'cache';
    objects = 300;
    count(): number {
      return this.objects;
    }
    scan(sc: ShrinkControl): number {
      this.objects -= sc.nrToScan;
      return sc.nrToScan;
    }
  }
  const registry = sound();
  const cache = new Cache();
  const shrinker = registry.alloc(cache);
  registry.register(shrinker);
  expect(registry.shrinkSlabSync({ priority: 1 })).toBe(256);
  expect([cache.objects, entryOf(shrinker).deferredAt(0)]).toEqual([44, 44]);
});
