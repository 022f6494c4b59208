import { ContainerModule } from 'inversify';
import { checkManifest } from './internal/manifest.js';
import type { PluginContext } from './plugin-context.js';
import { INSTANCE, makePlugin, type Plugin, type PluginLifecycle, type PluginManifest } from './plugin.js';
import { TOKENS } from './token.js';

export interface PluginDefinition<T> extends PluginManifest {
  /** Makes what the plugin provides, once everything it requires has started. */
  create(context: PluginContext): T | Promise<T>;
  /** Called after the host has freed the shrinkers, before the value's own dispose. */
  stop?(value: T): void | Promise<void>;
  /** A plain object for `host.stats()`. */
  stats?(value: T): object;
}

/**
 * Makes a plugin without a class and without decorators.
 *
 * What `create` returns is what `host.get` returns, and belongs to the plugin: if it has a `Symbol.asyncDispose` or a
 * `Symbol.dispose`, that is called after `stop`. So wrap what belongs to somebody else.
 *
 * @throws {TypeError} no name, or no `create`
 */
export function definePlugin<T>(definition: PluginDefinition<T>): Plugin<T> {
  const manifest = checkManifest(definition);
  if (typeof definition.create !== 'function') {
    throw new TypeError(`Cannot define plugin "${manifest.name}": it has no create(context)`);
  }
  const module = new ContainerModule(({ bind }) => {
    bind(INSTANCE)
      .toDynamicValue((resolution) => new DefinedPlugin(definition, resolution.get<PluginContext>(TOKENS.Context)))
      .inSingletonScope();
  });
  return makePlugin(manifest.name, manifest, null, module) as Plugin<T>;
}

class DefinedPlugin<T> implements PluginLifecycle {
  readonly #definition: PluginDefinition<T>;
  readonly #context: PluginContext;
  provided: T | undefined;

  constructor(definition: PluginDefinition<T>, context: PluginContext) {
    this.#definition = definition;
    this.#context = context;
  }

  async start(): Promise<void> {
    this.provided = await this.#definition.create(this.#context);
  }

  async stop(): Promise<void> {
    await this.#definition.stop?.(this.provided as T);
  }

  stats(): object | null {
    return this.#definition.stats?.(this.provided as T) ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const value = this.provided as Partial<AsyncDisposable & Disposable> | null | undefined;
    if (typeof value?.[Symbol.asyncDispose] === 'function') {
      await value[Symbol.asyncDispose]?.();
    } else {
      value?.[Symbol.dispose]?.();
    }
  }
}
