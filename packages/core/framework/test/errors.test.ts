import { describe, expect, test } from 'vitest';
import {
  cachePlugin,
  createHost,
  definePlugin,
  FrameworkError,
  inject,
  type Plugin,
  pluginOf,
  type Requirement,
  token,
  TOKENS,
} from '../src/index.js';
import { failureOf } from './support/failure-of.js';

function plain(name: string, requires: Requirement[] = []): Plugin {
  return definePlugin({ name, requires, create: () => name });
}

async function expectFailure(action: Promise<unknown> | (() => unknown), code: string, message: string): Promise<void> {
  const failure = await failureOf(action);
  expect(failure.code).toBe(code);
  expect(failure.message).toBe(message);
  expect(FrameworkError.is(failure)).toBe(true);
  expect(failure.name).toBe('FrameworkError');
}

/** Fails to build as a plugin, and does so before anything has started. */
async function expectNothingStarted(plugins: Plugin[], code: string, message: string): Promise<void> {
  const started: string[] = [];
  const witness = definePlugin({ name: 'witness', create: () => void started.push('witness') });
  await expectFailure(createHost({ plugins: [witness, ...plugins] }), code, message);
  expect(started).toEqual([]);
}

class Shelf {
  readonly items: string[] = [];
}

describe('what is no plugin', () => {
  @cachePlugin({ name: 'good' })
  class Good {
    readonly kind = 'Good';
  }
  class Bare {
    readonly kind = 'Bare';
  }
  const NAMELESS = (() =>
    class {
      readonly kind = 'nameless';
    })();
  function shelfFactory(): void {}

  test.each<[string, unknown, string]>([
    ['a factory that was not called', shelfFactory, 'the function shelfFactory; call it: shelfFactory(…)'],
    ['a plugin class', Good, 'the class Good; pass pluginOf(Good, options), or what its factory returns'],
    ['a class without a manifest', Bare, 'the class Bare, which has no @cachePlugin manifest'],
    ['a class without a name', NAMELESS, 'a nameless class, which has no @cachePlugin manifest'],
    ['a promise', Promise.resolve(), 'a promise; await it first'],
    ['an array', [plain('a')], 'an array; spread it'],
    ['undefined', undefined, 'undefined; pass what a plugin factory returns'],
    ['null', null, 'null; pass what a plugin factory returns'],
    ['an instance', new Good(), 'a Good; pass what a plugin factory returns'],
    ['a name', 'good', 'a string; pass what a plugin factory returns'],
  ])('is named: %s', async (_what, value, described) => {
    await expectFailure(
      createHost({ plugins: [plain('a'), value as Plugin] }),
      'ERR_NOT_A_PLUGIN',
      `Cannot use plugins[1]: it is ${described}`,
    );
  });

  test('and a list that is no list', async () => {
    await expect(createHost({ plugins: plain('a') as never })).rejects.toThrow(
      new TypeError('Cannot use a PluginValue as plugins: pass an array'),
    );
  });
});

describe('a plugin class', () => {
  test('needs a manifest of its own', async () => {
    @cachePlugin({ name: 'base' })
    class Base {
      readonly kind = 'Base';
    }
    class Derived extends Base {}
    await expectFailure(
      () => pluginOf(Derived),
      'ERR_BAD_PLUGIN',
      'Cannot make a plugin of Derived: it has no manifest; decorate it with @cachePlugin({ name })',
    );
  });

  test('needs a name, and requirements that exist', () => {
    expect(() => cachePlugin({ name: '' })).toThrow(
      new TypeError("Cannot define a plugin without a name: its name is ''"),
    );
    expect(() => definePlugin({ create: () => {} } as never)).toThrow(
      new TypeError('Cannot define a plugin without a name: its name is undefined'),
    );
    expect(() => plain('a', [undefined as never])).toThrow(/^Cannot define plugin "a": requires\[0\] is undefined; /);
    expect(() => definePlugin(undefined as never)).toThrow(
      new TypeError('Cannot define a plugin by undefined: give an object with a name'),
    );
    expect(() => plain('a', 'b' as never)).toThrow(
      new TypeError('Cannot define plugin "a": requires must be an array'),
    );
    expect(() => definePlugin({ name: 'a', provides: 'b' as never, create: () => {} })).toThrow(
      new TypeError('Cannot define plugin "a": provides is b; give a class or a token'),
    );
    expect(() => definePlugin({ name: 'a' } as never)).toThrow(
      new TypeError('Cannot define plugin "a": it has no create(context)'),
    );
    @cachePlugin({ name: 'good' })
    class Good {
      readonly kind = 'Good';
    }
    expect(() => pluginOf(Good, { name: '' })).toThrow(
      new TypeError('Cannot name an instance of plugin "good": the name must be a string, and not empty'),
    );
  });

  test('needs @inject on every parameter', async () => {
    @cachePlugin({ name: 'half' })
    class Half {
      readonly both: unknown;
      constructor(@inject(TOKENS.Rcu) rcu: unknown, options: unknown) {
        this.both = [rcu, options];
      }
    }
    await expectNothingStarted(
      [pluginOf(Half)],
      'ERR_BAD_PLUGIN',
      'Cannot build plugin "half": some parameter of Half has no @inject(TOKENS.…); decorate each of its 2',
    );
  });

  test('must provide what its manifest says', async () => {
    @cachePlugin({ name: 'liar', provides: Shelf })
    class Liar {
      readonly provided: unknown = new Date(0);
    }
    await expectFailure(
      createHost({ plugins: [pluginOf(Liar)] }),
      'ERR_BAD_PLUGIN',
      'Cannot provide Shelf by plugin "liar": what it provides is a Date; set it by the end of start()',
    );
    await expectFailure(
      createHost({ plugins: [definePlugin({ name: 'void', provides: token('x'), create: () => {} })] }),
      'ERR_BAD_PLUGIN',
      'Cannot provide x by plugin "void": what it provides is undefined; set it by the end of start()',
    );
  });

  test('must bind without throwing', async () => {
    @cachePlugin({ name: 'binder' })
    class Binder {
      readonly kind = 'Binder';
    }
    const plugin = pluginOf(Binder, {}, () => {
      throw new Error('no port');
    });
    await expectNothingStarted([plugin], 'ERR_BAD_PLUGIN', 'Cannot bind plugin "binder": no port');
  });
});

describe('requirements', () => {
  test('a duplicate name', async () => {
    await expectNothingStarted(
      [plain('a'), plain('a')],
      'ERR_DUPLICATE_PLUGIN',
      'Cannot have two plugins named "a" in one host; give one of them another name in its options',
    );
  });

  test('a cycle is named whole', async () => {
    await expectNothingStarted(
      [plain('z', ['a']), plain('a', ['b']), plain('b', ['c']), plain('c', ['a'])],
      'ERR_PLUGIN_CYCLE',
      'Cannot order the plugins: "a" requires "b" requires "c" requires "a"; take one of these requirements away',
    );
    await expectNothingStarted(
      [plain('a', ['a'])],
      'ERR_PLUGIN_CYCLE',
      'Cannot order the plugins: "a" requires "a"; take one of these requirements away',
    );
  });

  test('a missing one names both ends', async () => {
    const other = plain('other');
    for (const [requirement, described] of [
      ['dentry', '"dentry"'],
      [Shelf, 'Shelf'],
      [other, '"other"'],
    ] as const) {
      const failure = await failureOf(createHost({ plugins: [plain('a'), plain('inode', [requirement])] }));
      expect(failure.code).toBe('ERR_MISSING_REQUIREMENT');
      expect(failure.plugin).toBe('inode');
      expect(failure.message).toBe(
        `Cannot start plugin "inode": it requires ${described}, and the host has only "a", "inode"; add its plugin to createHost({ plugins })`,
      );
    }
  });

  test('a forgotten one, asked for through the context', async () => {
    const early = definePlugin({ name: 'early', create: ({ get }) => get('later') });
    const failure = await failureOf(createHost({ plugins: [early, plain('later')] }));
    expect(failure.code).toBe('ERR_START_FAILED');
    expect(failure.cause).toMatchObject({
      code: 'ERR_MISSING_REQUIREMENT',
      message:
        'Cannot get plugin "later" yet: plugin "later" has not started; name it in the requires of the plugin that asks',
    });
  });
});

describe('injection', () => {
  test('a missing binding names both ends', async () => {
    @cachePlugin({ name: 'reader' })
    class Reader {
      readonly shelf: Shelf;
      constructor(@inject(Shelf) shelf: Shelf) {
        this.shelf = shelf;
      }
    }
    await expectNothingStarted(
      [pluginOf(Reader)],
      'ERR_MISSING_BINDING',
      'Cannot build plugin "reader": it wants Shelf injected, and nothing in host "host" provides that: add a plugin that provides it, or bind it in pluginOf\'s third argument',
    );
  });

  test('a missing binding of what a plugin binds itself', async () => {
    class Helper {
      readonly shelf: Shelf;
      constructor(@inject(Shelf) shelf: Shelf) {
        this.shelf = shelf;
      }
    }
    @cachePlugin({ name: 'nested' })
    class Nested {
      readonly helper: Helper;
      constructor(@inject(Helper) helper: Helper) {
        this.helper = helper;
      }
    }
    const plugin = pluginOf(Nested, {}, ({ bind }) => bind(Helper).toSelf());
    await expectFailure(
      createHost({ plugins: [plugin] }),
      'ERR_MISSING_BINDING',
      'Cannot build plugin "nested": No bindings found for service: "Shelf".',
    );
  });

  test('two plugins that provide it', async () => {
    @cachePlugin({ name: 'reader' })
    class Reader {
      readonly shelf: Shelf;
      constructor(@inject(Shelf) shelf: Shelf) {
        this.shelf = shelf;
      }
    }
    const shelf = (name: string): Plugin => definePlugin({ name, provides: Shelf, create: () => new Shelf() });
    await expectNothingStarted(
      [shelf('a'), shelf('b'), pluginOf(Reader)],
      'ERR_AMBIGUOUS_SERVICE',
      'Cannot inject into plugin "reader" Shelf: plugins "a", "b" provide it; ask for one by its plugin value, or as get(Shelf, name)',
    );
  });
});

describe('get', () => {
  test('names what is not there, and what is', async () => {
    const a = plain('a');
    await using host = await createHost({ name: 'h', plugins: [a, plain('b')] });
    const has = 'host "h" has only "a", "b"';
    const cases: [() => unknown, string, string][] = [
      [() => host.get('c'), 'ERR_UNKNOWN_PLUGIN', `Cannot get plugin "c": ${has}; add it to createHost({ plugins })`],
      [
        () => host.get(plain('c')),
        'ERR_UNKNOWN_PLUGIN',
        `Cannot get plugin "c": ${has}; add it to createHost({ plugins })`,
      ],
      [
        () => host.get(plain('a')),
        'ERR_UNKNOWN_PLUGIN',
        `Cannot get this plugin "a": ${has}; its own is another value: keep the one that createHost was given`,
      ],
      [
        () => host.get(Shelf),
        'ERR_UNKNOWN_PLUGIN',
        `Cannot get Shelf: ${has}; add a plugin that provides it to createHost({ plugins })`,
      ],
      [
        () => host.get(Shelf, 'a'),
        'ERR_UNKNOWN_PLUGIN',
        `Cannot get Shelf of plugin "a": ${has}; Shelf is provided by none`,
      ],
      [
        () => host.get(token('mine')),
        'ERR_UNKNOWN_TOKEN',
        'Cannot get mine: nothing in host "h" is bound to it: provide it by a plugin: provides: token',
      ],
      [
        () => host.get(TOKENS.Context),
        'ERR_UNKNOWN_TOKEN',
        'Cannot get TOKENS.Context: nothing in host "h" is bound to it: each plugin has its own; inject it',
      ],
    ];
    for (const [action, code, message] of cases) {
      await expectFailure(action, code, message);
    }
    expect(() => host.get(7 as never)).toThrow(
      new TypeError('Cannot get a number from a host: pass a class, a token, a plugin or a name'),
    );
    expect(() => host.get(undefined as never)).toThrow(
      new TypeError('Cannot get undefined from a host: pass a class, a token, a plugin or a name'),
    );
  });
});

test('a foreign error is no FrameworkError, and one from another copy is', () => {
  expect(FrameworkError.is(new Error('x'))).toBe(false);
  expect(FrameworkError.is(Object.assign(new Error('x'), { brand: 'FrameworkError' }))).toBe(true);
});
