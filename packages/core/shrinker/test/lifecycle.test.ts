import { describe, expect, test } from 'vitest';

import { type Shrinker, ShrinkerRegistry } from '@core/shrinker';

import { checkRegistry } from '../src/internal/check-invariants.js';
import type { Entry } from '../src/internal/entry.js';
import { ShrinkerList } from '../src/internal/shrinker-list.js';
import {
  add,
  busted,
  caught,
  entryOf,
  expectCode,
  isSettled,
  type MakeRegistry,
  manual,
  sound,
  turn,
  withCode,
} from './support.js';

const DESPERATE = { priority: 0 };

/** A list that unlinks before it waits for the runs in progress. */
const unlinksFirst = busted((list) => ({
  retire(entry: Entry) {
    const runs = entry.refs - 1;
    entry.refs = -runs;
    list.unlink(entry);
    entry.gone = new Promise((resolve) => {
      entry.complete = resolve;
    });
    return entry.gone;
  },
  put(entry: Entry) {
    entry.refs += entry.refs > 0 ? -1 : 1;
    if (entry.refs === 0) {
      entry.complete?.();
    }
  },
}));

describe('S11: the walker is at a shrinker that is freed, and so is the next one', () => {
  const property = async (make: MakeRegistry): Promise<void> => {
    const registry = make();
    const slow = manual();
    const called: string[] = [];
    const note = (name: string) => ({
      count: () => {
        called.push(name);
        return 10;
      },
    });
    add(registry, 'before', note('before'));
    const at = add(registry, 'at', { ...note('at'), scan: () => slow.promise });
    const next = add(registry, 'next', note('next'));
    add(registry, 'rest', note('rest'));
    const pass = registry.shrinkSlab(DESPERATE);
    const freed = [registry.free(at), registry.free(next)];
    checkRegistry(registry);
    slow.resolve(3);
    expect(await pass).toBe(43);
    await Promise.all(freed);
    expect(called).toEqual(['before', 'at', 'rest']);
    checkRegistry(registry);
    expect(registry.debug.list().map(({ name }) => name)).toEqual(['before', 'rest']);
  };

  test('it reaches the rest, and never the freed one', () => property(sound));

  test('busted: unlinking before the wait is caught', () => caught(() => property(unlinksFirst)));

  test('busted: also where the walker does not look whether it stands on anything', () =>
    caught(() =>
      property(() => {
        const registry = unlinksFirst();
        const { list } = registry as unknown as { list: ShrinkerList };
        list.after = (entry) => entry.next;
        return registry;
      }),
    ));
});

describe('S13: a shrinker is freed by somebody else during its scan', () => {
  const property = async (make: MakeRegistry): Promise<void> => {
    const registry = make();
    const slow = manual();
    const at = add(registry, 'at', { batch: 5, scan: () => slow.promise });
    add(registry, 'rest');
    const pass = registry.shrinkSlab(DESPERATE);
    const freed = registry.free(at);
    slow.resolve(2);
    // The run goes on to its end: 4 batches of 2, and then the rest of the pass.
    expect(await pass).toBe(28);
    await freed;
    checkRegistry(registry);
  };
  test('the walk continues', () => property(sound));
  test('busted: a walk that ends with its shrinker is caught', () =>
    caught(() => property(busted(() => ({ after: (entry) => (entry.refs < 0 ? null : entry.next) })))));

  test('from the scan of another one in the same pass', () => {
    const registry = sound();
    const freed: Promise<void>[] = [];
    const all: Shrinker[] = [];
    add(registry, 'killer', {
      scan: () => {
        freed.push(registry.free(all[0]), registry.free(all[1]));
        return 1;
      },
    });
    all.push(add(registry, 'a'), add(registry, 'b'));
    add(registry, 'c');
    expect(registry.shrinkSlabSync(DESPERATE)).toBe(21);
    expect(freed[0]).toBe(freed[1]);
    checkRegistry(registry);
  });
});

describe('a shrinker is freed from inside its own scan', () => {
  const freeing = async (inside: (free: () => Promise<void>) => number | Promise<number>): Promise<void> => {
    const errors: unknown[] = [];
    const registry = new ShrinkerRegistry({ onError: (error) => errors.push(error) });
    const rejections: unknown[] = [];
    const free = async (): Promise<void> => {
      try {
        await registry.free(own);
      } catch (error) {
        rejections.push(error);
      }
    };
    const own: Shrinker = add(registry, 'own', { scan: () => inside(free) });
    expect(await registry.shrinkSlab(DESPERATE)).toBe(1);
    await turn();
    expect(rejections).toHaveLength(1);
    expect(rejections[0]).toSatisfy(withCode('ERR_SHRINKER_FREE_IN_SCAN'));
    expect(errors).toEqual([]);
    checkRegistry(registry);
    // It can be freed once the scan is over.
    await registry.free(own);
  };

  test('S13: a synchronous scan', () =>
    freeing((free) => {
      void free();
      return 1;
    }));

  test('S13: an asynchronous scan before its first await', () =>
    freeing(async (free) => {
      await free();
      return 1;
    }));

  test('S13: an asynchronous scan after a turn', () =>
    freeing(async (free) => {
      await turn();
      await free();
      return 1;
    }));

  test('S13: several calls down, through Promise.all', () =>
    freeing(async (free) => {
      const close = async (): Promise<void> => {
        await turn();
        await free();
      };
      await Promise.all([turn(), close()]);
      return 1;
    }));

  test('S13: in its count', async () => {
    const registry = sound();
    const frees: Promise<void>[] = [];
    const own: Shrinker = add(registry, 'own', {
      count: () => {
        frees.push(registry.free(own));
        return 0;
      },
    });
    registry.shrinkSlabSync();
    await expectCode('ERR_SHRINKER_FREE_IN_SCAN', () => frees[0]);
    checkRegistry(registry);
  });

  test('S13: the registry is disposed of from inside a scan, and has done nothing', async () => {
    const registry = sound();
    const disposals: Promise<void>[] = [];
    add(registry, 'other');
    add(registry, 'own', {
      scan: () => {
        disposals.push(registry[Symbol.asyncDispose]());
        return 0;
      },
    });
    registry.shrinkSlabSync(DESPERATE);
    await expectCode('ERR_SHRINKER_FREE_IN_SCAN', () => disposals[0]);
    expect(registry.debug.list()).toHaveLength(2);
    await registry[Symbol.asyncDispose]();
  });

  test('the scan of one may free another whose scan is in flight, and is not taken for its own', async () => {
    const registry = sound();
    const slow = manual();
    const other = add(registry, 'other', { scan: () => slow.promise });
    add(registry, 'closer', {
      scan: async () => {
        await turn();
        slow.resolve(7);
        await registry.free(other);
        return 1;
      },
    });
    const first = registry.shrinkSlabSync(DESPERATE);
    await turn();
    await turn();
    expect([first, registry.stats().freed]).toEqual([0, 8]);
    checkRegistry(registry);
  });

  test('an error that is called on an error channel may free the shrinker', () => {
    const registry: ShrinkerRegistry = new ShrinkerRegistry({
      onError: (_error, shrinker) => void registry.free(shrinker),
    });
    add(registry, 'faulty', {
      scan: () => {
        throw new Error('out of order');
      },
    });
    add(registry, 'rest');
    expect(registry.shrinkSlabSync(DESPERATE)).toBe(20);
    checkRegistry(registry);
    expect(registry.debug.list().map(({ name }) => name)).toEqual(['rest']);
  });
});

describe('S15: a look-up that races with register finds nothing, or a shrinker that is complete', () => {
  const property = (make: MakeRegistry): void => {
    const registry = make();
    add(registry, 'first');
    const shrinker = registry.alloc({ name: 'second', count: () => 1, scan: () => 1 });
    const entry = entryOf(shrinker);
    let refs = 0;
    const published: boolean[] = [];
    Object.defineProperty(entry, 'refs', {
      get: () => refs,
      set: (value: number) => {
        refs = value;
        // The instant at which a walker may take it.
        published.push(entry.linked && entry.prev !== null && entry.order === 2 && entry.state === 'registered');
      },
    });
    registry.register(shrinker);
    expect(published).toEqual([true]);
    checkRegistry(registry);
  };
  test('the reference count is set last', () => property(sound));
  test('busted: publishing first and linking after is caught', () =>
    caught(() =>
      property(
        busted((list) => ({
          publish(entry) {
            entry.refs = 1;
            entry.order = ++list.registrations;
            list.link(entry);
          },
        })),
      ),
    ));

  test('one that is registered during a pass waits for the next', () => {
    const registry = sound();
    let count = 0;
    const breed = () =>
      add(registry, `child ${++count}`, {
        count: () => {
          breed();
          return 0;
        },
      });
    breed();
    registry.shrinkSlabSync();
    registry.shrinkSlabSync();
    expect(count).toBe(4);
    checkRegistry(registry);
  });
});

describe('S16: what may be freed', () => {
  test('null, and undefined', async () => {
    const registry = sound();
    await registry.free(null);
    await registry.free(undefined);
  });

  test('a shrinker that was never registered, once; it can not be registered then', async () => {
    const registry = sound();
    const shrinker = registry.alloc({ name: 'a', count: () => 0, scan: () => 0 });
    await registry.free(shrinker);
    await expectCode('ERR_SHRINKER_FREED', () => registry.free(shrinker));
    await expectCode('ERR_SHRINKER_FREED', () => registry.register(shrinker));
  });

  test('no shrinker twice, not even while the first one still waits', async () => {
    const registry = sound();
    const slow = manual();
    const shrinker = add(registry, 'a', { scan: () => slow.promise });
    void registry.shrinkSlab(DESPERATE);
    const freed = registry.free(shrinker);
    await expectCode('ERR_SHRINKER_FREED', () => registry.free(shrinker));
    slow.resolve(1);
    await freed;
    await expectCode('ERR_SHRINKER_FREED', () => registry.free(shrinker));
    checkRegistry(registry);
  });

  test('no shrinker of another registry, and nothing else', async () => {
    const registry = sound();
    const foreign = sound().alloc({ name: 'a', count: () => 0, scan: () => 0 });
    await expectCode('ERR_SHRINKER_FOREIGN', () => registry.free(foreign));
    await expectCode('ERR_SHRINKER_FOREIGN', () => registry.register(foreign));
    await expect(registry.free({} as Shrinker)).rejects.toThrow(TypeError);
    expect(() => registry.register({} as Shrinker)).toThrow(TypeError);
  });

  test('busted: a list that lets a reference go that nobody holds is caught', () => {
    const registry = sound();
    const entry = entryOf(add(registry, 'a'));
    const { list } = registry as unknown as { list: ShrinkerList };
    void registry.free(entry);
    expect(() => {
      list.put(entry);
    }).toThrow('nobody holds');
  });
});

describe('what may be registered', () => {
  test('no shrinker twice', async () => {
    const registry = sound();
    const shrinker = add(registry, 'a');
    await expectCode('ERR_SHRINKER_REGISTERED', () => registry.register(shrinker));
    await registry.free(shrinker);
    await expectCode('ERR_SHRINKER_FREED', () => registry.register(shrinker));
  });

  test('no name twice; it is free again as soon as free was called', async () => {
    const registry = sound();
    const slow = manual();
    const first = add(registry, 'a', { scan: () => slow.promise });
    const second = registry.alloc({ name: 'a', count: () => 0, scan: () => 0 });
    await expectCode('ERR_SHRINKER_NAME_TAKEN', () => registry.register(second));
    void registry.shrinkSlab(DESPERATE);
    const freed = registry.free(first);
    registry.register(second);
    checkRegistry(registry);
    slow.resolve(1);
    await freed;
    checkRegistry(registry);
    expect(registry.debug.list().map(({ id }) => id)).toEqual([second.id]);
  });

  test('specs that are not valid', () => {
    const registry = sound();
    const callbacks = { count: () => 0, scan: () => 0 };
    expect(() => registry.alloc({ name: '', ...callbacks })).toThrow(TypeError);
    expect(() => registry.alloc({ name: 1 as unknown as string, ...callbacks })).toThrow(TypeError);
    expect(() => registry.alloc({ ...callbacks, name: 'a', scan: undefined as never })).toThrow(TypeError);
    expect(() => registry.alloc({ ...callbacks, name: 'a', count: 7 as never })).toThrow(TypeError);
    for (const bad of [-1, 0.5, Number.NaN, Infinity]) {
      expect(() => registry.alloc({ ...callbacks, name: 'a', seeks: bad })).toThrow(RangeError);
      expect(() => registry.alloc({ ...callbacks, name: 'a', batch: bad })).toThrow(RangeError);
    }
    expect(() => registry.alloc({ ...callbacks, name: 'a', seeks: '2' as never })).toThrow(TypeError);
  });

  test('defaults: seeks 2, and 0 means 0; batch 128, also for 0', () => {
    const registry = sound();
    const callbacks = { count: () => 0, scan: () => 0 };
    const own = ({ seeks, batch, zoneAware, groupAware, nonSlab }: Shrinker) => [
      seeks,
      batch,
      zoneAware,
      groupAware,
      nonSlab,
    ];
    expect(own(registry.alloc({ name: 'a', ...callbacks }))).toEqual([2, 128, false, false, false]);
    expect(own(registry.alloc({ name: 'b', seeks: 0, batch: 0, ...callbacks }))).toEqual([0, 128, false, false, false]);
    const all = { name: 'c', seeks: 7, batch: 9, zoneAware: true, groupAware: true, nonSlab: true, ...callbacks };
    expect(own(registry.alloc(all))).toEqual([7, 9, true, true, true]);
  });
});

describe('S20: registration is not held up by a slow scan', () => {
  const property = async (make: MakeRegistry): Promise<void> => {
    const registry = make();
    const slow = manual();
    add(registry, 'slow', { scan: () => slow.promise });
    const pass = registry.shrinkSlab(DESPERATE);
    add(registry, 'new');
    expect(registry.shrinkSlabSync(DESPERATE)).toBe(20);
    slow.resolve(1);
    await pass;
    checkRegistry(registry);
  };
  test('a new shrinker is in the next pass', () => property(sound));
  test('busted: a registration that waits while a run is in progress is caught', () =>
    caught(() =>
      property(
        busted((list) => ({
          publish(entry) {
            const busy = list.first !== null && list.first.refs > 1;
            const publish = () => ShrinkerList.prototype.publish.call(list, entry);
            if (busy) {
              void turn().then(publish);
            } else {
              publish();
            }
          },
        })),
      ),
    ));
});

describe('S21: free waits for the runs in progress, returns after them, and none starts later', () => {
  const property = async (make: MakeRegistry): Promise<void> => {
    const registry = make();
    const scans = [manual(), manual()];
    let calls = 0;
    const shrinker = add(registry, 'a', { scan: () => scans[calls++]?.promise ?? 0 });
    const passes = [registry.shrinkSlab(DESPERATE), registry.shrinkSlab(DESPERATE)];
    expect(calls).toBe(2);
    const freed = registry.free(shrinker);
    const later = [registry.shrinkSlab(DESPERATE), Promise.resolve(registry.shrinkSlabSync(DESPERATE))];
    expect(await Promise.all(later)).toEqual([0, 0]);
    expect(await isSettled(freed)).toBe(false);
    scans[1]!.resolve(1);
    expect(await isSettled(freed)).toBe(false);
    checkRegistry(registry);
    scans[0]!.resolve(1);
    expect(await isSettled(freed)).toBe(true);
    expect(await Promise.all(passes)).toEqual([1, 1]);
    expect(registry.shrinkSlabSync(DESPERATE)).toBe(0);
    expect(calls).toBe(2);
    checkRegistry(registry);
  };
  test('two runs', () => property(sound));

  test('busted: a free that does not wait is caught', () =>
    caught(() =>
      property(
        busted((list) => ({
          retire(entry) {
            void ShrinkerList.prototype.retire.call(list, entry);
            return Promise.resolve();
          },
        })),
      ),
    ));

  test('busted: a free that waits for the first of its runs is caught', () =>
    caught(() =>
      property(
        busted((list) => ({
          put(entry) {
            entry.refs = entry.refs < 0 ? -1 : entry.refs;
            ShrinkerList.prototype.put.call(list, entry);
          },
        })),
      ),
    ));

  test('busted: a look-up that finds a shrinker which is being freed is caught', () =>
    caught(() =>
      property(
        busted(() => ({
          tryGet(entry) {
            entry.refs += entry.refs > 0 ? 1 : -1;
            return true;
          },
        })),
      ),
    ));

  test('with nothing in progress it is done on return, with a promise that is always the same', () => {
    const registry = sound();
    const freed = [add(registry, 'a'), add(registry, 'b')].map((shrinker) => registry.free(shrinker));
    expect(registry.debug.list()).toEqual([]);
    expect(freed[0]).toBe(freed[1]);
    expect(registry.free(null)).toBe(freed[0]);
  });
});

describe('S22: free does not wait for the scan of another shrinker', () => {
  const property = async (make: MakeRegistry): Promise<void> => {
    const registry = make();
    const slow = manual();
    const [first, , last] = [
      add(registry, 'first'),
      add(registry, 'slow', { scan: () => slow.promise }),
      add(registry, 'last'),
    ];
    const pass = registry.shrinkSlab(DESPERATE);
    const freed = [registry.free(first), registry.free(last)];
    expect(await isSettled(Promise.all(freed))).toBe(true);
    slow.resolve(1);
    expect(await pass).toBe(21);
    checkRegistry(registry);
  };
  test('neither before nor behind it in the pass', () => property(sound));
  test('busted: a free that waits for the whole pass is caught', () =>
    caught(() =>
      property(
        busted((list) => ({
          async retire(entry) {
            await ShrinkerList.prototype.retire.call(list, entry);
            for (let turns = 0; turns < 100 && list.first !== null && list.first.refs > 1; turns++) {
              await turn();
            }
          },
        })),
      ),
    ));
});

describe('the end of a registry', () => {
  test('waits for every run, those included whose shrinker was freed before; a second end is harmless', async () => {
    const registry = sound();
    const [slow, slower] = [manual(), manual()];
    const a = add(registry, 'a', { scan: () => slow.promise });
    const b = add(registry, 'b', { scan: () => slower.promise });
    add(registry, 'c');
    registry.shrinkSlabSync(DESPERATE);
    const freed = registry.free(a);
    const disposed = [registry[Symbol.asyncDispose](), registry[Symbol.asyncDispose]()];
    slower.resolve(1);
    expect(await isSettled(Promise.all(disposed))).toBe(false);
    slow.resolve(1);
    await Promise.all([...disposed, freed]);
    checkRegistry(registry);
    expect(registry.debug.list()).toEqual([]);
    // The owner of one that is gone may still free it, as it would have, but only once.
    await registry.free(b);
    await expectCode('ERR_SHRINKER_FREED', () => registry.free(b));
  });

  test('nothing can be begun after it', async () => {
    const registry = sound();
    const shrinker = registry.alloc({ name: 'a', count: () => 0, scan: () => 0 });
    await registry[Symbol.asyncDispose]();
    await expectCode('ERR_SHRINKER_CLOSED', () => registry.shrinkSlab());
    await expectCode('ERR_SHRINKER_CLOSED', () => registry.shrinkSlabSync());
    await expectCode('ERR_SHRINKER_CLOSED', () => registry.register(shrinker));
    await expectCode('ERR_SHRINKER_CLOSED', () => registry.alloc({ name: 'b', count: () => 0, scan: () => 0 }));
    await registry.free(shrinker);
    expect(registry.stats()).toEqual({ passes: 0, freed: 0, scanned: 0, errors: 0, shrinkers: [] });
  });
});
