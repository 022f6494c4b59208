import { describe, expect, test } from 'vitest';
import {
  cachePlugin,
  createHost,
  definePlugin,
  type HostClosedEvent,
  HostEventEmitter,
  inject,
  type Logger,
  type Plugin,
  type PluginContext,
  pluginOf,
  silentLogger,
  TOKENS,
} from '../src/index.js';
import { failureOf } from './support/failure-of.js';
import { TestTime, turns } from './support/test-time.js';

/** Records the life of a plugin, and fails where it is told to. */
function traced(
  trace: string[],
  name: string,
  options: { requires?: string[]; fail?: 'new' | 'start' | 'stop' | 'dispose'; onStart?: () => void } = {},
): Plugin {
  const step = (what: 'new' | 'start' | 'stop' | 'dispose'): void => {
    trace.push(`${name} ${what}`);
    if (options.fail === what) {
      throw new Error(`${name} cannot ${what}`);
    }
  };
  @cachePlugin({ name, requires: options.requires })
  class Traced {
    constructor() {
      step('new');
    }
    async start(): Promise<void> {
      await turns(1);
      options.onStart?.();
      step('start');
    }
    async stop(): Promise<void> {
      await turns(1);
      step('stop');
    }
    [Symbol.asyncDispose](): Promise<void> {
      step('dispose');
      return Promise.resolve();
    }
  }
  return pluginOf(Traced);
}

describe('start and stop', () => {
  test('go in the order of requirements, and back', async () => {
    const trace: string[] = [];
    const plugins = [
      traced(trace, 'c', { requires: ['b'] }),
      traced(trace, 'a'),
      traced(trace, 'b', { requires: ['a'] }),
    ];
    const host = await createHost({ plugins });
    expect(trace).toEqual(['a new', 'a start', 'b new', 'b start', 'c new', 'c start']);
    trace.length = 0;
    await host.close();
    expect(trace).toEqual(['c stop', 'c dispose', 'b stop', 'b dispose', 'a stop', 'a dispose']);
  });

  test.each(['new', 'start'] as const)('a plugin that fails in %s takes down those before it', async (fail) => {
    const trace: string[] = [];
    const plugins = [traced(trace, 'a'), traced(trace, 'b'), traced(trace, 'c', { fail }), traced(trace, 'd')];
    const failure = await failureOf(createHost({ plugins }));
    expect(failure.code).toBe('ERR_START_FAILED');
    expect(failure.plugin).toBe('c');
    expect(failure.message).toBe(`Cannot start plugin "c": c cannot ${fail}`);
    expect(failure.cause).toEqual(new Error(`c cannot ${fail}`));
    const before = ['a new', 'a start', 'b new', 'b start'];
    const after = ['b stop', 'b dispose', 'a stop', 'a dispose'];
    // What was built, if not started, is disposed of; what was never built is left alone.
    const own = fail === 'new' ? ['c new'] : ['c new', 'c start', 'c dispose'];
    expect(trace).toEqual([...before, ...own, ...after]);
  });

  test('a teardown that fails after a failed start is reported, and does not hide why', async () => {
    const warnings: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      warn: (message, detail) => warnings.push(`${message}: ${String(detail)}`),
    };
    const trace: string[] = [];
    const plugins = [traced(trace, 'a', { fail: 'stop' }), traced(trace, 'b', { fail: 'start' })];
    const failure = await failureOf(createHost({ plugins, logger }));
    expect(failure.message).toBe('Cannot start plugin "b": b cannot start');
    expect(warnings).toEqual([
      'An error was thrown by the teardown of host "host", whose start had failed: FrameworkError: Cannot close host "host" cleanly: stopping plugin "a" threw: a cannot stop',
    ]);
  });

  test('an abort while a plugin starts lets it finish, and takes everything down', async () => {
    const trace: string[] = [];
    const abort = new AbortController();
    const plugins = [
      traced(trace, 'a'),
      traced(trace, 'b', { onStart: () => abort.abort(new Error('SIGTERM')) }),
      traced(trace, 'c'),
    ];
    const failure = await failureOf(createHost({ plugins, signal: abort.signal }));
    expect(failure.code).toBe('ERR_HOST_CLOSED');
    expect(failure.message).toBe('Cannot start host "host": its start was aborted');
    expect(failure.cause).toEqual(new Error('SIGTERM'));
    expect(trace.slice(4)).toEqual(['b stop', 'b dispose', 'a stop', 'a dispose']);
  });

  test('an abort before the start starts nothing, and one after it means nothing', async () => {
    const trace: string[] = [];
    expect((await failureOf(createHost({ plugins: [traced(trace, 'a')], signal: AbortSignal.abort() }))).code).toBe(
      'ERR_HOST_CLOSED',
    );
    expect(trace).toEqual([]);
    const abort = new AbortController();
    await using host = await createHost({ plugins: [traced(trace, 'a')], signal: abort.signal });
    abort.abort();
    await turns(2);
    expect(host.stats().state).toBe('running');
  });
});

describe('close', () => {
  test('is one teardown, however often it is asked for', async () => {
    const trace: string[] = [];
    const host = await createHost({ plugins: [traced(trace, 'a')] });
    trace.length = 0;
    const first = host.close();
    expect(host.close()).toBe(first);
    expect(host[Symbol.asyncDispose]()).toBe(first);
    await Promise.all([first, host.close()]);
    await host.close();
    expect(trace).toEqual(['a stop', 'a dispose']);
    expect(host.stats().state).toBe('closed');
  });

  test('tells its failure to everybody who waits for it, and to nobody later', async () => {
    const host = await createHost({ plugins: [traced([], 'a', { fail: 'stop' })] });
    const [first, second] = await Promise.allSettled([host.close(), host.close()]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CLOSE_FAILED' } });
    expect(second).toEqual(first);
    await host.close();
    await host[Symbol.asyncDispose]();
  });

  test('runs every step when some throw, and says which', async () => {
    const trace: string[] = [];
    const host = await createHost({
      plugins: [
        traced(trace, 'a', { fail: 'dispose' }),
        traced(trace, 'b'),
        traced(trace, 'c', { fail: 'stop' }),
        definePlugin({
          name: 'd',
          create: ({ own }) => void own({ [Symbol.asyncDispose]: () => Promise.reject(new Error('d cannot exit')) }),
        }),
      ],
    });
    const closed: HostClosedEvent[] = [];
    const stopped: string[] = [];
    host.events.on('hostClosed', (event) => closed.push(event));
    host.events.on('pluginStopped', ({ plugin }) => stopped.push(plugin));
    trace.length = 0;
    const failure = await failureOf(host.close());
    expect(trace).toEqual(['c stop', 'c dispose', 'b stop', 'b dispose', 'a stop', 'a dispose']);
    expect(stopped).toEqual(['d', 'c', 'b', 'a']);
    expect(failure.code).toBe('ERR_CLOSE_FAILED');
    expect(failure.message).toBe(
      'Cannot close host "host" cleanly: stopping plugin "c" threw: c cannot stop; stopping plugin "a" threw: a cannot dispose; disposing of what plugin "d" owns threw: d cannot exit',
    );
    expect(failure.cause).toBeInstanceOf(AggregateError);
    expect((failure.cause as AggregateError).errors).toEqual([
      new Error('c cannot stop'),
      new Error('a cannot dispose'),
      new Error('d cannot exit'),
    ]);
    expect(closed).toMatchObject([{ host: 'host', leaks: [], errors: 3 }]);
    expect(host.stats().plugins.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped', 'stopped']);
  });

  test('lets a plugin free what the host has freed', async () => {
    const plugin = definePlugin({
      name: 'tidy',
      create: ({ shrinkers, shrinker }) => ({ shrinkers, own: shrinker({ count: () => 0, scan: () => 0 }) }),
      stop: ({ shrinkers, own }) => shrinkers.free(own),
    });
    await (await createHost({ plugins: [plugin] })).close();
  });

  test('waits for a scan in progress', async () => {
    let finish = (_freed: number): void => {};
    const plugin = definePlugin({
      name: 'slow',
      create: ({ shrinker }) =>
        void shrinker({
          count: () => 1,
          scan: () => new Promise<number>((resolve) => (finish = resolve)),
        }),
    });
    const host = await createHost({ plugins: [plugin] });
    const pass = host.reclaim({ priority: 0 });
    await turns(2);
    const closing = host.close();
    await turns(10);
    expect(host.stats().state).toBe('closing');
    finish(1);
    expect(await pass).toBe(1);
    await closing;
  });

  test('waits for a guard that is released in time', async () => {
    const time = new TestTime();
    const host = await createHost({ clock: time, scheduler: time, closeTimeoutMs: 1000 });
    const guard = host.get(TOKENS.Srcu).guard('short');
    const closing = host.close();
    await turns(5);
    time.advance(999);
    await turns(5);
    guard.release();
    await closing;
    expect(host.stats()).toMatchObject({ state: 'closed', srcu: { readers: 0 } });
  });

  test('refuses further use', async () => {
    const host = await createHost({ name: 'shop' });
    const closing = host.close();
    const failure = await failureOf(() => host.get(TOKENS.Rcu));
    expect(failure.code).toBe('ERR_HOST_CLOSED');
    expect(failure.message).toBe('Cannot get a service: host "shop" is closing; create a new one');
    await closing;
    expect((await failureOf(host.reclaim())).message).toBe('Cannot reclaim: host "shop" is closed; create a new one');
  });

  test.each(['stop', 'own', 'process'])('waits as long as it takes, while no guard is open: %s', async (where) => {
    const time = new TestTime();
    let finish = (): void => {};
    const slow = (): Promise<void> => new Promise((resolve) => (finish = resolve));
    const plugin = definePlugin({
      name: 'writer',
      create({ own, pending }) {
        own({ [Symbol.asyncDispose]: where === 'own' ? slow : () => Promise.resolve() });
        pending({ process: where === 'process' ? slow : () => {} }).enqueue({ rcuNext: null });
      },
      stop: where === 'stop' ? slow : () => {},
    });
    const host = await createHost({ plugins: [plugin], clock: time, scheduler: time });
    const closing = host.close();
    await turns(2);
    for (let second = 0; second < 60; second++) {
      time.advance(1000);
      await turns(1);
    }
    expect(host.stats().state).toBe('closing');
    finish();
    await closing;
    expect(time.pendingTimers).toBe(0);
  });
});

test('a plugin whose constructor throws leaves nothing behind either', async () => {
  const time = new TestTime();
  @cachePlugin({ name: 'halfway' })
  class Halfway {
    readonly never: string;
    constructor(@inject(TOKENS.Context) { shrinker, scheduler, pending }: PluginContext) {
      shrinker({ count: () => 0, scan: () => 0 });
      scheduler.after(1000, () => {});
      pending({ process: () => {} }).enqueue({ rcuNext: null });
      this.never = fail();
    }
  }
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) };
  const failure = await failureOf(createHost({ plugins: [pluginOf(Halfway)], clock: time, scheduler: time, logger }));
  expect(failure.code).toBe('ERR_START_FAILED');
  expect(time.pendingTimers).toBe(0);
  expect(warnings).toEqual([]);
});

function fail(): never {
  throw new Error('halfway');
}

describe('what a host leaves', () => {
  test('is nothing: no timer, shrinker, pending object or guard', async () => {
    const time = new TestTime();
    const timeouts = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timeouts();
    let processed = 0;
    @cachePlugin({ name: 'forgetful' })
    class Forgetful {
      readonly context: PluginContext;
      constructor(@inject(TOKENS.Context) context: PluginContext) {
        this.context = context;
        context.shrinkers.register(context.shrinkers.alloc({ name: 'raw', count: () => 0, scan: () => 0 }));
        context.shrinker({ count: () => 0, scan: () => 0 });
        context.scheduler.after(1000, () => {});
        const pending = context.pending({ process: () => processed++ });
        pending.enqueue({ rcuNext: null });
        const domain = context.domain();
        domain.readUnlock(domain.readLock());
        domain.call(() => processed++);
      }
    }
    const host = await createHost({ plugins: [pluginOf(Forgetful)], clock: time, scheduler: time });
    const registry = host.get(TOKENS.ShrinkerRegistry);
    expect(host.stats()).toMatchObject({
      shrinkers: [
        { name: 'raw', plugin: 'forgetful' },
        { name: 'forgetful', plugin: 'forgetful' },
      ],
    });
    using guard = host.get(TOKENS.Srcu).guard('short');
    guard.release();
    await host.close();
    expect(processed).toBe(2);
    expect(registry.debug.list()).toEqual([]);
    expect(host.stats()).toMatchObject({
      timers: 0,
      shrinkers: [],
      rcu: { callbacksWaiting: 0 },
      srcu: { readers: 0 },
    });
    expect(time.pendingTimers).toBe(0);
    // The test runner's own timers may have ended meanwhile.
    expect(timeouts()).toBeLessThanOrEqual(before);
  });

  /** Closes a host that cannot close cleanly, in test time. */
  async function leaksOf(
    plugin: Plugin,
    hold: (context: PluginContext) => void = () => {},
  ): Promise<readonly string[]> {
    const time = new TestTime();
    let context!: PluginContext;
    const holder = definePlugin({ name: 'holder', create: (own) => void (context = own) });
    const host = await createHost({ plugins: [plugin, holder], clock: time, scheduler: time, name: 'h' });
    hold(context);
    time.advance(250);
    const failure = await failureOf(time.pass(host.close()));
    expect(failure.code).toBe('ERR_HOST_LEAK');
    expect(failure.message).toBe(`Cannot close host "h" cleanly: ${failure.leaks.join('; ')}`);
    expect(host.stats().state).toBe('closed');
    expect(time.pendingTimers).toBe(0);
    return failure.leaks;
  }
  const nothing = definePlugin({ name: 'nothing', create: () => {} });

  test('or a guard of the host', async () => {
    const leaks = await leaksOf(nothing, ({ srcu }) => void srcu.guard('checkout'));
    expect(leaks).toEqual([expect.stringMatching(/^guard "checkout" open for \d{4} ms in "h\/srcu"$/)]);
  });

  test('or several, or a raw lock', async () => {
    const leaks = await leaksOf(nothing, ({ srcu }) => {
      srcu.guard('first');
      srcu.readLock();
    });
    expect(leaks).toEqual([
      expect.stringMatching(/^guard "first" open for \d+ ms in "h\/srcu"$/),
      '1 more readers open in "h/srcu"',
    ]);
    expect(await leaksOf(nothing, ({ srcu }) => void srcu.readLock())).toEqual(['1 read locks open in "h/srcu"']);
  });

  test('or a guard of a plugin, and what waits behind it', async () => {
    const plugin = definePlugin({
      name: 'own',
      create({ domain, pending }) {
        const readers = domain({ name: 'own-readers' });
        readers.guard('tour');
        pending({ rcu: readers, process: () => {} }).enqueue({ rcuNext: null });
      },
    });
    expect(await leaksOf(plugin)).toEqual([
      '1 pending objects of plugin "own"',
      expect.stringMatching(/^guard "tour" open for \d+ ms in "own-readers"$/),
    ]);
  });

  test('or a plugin that waits for a guard', async () => {
    const plugin = definePlugin({
      name: 'patient',
      create: ({ srcu }) => ({ srcu, guard: srcu.guard('mine') }),
      stop: ({ srcu }) => srcu.synchronize(),
    });
    expect(await leaksOf(plugin)).toEqual([
      'stopping plugin "patient" was still going on after 1000 ms',
      expect.stringMatching(/^guard "mine" open for \d+ ms in "h\/srcu"$/),
    ]);
  });

  test('or a shrinker that was registered too late', async () => {
    const plugin = definePlugin({
      name: 'late',
      create: ({ shrinkers }) => ({ shrinkers }),
      stop: ({ shrinkers }) => shrinkers.register(shrinkers.alloc({ name: 'x', count: () => 0, scan: () => 0 })),
    });
    expect(await leaksOf(plugin)).toEqual(['shrinker "x" registered by plugin "late"']);
  });

  test('or a shrinker whose scan does not end', async () => {
    const plugin = definePlugin({
      name: 'hung',
      create({ shrinker, reclaimer }) {
        shrinker({ count: () => 1, scan: () => new Promise<number>(() => {}) });
        void reclaimer.reclaim();
      },
    });
    expect(await leaksOf(plugin)).toEqual([
      'shrinker "hung" registered by plugin "hung", in a scan that has not ended',
    ]);
  });

  test('or something owned that waits for a guard', async () => {
    const plugin = definePlugin({
      name: 'owner',
      create: ({ srcu, own }) => void own({ [Symbol.asyncDispose]: () => srcu.synchronize() }),
    });
    expect(await leaksOf(plugin, ({ srcu }) => void srcu.guard('g'))).toEqual([
      'disposing of what plugin "owner" owns has not ended',
      expect.stringMatching(/^guard "g"/),
    ]);
  });

  test('or a timer that was set too late', async () => {
    const plugin = definePlugin({
      name: 'late',
      create: ({ scheduler, own }) =>
        void own({ [Symbol.asyncDispose]: async () => void scheduler.after(5000, () => {}) }),
    });
    expect(await leaksOf(plugin)).toEqual(['timer of 5000 ms set by plugin "late"']);
  });

  test('or an error as well', async () => {
    const time = new TestTime();
    const host = await createHost({ plugins: [traced([], 'a', { fail: 'stop' })], clock: time, scheduler: time });
    host.get(TOKENS.Srcu).guard('g');
    const failure = await failureOf(time.pass(host.close()));
    expect(failure.code).toBe('ERR_HOST_LEAK');
    expect(failure.leaks).toHaveLength(1);
    expect((failure.cause as AggregateError).errors).toEqual([new Error('a cannot stop')]);
    expect(failure.message).toMatch(
      /^Cannot close host "host" cleanly: guard "g".*; stopping plugin "a" threw: a cannot stop$/,
    );
  });
});

test('a host can be heard from its first plugin to its end', async () => {
  const heard: string[] = [];
  const events = new HostEventEmitter();
  events.on('pluginStarted', ({ plugin, durationMs }) => heard.push(`started ${plugin} ${durationMs >= 0}`));
  events.on('pluginStopped', ({ plugin }) => heard.push(`stopped ${plugin}`));
  events.on('hostClosed', ({ host, leaks, errors }) => heard.push(`closed ${host} ${leaks.length} ${errors}`));
  {
    await using host = await createHost({ plugins: [traced([], 'a'), traced([], 'b')], events });
    expect(host.events).toBe(events);
  }
  expect(heard).toEqual(['started a true', 'started b true', 'stopped b', 'stopped a', 'closed host 0 0']);
});
