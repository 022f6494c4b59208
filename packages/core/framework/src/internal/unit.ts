import { InversifyCoreError, InversifyCoreErrorKind } from '@inversifyjs/core';
import { Container } from 'inversify';
import { FrameworkError } from '../framework-error.js';
import type { PluginContext } from '../plugin-context.js';
import { INSTANCE, type Plugin, type PluginLifecycle, type Requirement } from '../plugin.js';
import { type ServiceId, TOKENS, describeId } from '../token.js';
import { injectionsOf } from './injections.js';

/** One plugin in one host, with a container of its own under the host's. */
export class Unit {
  readonly plugin: Plugin;
  readonly scope: Container;
  /** What it must have injected. */
  readonly injections: readonly ServiceId[];
  /** What must have started before; filled in while the host is composed. */
  needs: readonly Requirement[] = [];
  state: 'new' | 'built' | 'started' | 'stopped' = 'new';
  #instance: PluginLifecycle | null = null;
  #value: unknown = undefined;

  /** @throws {FrameworkError} `ERR_BAD_PLUGIN`: a parameter is not decorated, or the plugin's bindings threw */
  constructor(plugin: Plugin, context: PluginContext, root: Container) {
    this.plugin = plugin;
    this.injections = injectionsOf(plugin);
    this.scope = new Container({ parent: root, defaultScope: 'Singleton', jitless: true });
    this.scope.bind(TOKENS.Context).toConstantValue(context);
    this.scope.bind(TOKENS.Scheduler).toConstantValue(context.scheduler);
    try {
      this.scope.load(plugin.module);
    } catch (error) {
      throw this.#fault('ERR_BAD_PLUGIN', `Cannot bind plugin "${plugin.name}": ${textOf(error)}`, error);
    }
  }

  get name(): string {
    return this.plugin.name;
  }

  /** What the plugin provides. */
  get value(): unknown {
    return this.#value;
  }

  /** The names that other plugins and the host find it under, with what they find. */
  services(): [ServiceId, unknown][] {
    const { manifest, type } = this.plugin;
    const found: [ServiceId, unknown][] = [];
    if (manifest.provides !== undefined) {
      found.push([manifest.provides, this.#value]);
    }
    if (type !== null && type !== manifest.provides) {
      found.push([type, this.#instance]);
    }
    return found;
  }

  /**
   * Builds the plugin and starts it.
   *
   * @throws {FrameworkError} `ERR_MISSING_BINDING`, `ERR_START_FAILED`, `ERR_BAD_PLUGIN`
   */
  async start(): Promise<void> {
    const { name } = this;
    let instance: PluginLifecycle;
    try {
      instance = this.scope.get<PluginLifecycle>(INSTANCE);
      this.#instance = instance;
      this.state = 'built';
      await instance.start?.();
    } catch (error) {
      throw isPlanning(error)
        ? this.#fault('ERR_MISSING_BINDING', `Cannot build plugin "${name}": ${textOf(error)}`, error)
        : this.#fault('ERR_START_FAILED', `Cannot start plugin "${name}": ${textOf(error)}`, error);
    }
    this.state = 'started';
    this.#value = 'provided' in instance ? instance.provided : instance;
    this.#checkProvided();
  }

  /** Stops the plugin if it has started; then disposes of it in any case, and of what its container made. */
  end(): (() => void | PromiseLike<void>)[] {
    const instance = this.#instance;
    const { state } = this;
    if (instance === null) {
      return [];
    }
    this.state = 'stopped';
    return [
      () => (state === 'started' ? instance.stop?.() : undefined),
      () => (instance[Symbol.asyncDispose] ? instance[Symbol.asyncDispose]?.() : instance[Symbol.dispose]?.()),
      () => this.scope.unloadAsync(this.plugin.module),
    ];
  }

  stats(): object | null {
    return (this.state === 'started' && this.#instance?.stats?.()) || null;
  }

  #checkProvided(): void {
    const id = this.plugin.manifest.provides;
    const value = this.#value;
    if (id === undefined || (typeof id === 'function' ? value instanceof id : value !== undefined)) {
      return;
    }
    throw this.#fault(
      'ERR_BAD_PLUGIN',
      `Cannot provide ${describeId(id)} by plugin "${this.name}": what it provides is ${kindOf(value)}; set it by the end of start()`,
    );
  }

  #fault(
    code: 'ERR_BAD_PLUGIN' | 'ERR_MISSING_BINDING' | 'ERR_START_FAILED',
    message: string,
    cause?: unknown,
  ): FrameworkError {
    return new FrameworkError(code, message, { cause, plugin: this.name });
  }
}

function isPlanning(error: unknown): boolean {
  return InversifyCoreError.isErrorOfKind(error, InversifyCoreErrorKind.planning);
}

/** The first line of an error's message. */
export function textOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] as string) : String(error);
}

/** `undefined`, or what kind of thing it is. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value);
  }
  const kind = typeof value === 'object' ? (value.constructor?.name ?? 'bare object') : typeof value;
  return `${/^[aeiou]/i.test(kind) ? 'an' : 'a'} ${kind}`;
}
