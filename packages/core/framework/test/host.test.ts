import { Rcu, Srcu } from '@core/rcu';
import { formatReport } from '@core/pressure';
import { type MemoryGroup, ShrinkerRegistry } from '@core/shrinker';
import { describe, expect, test } from 'vitest';
import {
  cachePlugin,
  createHost,
  definePlugin,
  HostEventEmitter,
  type HostStats,
  inject,
  type Plugin,
  type PluginContext,
  pluginOf,
  token,
  TOKENS,
} from '../src/index.js';
import { failureOf } from './support/failure-of.js';
import { TestTime } from './support/test-time.js';

/** A cache that knows nothing of any framework, as hot classes should. */
class Shelf {
  readonly items: string[];
  constructor(items: string[]) {
    this.items = items;
  }
}

@cachePlugin({ name: 'shelf', version: '1.2.3', provides: Shelf })
class ShelfPlugin {
  provided: Shelf;
  constructor(@inject(TOKENS.Context) context: PluginContext, @inject(TOKENS.Options) options: { items?: string[] }) {
    const shelf = new Shelf(options.items ?? []);
    this.provided = shelf;
    context.shrinker({
      count: () => shelf.items.length,
      scan: (sc) => shelf.items.splice(0, sc.nrToScan).length,
    });
  }

  stats(): object {
    return { size: this.provided.items.length };
  }
}

function shelf(options: { name?: string; items?: string[] } = {}): Plugin<Shelf> {
  return pluginOf(ShelfPlugin, options);
}

/** Injects what another plugin provides, and the host's services by class. */
@cachePlugin({ name: 'reader' })
class Reader {
  readonly shelf: Shelf;
  readonly rcu: Rcu;
  constructor(@inject(Shelf) source: Shelf, @inject(Rcu) rcu: Rcu) {
    this.shelf = source;
    this.rcu = rcu;
  }
}

describe('get', () => {
  test('finds a service by class, token, plugin value, plugin class and name', async () => {
    const GREETING = token<string>('greeting');
    const plugin = shelf({ items: ['a'] });
    const greeting = definePlugin({ name: 'greeting', provides: GREETING, create: () => 'hello' });
    await using host = await createHost({ plugins: [plugin, greeting] });
    const found = host.get(Shelf);
    expect(found).toBeInstanceOf(Shelf);
    expect(found.items).toEqual(['a']);
    expect(host.get(plugin)).toBe(found);
    expect(host.get('shelf')).toBe(found);
    expect(host.get(Shelf, 'shelf')).toBe(found);
    expect(host.get(ShelfPlugin).provided).toBe(found);
    expect(host.get(GREETING)).toBe('hello');
    expect(host.get(greeting)).toBe('hello');
  });

  test('has the services of the host by token and by class', async () => {
    await using host = await createHost();
    expect(host.get(TOKENS.Rcu)).toBe(host.get(Rcu));
    expect(host.get(TOKENS.Srcu)).toBe(host.get(Srcu));
    expect(host.get(TOKENS.ShrinkerRegistry)).toBe(host.get(ShrinkerRegistry));
    expect(host.get(TOKENS.Events)).toBe(host.events);
    expect(await host.get(TOKENS.Reclaimer).reclaim()).toBe(0);
    expect(host.get(TOKENS.MemoryGroup)).toBe(host.get(TOKENS.ShrinkerRegistry).root);
  });

  test('tells two instances of one plugin apart', async () => {
    const first = shelf({ name: 'first' });
    const second = shelf({ name: 'second' });
    await using host = await createHost({ plugins: [first, second] });
    expect(host.get(first)).not.toBe(host.get(second));
    expect(host.get(Shelf, 'second')).toBe(host.get(second));
    expect(host.get('first')).toBe(host.get(first));
    const failure = await failureOf(() => host.get(Shelf));
    expect(failure.code).toBe('ERR_AMBIGUOUS_SERVICE');
    expect(failure.message).toBe(
      'Cannot get Shelf: plugins "first", "second" provide it; ask for one by its plugin value, or as get(Shelf, name)',
    );
  });
});

describe('injection', () => {
  test('gives a plugin what another provides, started before it without a requires', async () => {
    const order: string[] = [];
    await using host = await createHost({ plugins: [pluginOf(Reader), shelf()], events: heard(order) });
    expect(order).toEqual(['shelf', 'reader']);
    expect(host.get(Reader).shelf).toBe(host.get(Shelf));
    expect(host.get(Reader).rcu).toBe(host.get(TOKENS.Rcu));
  });

  test('binds what else a class wants through its own module, seen by it alone', async () => {
    @cachePlugin({ name: 'dialer' })
    class Dialer {
      readonly port: number;
      constructor(@inject('port') port: number) {
        this.port = port;
      }
    }
    const plugins = [1, 2].map((port) =>
      pluginOf(Dialer, { name: `dialer-${port}` }, ({ bind }) => bind('port').toConstantValue(port)),
    );
    await using host = await createHost({ plugins });
    expect(plugins.map((plugin) => host.get(plugin).port)).toEqual([1, 2]);
  });

  test('gives each plugin a context of its own', async () => {
    const contexts: PluginContext[] = [];
    const make = (name: string): Plugin =>
      definePlugin({
        name,
        create: (context) => {
          contexts.push(context);
        },
      });
    await using host = await createHost({ plugins: [make('a'), make('b')] });
    expect(contexts.map((context) => context.name)).toEqual(['a', 'b']);
    expect(contexts[0]?.srcu).toBe(contexts[1]?.srcu);
    expect(contexts[0]?.rcu).toBe(host.get(Rcu));
    expect(contexts[0]?.shrinkers).toBe(host.get(ShrinkerRegistry));
    expect(contexts[0]?.events).toBe(host.events);
  });
});

describe('definePlugin', () => {
  test('awaits create, and calls stop and the dispose of the value', async () => {
    const calls: string[] = [];
    const plugin = definePlugin({
      name: 'plain',
      create: async ({ name }) => ({
        name,
        [Symbol.asyncDispose]: async () => {
          calls.push('disposed');
        },
      }),
      stop: (value) => {
        calls.push(`stopped ${value.name}`);
      },
      stats: (value) => ({ name: value.name }),
    });
    const host = await createHost({ plugins: [plugin] });
    expect(host.get(plugin).name).toBe('plain');
    expect(host.stats().plugins[0]?.stats).toEqual({ name: 'plain' });
    await host.close();
    expect(calls).toEqual(['stopped plain', 'disposed']);
  });

  test('gets what it requires from its context, by plugin value', async () => {
    const base = shelf({ name: 'base', items: ['x'] });
    const other = shelf({ name: 'other' });
    const user = definePlugin({ name: 'user', requires: [base], create: ({ get }) => get(base).items[0] });
    await using host = await createHost({ plugins: [user, other, base] });
    expect(host.get(user)).toBe('x');
  });
});

describe('reclaim', () => {
  test('runs one pass over the shrinkers, and says what it freed', async () => {
    await using host = await createHost({ plugins: [shelf({ items: ['a', 'b', 'c'] })] });
    const heardOf: unknown[] = [];
    host.events.on('reclaimed', (event) => heardOf.push({ ...event, durationMs: 0 }));
    expect(await host.reclaim({ priority: 12 })).toBe(0);
    expect(await host.reclaim({ priority: 0 })).toBe(3);
    expect(host.get(Shelf).items).toEqual([]);
    host.get(Shelf).items.push('d');
    expect(await host.reclaim()).toBe(1);
    host.get(Shelf).items.push('e');
    expect(host.get(TOKENS.Reclaimer).reclaimSync({ zone: 'external' })).toBe(1);
    expect(heardOf).toEqual([
      { freed: 0, priority: 12, zone: null, mode: 'background', durationMs: 0 },
      { freed: 3, priority: 0, zone: null, mode: 'background', durationMs: 0 },
      { freed: 1, priority: 0, zone: null, mode: 'background', durationMs: 0 },
      { freed: 1, priority: 0, zone: 'external', mode: 'direct', durationMs: 0 },
    ]);
    expect(host.stats().reclaim).toMatchObject({ passes: 4, freed: 5, errors: 0 });
  });
});

describe('stats', () => {
  test('is one plain object that survives JSON', async () => {
    const time = new TestTime();
    const worker = definePlugin({
      name: 'worker',
      create: (context) => {
        context.domain({ name: 'worker-readers' });
        context.scheduler.after(10, () => {});
        context.pending({ process: () => {} }).enqueue({ rcuNext: null });
      },
    });
    await using host = await createHost({
      name: 'shop',
      memory: { limitBytes: 1e6 },
      plugins: [shelf({ items: ['a'] }), worker],
      clock: time,
      scheduler: time,
    });
    const stats: HostStats = host.stats();
    expect(JSON.parse(JSON.stringify(stats))).toEqual(stats);
    expect(stats).toMatchObject({
      name: 'shop',
      state: 'running',
      memory: {
        mode: 'limit',
        limitBytes: 1e6,
        enforced: true,
        monitor: {
          budgets: [{ name: 'heap' }, { name: 'external' }, { name: 'total', limitBytes: 1e6, from: 'options' }],
        },
      },
      plugins: [
        { name: 'shelf', kind: 'shelf', version: '1.2.3', state: 'started', provides: 'Shelf', stats: { size: 1 } },
        { name: 'worker', kind: 'worker', version: null, state: 'started', provides: null, stats: null },
      ],
      rcu: { name: 'shop/rcu' },
      srcu: { name: 'shop/srcu' },
      domains: [{ name: 'worker-readers', plugin: 'worker' }],
      shrinkers: [{ name: 'shelf', plugin: 'shelf' }],
      pendings: [{ plugin: 'worker', count: 1, stats: { processed: 0 } }],
      reclaim: { passes: 0, freed: 0, scanned: 0, errors: 0 },
      timers: 1,
    });
    await host.close();
    expect(host.stats()).toMatchObject({ state: 'closed', shrinkers: [], pendings: [{ count: 0 }], timers: 0 });
  });
});

describe('memory', () => {
  test('auto: every budget says where its limit was found', async () => {
    await using host = await createHost();
    const { mode, limitBytes, enforced, monitor, reclaim } = host.stats().memory;
    expect({ mode, limitBytes, enforced }).toEqual({ mode: 'auto', limitBytes: null, enforced: true });
    expect(monitor?.budgets.map(({ name }) => name)).toEqual(['heap', 'external']);
    for (const { limitBytes: limit, usedBytes, from, watermarks } of monitor?.budgets ?? []) {
      expect(limit).toBeGreaterThan(0);
      expect(usedBytes).toBeLessThan(limit);
      expect(from).not.toBe('');
      expect(watermarks.high).toBeGreaterThan(watermarks.low);
      expect(watermarks.low).toBeGreaterThan(watermarks.min);
    }
    expect(reclaim).toMatchObject({ direct: 0, background: 0, active: false });
  });

  test('off: nothing reclaims by itself, there is always room, and a report can be had all the same', async () => {
    const seen: (MemoryGroup | null)[] = [];
    const plugin = definePlugin({
      name: 'curious',
      create: ({ memoryGroup, reclaimer }) => {
        seen.push(memoryGroup);
        return { fits: reclaimer.reserve(1e15) };
      },
    });
    await using host = await createHost({ memory: 'off', plugins: [plugin] });
    expect(host.stats().memory).toEqual({
      mode: 'off',
      limitBytes: null,
      enforced: false,
      monitor: null,
      reclaim: null,
    });
    expect(seen).toEqual([null]);
    expect(host.get(plugin).fits).toBe(true);
    expect(host.report()).toMatchObject({ reason: 'asked', budgets: [{ name: 'heap' }, { name: 'external' }] });
  });

  test('a limit is the max of the root group, and what is reserved must fit below it', async () => {
    const plugin = definePlugin({ name: 'curious', create: (context) => context });
    await using host = await createHost({ memory: { limitBytes: 1e6 }, plugins: [plugin] });
    const { memoryGroup, reclaimer } = host.get(plugin);
    expect(reclaimer.reserve(9e5, 'external')).toBe(true);
    expect(reclaimer.reserve(2e6, 'external')).toBe(false);
    memoryGroup?.charge(1e6);
    expect(() => memoryGroup?.charge(1)).toThrow(/group \/ uses 1000000 of 1000000 bytes/);
    memoryGroup?.uncharge(1e6);
  });

  test('a report names who holds memory back', async () => {
    const plugin = definePlugin({
      name: 'holder',
      create: (context) => {
        const domain = context.domain({ name: 'readers' });
        const pending = context.pending<{ rcuNext: null; n: number }>({
          rcu: domain,
          process: () => {},
          sizeOf: () => 7,
        });
        context.shrinker({ count: () => 3, scan: () => 0, retiredBytes: () => 5, skipped: () => ({ held: 2 }) });
        return { domain, pending };
      },
    });
    await using host = await createHost({ plugins: [plugin], name: 'shop' });
    const { domain, pending } = host.get(plugin);
    const guard = domain.guard('slow request');
    pending.enqueue({ rcuNext: null, n: 1 });
    const report = host.report();
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report).toMatchObject({
      pendings: [{ name: 'holder', count: 1, bytes: 7 }],
      shrinkers: [{ name: 'holder', freeable: 3, retiredBytes: 15, skipped: { held: 2 } }],
    });
    expect(report.readers).toContainEqual(
      expect.objectContaining({ domain: 'readers', readers: 1, label: 'slow request' }),
    );
    const text = formatReport(report);
    expect(text).toContain('slow request');
    expect(text).toContain('held 2');
    guard[Symbol.dispose]();
  });

  test('memory that is short is told of, to the logger while nobody listens', async () => {
    const warned: string[] = [];
    const events = new HostEventEmitter();
    const plugin = definePlugin({ name: 'curious', create: (context) => context });
    await using host = await createHost({
      memory: { limitBytes: 100e6 },
      plugins: [plugin],
      events,
      logger: { debug() {}, info() {}, warn: (message) => void warned.push(message), error() {} },
    });
    // Nothing can be freed, so the step that is charged below the min watermark falls short.
    host.get(plugin).memoryGroup?.charge(99e6);
    expect(warned).toHaveLength(1);
    expect(warned[0]).toMatch(/^Memory is nearly used up\nbudget/);
    host.get(plugin).memoryGroup?.uncharge(99e6);
  });

  test.each([
    [Number.NaN, 'Cannot limit memory to NaN bytes: limitBytes must be positive and finite'],
    [-1, 'Cannot limit memory to -1 bytes: limitBytes must be positive and finite'],
    [0, 'Cannot limit memory to 0 bytes: limitBytes must be positive and finite'],
    [Infinity, 'Cannot limit memory to Infinity bytes: limitBytes must be positive and finite'],
  ])('refuses a limit of %d', async (limitBytes, message) => {
    await expect(createHost({ memory: { limitBytes } })).rejects.toThrow(new RangeError(message));
  });

  test.each([
    ['512mb', "Cannot use memory '512mb': pass 'auto', 'off' or { limitBytes, heapLimitBytes, rssLimitBytes }"],
    [{ limit: 1 }, "Cannot use memory { limit }: pass 'auto', 'off' or { limitBytes, heapLimitBytes, rssLimitBytes }"],
    [null, "Cannot use memory null: pass 'auto', 'off' or { limitBytes, heapLimitBytes, rssLimitBytes }"],
  ])('refuses %j', async (memory, message) => {
    await expect(createHost({ memory: memory as never })).rejects.toThrow(new TypeError(message));
  });

  test('refuses a closeTimeoutMs that is no time', async () => {
    for (const closeTimeoutMs of [-1, Number.NaN, Infinity]) {
      await expect(createHost({ closeTimeoutMs })).rejects.toThrow(RangeError);
    }
  });
});

describe('two hosts', () => {
  test('share nothing, even when they are given the same plugin value', async () => {
    const plugin = shelf({ items: ['a', 'b'] });
    await using one = await createHost({ name: 'one', plugins: [plugin] });
    await using two = await createHost({ name: 'two', plugins: [plugin] });
    expect(one.get(plugin)).not.toBe(two.get(plugin));
    for (const id of [TOKENS.Rcu, TOKENS.Srcu, TOKENS.ShrinkerRegistry, TOKENS.Reclaimer, TOKENS.Events] as const) {
      expect(one.get<unknown>(id)).not.toBe(two.get<unknown>(id));
    }
    const heardInTwo: unknown[] = [];
    two.events.on('reclaimed', (event) => heardInTwo.push(event));
    using guard = two.get(TOKENS.Srcu).guard('in two');
    await one.reclaim();
    await one.close();
    expect(heardInTwo).toEqual([]);
    expect(two.stats()).toMatchObject({ state: 'running', reclaim: { passes: 0 }, srcu: { readers: 1 } });
    expect(two.stats().shrinkers).toHaveLength(1);
    expect(two.get(Shelf)).toBe(two.get(plugin));
    guard.release();
  });
});

/** Hears who starts; `createHost` takes it before anything has. */
function heard(order: string[]): HostEventEmitter {
  const events = new HostEventEmitter();
  events.on('pluginStarted', ({ plugin }) => order.push(plugin));
  return events;
}
