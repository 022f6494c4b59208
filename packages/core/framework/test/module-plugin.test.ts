import { ShrinkerRegistry } from '@core/shrinker';
import { ContainerModule } from 'inversify';
import { describe, expect, test } from 'vitest';
import { cachePlugin, createHost, definePlugin, inject, pluginOf, TOKENS } from '../src/index.js';
import { failureOf } from './support/failure-of.js';

const log: string[] = [];

@cachePlugin({ name: 'bare' })
class Bare {
  readonly registry: ShrinkerRegistry;

  constructor(@inject(TOKENS.ShrinkerRegistry) registry: ShrinkerRegistry) {
    this.registry = registry;
  }
  start(): void {
    log.push('start');
  }
  stop(): void {
    log.push('stop');
  }
  [Symbol.dispose](): void {
    log.push('dispose');
  }
}

@cachePlugin({ name: 'other', requires: ['bare'] })
class Other {
  readonly kind = 'other';
}

class NoManifest {
  readonly kind = 'none';
}

const BARE = Symbol('bare');
const bareModule = (): ContainerModule =>
  new ContainerModule(({ bind }) => void bind(Bare).toSelf().inSingletonScope());

describe('a bare module of inversify', () => {
  test('is the plugin of the class that it binds, with injections and life cycle', async () => {
    log.length = 0;
    const module = bareModule();
    const host = await createHost({ plugins: [pluginOf(Other), module] });
    const bare = host.get(Bare);
    expect(bare).toBeInstanceOf(Bare);
    expect(bare.registry).toBeInstanceOf(ShrinkerRegistry);
    expect(host.get('bare')).toBe(bare);
    expect(host.get(module)).toBe(bare);
    expect(host.stats().plugins.map(({ name }) => name)).toEqual(['bare', 'other']);
    await host.close();
    expect(log).toEqual(['start', 'stop', 'dispose']);
  });

  test('may bind the class to a symbol, and other things besides', async () => {
    const module = new ContainerModule(({ bind }) => {
      bind('limit').toConstantValue(5);
      bind(NoManifest).toSelf();
      bind(BARE).to(Bare);
    });
    await using host = await createHost({ plugins: [module] });
    expect(host.get(Bare)).toBe(host.get(module));
  });

  test('serves two hosts, each with an instance of its own', async () => {
    const module = bareModule();
    await using one = await createHost({ plugins: [module] });
    await using two = await createHost({ plugins: [module] });
    expect(one.get(Bare)).not.toBe(two.get(Bare));
  });

  test('has the name of its class, once in a host', async () => {
    const { code } = await failureOf(createHost({ plugins: [bareModule(), bareModule()] }));
    expect(code).toBe('ERR_DUPLICATE_PLUGIN');
  });

  test.each<[string, ContainerModule, string, string]>([
    [
      'no plugin',
      new ContainerModule(({ bind }) => void bind(NoManifest).toSelf()),
      'ERR_NOT_A_PLUGIN',
      'Cannot use plugins[1]: it is a ContainerModule that binds no class with a @cachePlugin manifest; bind one',
    ],
    [
      'two plugins',
      new ContainerModule(({ bind }) => {
        bind(Bare).toSelf();
        bind(Other).toSelf();
      }),
      'ERR_NOT_A_PLUGIN',
      'Cannot use plugins[1]: it is a ContainerModule that binds 2 classes with a @cachePlugin manifest; bind one',
    ],
    [
      'nothing, but throws',
      new ContainerModule(() => {
        throw new Error('no');
      }),
      'ERR_BAD_PLUGIN',
      'Cannot bind plugins[1]: no',
    ],
  ])('that binds %s is an error', async (_what, module, code, message) => {
    const witness = definePlugin({ name: 'witness', create: () => expect.unreachable() });
    const failure = await failureOf(createHost({ plugins: [witness, module] }));
    expect(failure.code).toBe(code);
    expect(failure.message).toBe(message);
  });
});
