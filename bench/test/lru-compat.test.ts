import { ObjectCache } from '@cache/object';
import { LRUCache as Ours } from '@cache/object/lru-compat';
import { SeededRng } from '@core/base';
import { LRUCache as Theirs } from 'lru-cache';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: 1_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** One of the two caches, what it has told, and the loads that it has begun. */
interface Side {
  readonly cache: any;
  readonly events: unknown[][];
  readonly loads: { resolve: (value: unknown) => void; reject: (error: Error) => void }[];
  readonly answers: unknown[];
}

type Options = Record<string, unknown>;

/** What is fuzzed: no loads at all, loads, or loads that nothing removes and that go on when their caller has gone. */
type Kind = 'plain' | 'loads' | 'loads that go on';

/** The cache that ours is made on, which it asks in one of two ways. */
function innerOf(cache: any): any {
  const peek = vi.spyOn(ObjectCache.prototype, 'peek').mockReturnValue(undefined);
  const slotOf = vi.spyOn(ObjectCache.prototype, 'slotOf').mockReturnValue(-1);
  cache.peek('anything');
  const [inner] = [...peek.mock.contexts, ...slotOf.mock.contexts];
  peek.mockRestore();
  slotOf.mockRestore();
  return inner;
}

/** Values are objects, the same on both sides, so that they can be told apart. */
interface Value {
  readonly id: number;
  readonly size: number;
}

function side(Cache: new (options: any) => any, options: Options): Side {
  const events: unknown[][] = [];
  const loads: Side['loads'] = [];
  const { told, loading, sync, ...rest } = options;
  const cache = new Cache({
    ...rest,
    perf: { now: () => Date.now() },
    ...(told === true
      ? {
          dispose: (value: unknown, key: unknown, reason: unknown) => events.push(['dispose', value, key, reason]),
          disposeAfter: (value: unknown, key: unknown, reason: unknown) => events.push(['after', value, key, reason]),
          onInsert: (value: unknown, key: unknown, reason: unknown) => events.push(['insert', value, key, reason]),
        }
      : {}),
    ...(loading === true
      ? {
          fetchMethod: (key: string, stale: unknown, { signal, context }: any) => {
            events.push(['load', key, stale, signal.aborted, context]);
            if (sync === true) {
              return { id: key.charCodeAt(0), size: 1 };
            }
            return new Promise((resolve, reject) => {
              const load = { resolve, reject };
              loads.push(load);
              signal.addEventListener('abort', () => {
                // The other one tells it of loads that are over, too.
                if (loads.includes(load)) {
                  events.push(['abort', key, String(signal.reason)]);
                }
              });
            });
          },
        }
      : {}),
    memoMethod: (key: string, stale: unknown, { context }: any) => {
      events.push(['memo', key, stale, context]);
      return { id: -1, size: 2 };
    },
  });
  if (Cache === Ours) {
    // At once, as the other one does it: that it is later here is what is meant to differ.
    const { graveyard } = innerOf(cache);
    graveyard.retire = (key: unknown, entry: unknown, _: number, reason: unknown) =>
      graveyard.disposeValue(entry, key, reason);
  }
  return { cache, events, loads, answers: [] };
}

/** What a status says, without the cache, and times that depend on the order of calls. */
function plain(status: any): unknown {
  const { cache: _, trace: __, ...rest } = status;
  return { ...rest, fetchError: rest.fetchError === undefined ? undefined : String(rest.fetchError) };
}

class Pair {
  readonly trail: string[] = [];
  private readonly sides: readonly Side[];
  private readonly rng: SeededRng;
  private readonly options: Options;
  private readonly kind: Kind;
  private readonly values: Value[] = [];
  private readonly pendingStatuses: any[][] = [];
  private readonly controllers: AbortController[] = [];

  constructor(seed: number, kind: Kind, bust: Bust) {
    const rng = new SeededRng(seed);
    this.rng = rng;
    this.kind = kind;
    const loading = kind !== 'plain';
    const keeps = kind === 'loads that go on';
    const yes = (): boolean => rng.below(3) === 0;
    const sized = !keeps && rng.below(2) === 0;
    this.options = {
      max: keeps ? KEYS.length : rng.pick([1, 2, 3, 5]),
      ...(sized
        ? { maxSize: 20, ...(yes() ? { maxEntrySize: 7 } : {}), sizeCalculation: ({ size }: Value) => size }
        : {}),
      ...(yes() || loading ? { ttl: 10 } : {}),
      ttlResolution: 0,
      ttlAutopurge: !keeps && yes(),
      allowStale: yes(),
      updateAgeOnGet: yes(),
      updateAgeOnHas: yes(),
      noDeleteOnStaleGet: keeps || yes(),
      noDisposeOnSet: yes(),
      noUpdateTTL: yes(),
      // All together only where nothing is removed: else the other one stores what was removed meanwhile, or keeps an
      // entry without a value.
      ...(keeps
        ? { ignoreFetchAbort: true, allowStaleOnFetchAbort: true, allowStaleOnFetchRejection: yes() }
        : rng.pick([
            { noDeleteOnFetchRejection: yes(), allowStaleOnFetchRejection: yes(), allowStaleOnFetchAbort: yes() },
            { ignoreFetchAbort: true },
          ])),
      // Where a load is under way, the other one disposes of nothing that it replaces or removes.
      told: !loading && !yes(),
      loading,
      sync: loading && yes(),
    };
    this.sides = [side(Theirs as any, this.options), side(Ours as any, this.options)];
    bust(this.sides[1]?.cache);
  }

  describe(): string {
    return `${JSON.stringify(this.options)} ${this.trail.slice(-8).join(', ')}`;
  }

  async run(operations: number): Promise<void> {
    for (let done = 0; done < operations; done++) {
      this.step();
      for (let turn = 0; turn < 8; turn++) {
        await Promise.resolve();
      }
      this.compare();
    }
    for (const { loads } of this.sides) {
      for (const { resolve } of loads) {
        resolve(undefined);
      }
    }
    for (let turn = 0; turn < 20; turn++) {
      await Promise.resolve();
    }
    this.compare();
  }

  private step(): void {
    const { rng } = this;
    const key = rng.pick(KEYS);
    const status = rng.below(2) === 0;
    const maybe = (options: Options): Options =>
      Object.fromEntries(Object.entries(options).filter(() => rng.below(3) === 0));
    const stale = maybe({ allowStale: rng.below(2) === 0 });
    const keeps = this.kind === 'loads that go on';
    const get = {
      ...stale,
      ...maybe({ updateAgeOnGet: true, ...(keeps ? {} : { noDeleteOnStaleGet: rng.below(2) === 0 }) }),
    };
    const set = {
      ...maybe({ ttl: rng.pick([0, 5, 20]), noDisposeOnSet: rng.below(2) === 0, noUpdateTTL: rng.below(2) === 0 }),
      ...maybe({ start: Date.now() - rng.below(12) }),
      ...(this.options['maxSize'] === undefined ? {} : maybe({ size: rng.pick([1, 3, 8]) })),
    };
    const value = this.value();
    const call = (name: string, ...args: unknown[]): void => this.both(name, args, status);
    const operations: Readonly<Record<string, () => void>> = {
      set: () => call('set', key, value, set),
      setMore: () => call('set', key, value, {}),
      setNone: () => call('set', key, undefined, {}),
      get: () => call('get', key, get),
      getPlain: () => this.both('get', [key], false),
      peek: () => call('peek', key, stale),
      has: () => call('has', key, maybe({ updateAgeOnHas: rng.below(2) === 0 })),
      delete: () => this.both('delete', [key], false),
      pop: () => (this.options['loading'] === true ? undefined : this.both('pop', [], false)),
      clear: () => (rng.below(6) === 0 ? this.both('clear', [], false) : undefined),
      purgeStale: () => this.both('purgeStale', [], false),
      memo: () => call('memo', key, { ...get, ...set, ...maybe({ forceRefresh: true, context: 'c' }) }),
      find: () => this.both('find', [({ id }: Value) => id % 3 === 0, get], false),
      remaining: () => this.both('getRemainingTTL', [key], false),
      reload: () => (rng.below(4) === 0 ? this.reload() : undefined),
      time: () => {
        const ms = rng.below(7);
        this.trail.push(`${ms} ms`);
        vi.advanceTimersByTime(ms);
      },
      ...(this.options['loading'] === true
        ? {
            fetch: () => this.fetch(key, { ...get, ...set, ...maybe({ forceRefresh: true, context: 'c' }) }, status),
            fetchMore: () => this.fetch(key, get, status),
            settle: () => this.settle(value),
            abort: () => this.controllers.splice(rng.below(3), 1)[0]?.abort(new Error('given up')),
          }
        : {}),
    };
    const [name, run] = rng.pick(Object.entries(operations).filter(([name]) => this.isAllowed(name)));
    this.trail.push(`${name} ${key}`);
    run();
  }

  private isAllowed(operation: string): boolean {
    const removes = ['setNone', 'delete', 'pop', 'clear', 'purgeStale', 'reload'];
    return this.kind !== 'loads that go on' || !removes.includes(operation);
  }

  private both(name: string, args: readonly unknown[], withStatus: boolean): void {
    const found = this.sides.map(({ cache }) => {
      const status: any = {};
      const given = withStatus
        ? [...args.slice(0, -1), { ...(args.at(-1) as object), status }]
        : args.map((arg) => (arg !== null && typeof arg === 'object' && !('id' in arg) ? { ...arg } : arg));
      try {
        const result = cache[name](...given);
        return { result: result === cache ? 'this' : result, status: plain(status) };
      } catch (error) {
        return { error: String(error) };
      }
    });
    expect(found[1], name).toEqual(found[0]);
  }

  private reload(): void {
    for (const { cache } of this.sides) {
      cache.load(cache.dump());
    }
  }

  private fetch(key: string, options: Options, withStatus: boolean): void {
    const controller = new AbortController();
    const signal = this.rng.below(3) === 0 ? { signal: controller.signal } : {};
    this.controllers.push(controller);
    const statuses = this.sides.map(({ cache, answers }) => {
      const status: any = {};
      const at = answers.push('pending') - 1;
      cache.fetch(key, { ...options, ...signal, ...(withStatus ? { status } : {}) }).then(
        (value: unknown) => (answers[at] = value),
        (error: unknown) => (answers[at] = String(error)),
      );
      return status;
    });
    if (withStatus) {
      this.pendingStatuses.push(statuses);
    }
  }

  private settle(value: Value): void {
    const { loads } = this.sides[0] as Side;
    if (loads.length > 0) {
      const at = this.rng.below(loads.length);
      // After an abort, a load that fails is never over for the other one.
      const how = this.kind === 'loads that go on' ? 2 : this.rng.below(4);
      for (const { loads: mine } of this.sides) {
        const [load] = mine.splice(at, 1);
        if (how === 0) {
          load?.reject(new Error('no value'));
        } else {
          load?.resolve(how === 1 ? undefined : value);
        }
      }
    }
  }

  private compare(): void {
    for (const { cache } of this.sides) {
      // The other one puts off disposeAfter at times, until anything is deleted.
      cache.delete('nothing');
    }
    const [theirs, ours] = this.sides.map(({ cache, events, loads, answers }) => ({
      size: cache.size,
      calculatedSize: cache.calculatedSize,
      entries: [...cache],
      rentries: [...cache.rentries()],
      keys: [...cache.keys()],
      rkeys: [...cache.rkeys()],
      values: [...cache.values()],
      rvalues: [...cache.rvalues()],
      dump: cache.dump(),
      info: KEYS.map((key) => cache.info(key)),
      each: collect((each) => cache.forEach(each)),
      reach: collect((each) => cache.rforEach(each)),
      // Each kind in its order: after what it is told is what is meant to differ.
      events: ['dispose', 'after', 'insert', 'load', 'abort', 'memo'].map((kind) =>
        events.filter(([is]) => is === kind),
      ),
      loads: loads.length,
      answers,
    }));
    expect(ours).toEqual(theirs);
    for (const [one, other] of this.pendingStatuses) {
      expect(plain(other)).toEqual(plain(one));
    }
    (this.sides[1] as Side).cache.checkInvariants();
  }

  private value(): Value {
    if (this.values.length > 0 && this.rng.below(4) === 0) {
      return this.rng.pick(this.values);
    }
    const value = { id: this.values.length, size: 1 + this.rng.below(8) };
    this.values.push(value);
    return value;
  }
}

function collect(each: (callback: (value: unknown, key: unknown) => void) => void): unknown[] {
  const found: unknown[] = [];
  each((value, key) => found.push([value, key]));
  return found;
}

/** Ways to break ours, each of which must be noticed. */
type Bust = (cache: any) => void;

async function fuzz(seed: number, kind: Kind, bust: Bust = () => {}): Promise<void> {
  const pair = new Pair(seed, kind, bust);
  try {
    await pair.run(80);
  } catch (error) {
    throw new Error(`seed ${seed}, ${pair.describe()}: ${(error as Error).message}`, { cause: error });
  }
}

const BUSTS: Readonly<Record<string, Bust>> = {
  'a hit that moves nothing': (cache) => {
    innerOf(cache).policy.touch = () => {};
  },
  'a stale entry that stays': (cache) => {
    const inner = innerOf(cache);
    const { delete: remove } = inner;
    inner.delete = (key: unknown) => inner.peek(key)?.leaves !== 'expire' && remove.call(inner, key);
  },
  'a reason that is forgotten': (cache) => {
    const inner = innerOf(cache);
    const { delete: remove } = inner;
    inner.delete = (key: unknown) => {
      inner.peek(key).leaves = 'delete';
      return remove.call(inner, key);
    };
  },
  'an age that a set renews whatever was asked for': (cache) => {
    const { set } = cache;
    cache.set = (key: unknown, value: unknown, options: object) =>
      set.call(cache, key, value, { ...options, noUpdateTTL: false });
  },
  'a load that goes on though its entry was deleted': (cache) => {
    const { delete: remove } = cache;
    cache.delete = (key: unknown) => (innerOf(cache).peek(key)?.flight ? true : remove.call(cache, key));
  },
};

/** One that ends a load whose caller has gone. */
function bustGoingOn(cache: any): void {
  const { fetch } = cache;
  cache.fetch = (key: unknown, options: object) => fetch.call(cache, key, { ...options, ignoreFetchAbort: false });
}

describe('lru-compat beside lru-cache', () => {
  const seeds = [...Array.from({ length: 70 }, (_, at) => at + 1), ...Array.from({ length: 10 }, newSeed)];

  it.each<Kind>(['plain', 'loads', 'loads that go on'])('does the same: %s', async (kind) => {
    for (const seed of seeds) {
      await fuzz(seed, kind);
    }
  });

  it.each(Object.keys(BUSTS))('would notice %s', async (name) => {
    await expect(async () => {
      for (let seed = 1; seed <= 60; seed++) {
        await fuzz(seed, 'plain', BUSTS[name]);
        await fuzz(seed, 'loads', BUSTS[name]);
      }
    }).rejects.toThrow(/^seed/);
  });

  it('would notice a load that ends with its caller', async () => {
    await expect(async () => {
      for (let seed = 1; seed <= 60; seed++) {
        await fuzz(seed, 'loads that go on', bustGoingOn);
      }
    }).rejects.toThrow(/^seed/);
  });
});

function newSeed(): number {
  return 1_000 + Math.floor(Math.random() * 1e9);
}
