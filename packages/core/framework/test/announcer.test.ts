import { afterEach, describe, expect, test, vi } from 'vitest';
import { consoleLogger, createHost, definePlugin, type Logger, silentLogger, TOKENS } from '../src/index.js';
import { TestTime, turns } from './support/test-time.js';

function collecting(lines: string[]): Logger {
  return { ...silentLogger, warn: (message, detail) => lines.push(`${message}: ${String(detail)}`) };
}

const failing = definePlugin({
  name: 'failing',
  create({ shrinker, pending, domain, rcu }) {
    shrinker({
      count: () => 1,
      scan() {
        throw new Error('scan');
      },
    });
    const throwing = (what: string) => () => {
      throw new Error(what);
    };
    pending({ process: throwing('process') }).enqueue({ rcuNext: null });
    domain().call(throwing('domain'));
    rcu.call(throwing('rcu'));
  },
});

const SOURCES = [
  ['scan', 'shrinker "failing"'],
  ['process', 'a pending of plugin "failing"'],
  ['domain', 'a callback in a domain of plugin "failing"'],
  ['rcu', 'a grace-period callback'],
];

describe('errors of callbacks', () => {
  test('go to those who listen', async () => {
    const lines: string[] = [];
    await using host = await createHost({ plugins: [failing], logger: collecting(lines) });
    const heard: string[] = [];
    host.events.on('errored', ({ error, source }) => heard.push(`${(error as Error).message} by ${source}`));
    await host.reclaim();
    await turns(10);
    expect(heard.sort()).toEqual(SOURCES.map(([message, source]) => `${message} by ${source}`).sort());
    expect(lines).toEqual([]);
  });

  test('or else to the logger', async () => {
    const lines: string[] = [];
    await using host = await createHost({ plugins: [failing], logger: collecting(lines) });
    await host.reclaim();
    await turns(10);
    expect(lines.sort()).toEqual(
      SOURCES.map(([message, source]) => `An error was thrown by ${source}: Error: ${message}`).sort(),
    );
  });

  test('a listener that throws is reported, and what went on goes on', async () => {
    const lines: string[] = [];
    const host = await createHost({ logger: collecting(lines) });
    host.events.on('reclaimed', () => {
      throw new Error('reclaimed');
    });
    expect(await host.reclaim()).toBe(0);
    expect(lines.splice(0)).toEqual(['An error was thrown by a listener of "reclaimed": Error: reclaimed']);
    host.events.on('errored', () => {
      throw new Error('errored');
    });
    expect(await host.reclaim()).toBe(0);
    expect(lines.splice(0)).toEqual(['A listener of "errored" threw: Error: errored']);
    await host.close();
  });

  test('stats() of a plugin may throw without hiding those of the others', async () => {
    const lines: string[] = [];
    const shy = definePlugin({
      name: 'shy',
      create: () => {},
      stats() {
        throw new Error('shy');
      },
    });
    const open = definePlugin({ name: 'open', create: () => {}, stats: () => ({ size: 1 }) });
    await using host = await createHost({ plugins: [shy, open], logger: collecting(lines) });
    expect(host.stats().plugins.map(({ stats }) => stats)).toEqual([null, { size: 1 }]);
    expect(lines).toEqual(['An error was thrown by stats() of plugin "shy": Error: shy']);
  });

  test('a logger that throws is an uncaught exception', async () => {
    const uncaught: unknown[] = [];
    const before = process.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[];
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => uncaught.push(error));
    try {
      const logger: Logger = {
        ...silentLogger,
        warn() {
          throw new Error('disk full');
        },
      };
      await using host = await createHost({ logger });
      host.get(TOKENS.Rcu).call(() => {
        throw new Error('callback');
      });
      await turns(5);
    } finally {
      before.forEach((listener) => process.on('uncaughtException', listener));
    }
    expect(uncaught).toEqual([new Error('disk full')]);
  });
});

describe('readers', () => {
  test('that stay too long are heard of, or warned of', async () => {
    const time = new TestTime();
    const lines: string[] = [];
    const host = await createHost({ clock: time, scheduler: time, logger: collecting(lines) });
    using guard = host.get(TOKENS.Srcu).guard('checkout');
    const heard: unknown[] = [];
    time.advance(21_000);
    expect(lines).toEqual([
      'Reader "checkout" of "host/srcu" has been open too long: 21000 ms, 0 callbacks wait: undefined',
    ]);
    host.events.on('stalled', (report) => heard.push(report));
    time.advance(21_000);
    expect(heard).toMatchObject([{ kind: 'stall', label: 'checkout', domain: 'host/srcu', readers: 1 }]);
    expect(lines).toHaveLength(1);
    guard.release();
    await host.close();
  });

  test('that are forgotten are heard of, when they are collected', async () => {
    const lines: string[] = [];
    await using host = await createHost({ logger: collecting(lines) });
    const heard: unknown[] = [];
    host.events.on('leaked', (report) => heard.push(report));
    const srcu = host.get(TOKENS.Srcu);
    (() => void srcu.guard('forgotten'))();
    for (let round = 0; round < 50 && heard.length === 0; round++) {
      globalThis.gc?.();
      await turns(2);
    }
    expect(heard).toMatchObject([{ kind: 'leak', label: 'forgotten', domain: 'host/srcu' }]);
    expect(lines).toEqual([]);
  });
});

describe('loggers', () => {
  afterEach(() => vi.restoreAllMocks());

  test('by default a warning is one of the process', async () => {
    const emitWarning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const host = await createHost();
    const error = new Error('callback');
    host.get(TOKENS.Rcu).call(() => {
      throw error;
    });
    await host.close();
    expect(emitWarning).toHaveBeenCalledExactlyOnceWith('An error was thrown by a grace-period callback', {
      type: 'ReclaimWarning',
      detail: error.stack,
    });
  });

  test('the console is one', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    consoleLogger.warn('low', 1);
    expect(warn).toHaveBeenCalledExactlyOnceWith('low', 1);
  });
});

test('nothing is built for an event that nobody listens to', async () => {
  await using host = await createHost();
  const emit = vi.spyOn(host.events, 'emit');
  await host.reclaim();
  expect(emit).not.toHaveBeenCalled();
  host.events.on('reclaimed', () => {});
  await host.reclaim();
  expect(emit).toHaveBeenCalledOnce();
});
