import type { ContainerModule } from 'inversify';
import type { ServiceId, Token } from './token.js';

declare const providedType: unique symbol;

/** What must be in the host and started before: a plugin's name, its kind, what it provides, or the plugin value. */
export type Requirement = string | ServiceId | Plugin;

/** What a plugin says about itself. */
export interface PluginManifest {
  /** The kind of plugin, and the name of an instance whose options have no `name`. */
  readonly name: string;
  readonly version?: string | undefined;
  /** Injecting what another plugin provides requires that plugin too, without a word here. */
  readonly requires?: readonly Requirement[] | undefined;
  /** What `host.get` finds the plugin's `provided` under. Absent: the plugin class itself. */
  readonly provides?: ServiceId | undefined;
}

/** What a plugin class may have besides its constructor; all of it is optional. */
export interface PluginLifecycle {
  /** What `host.get` returns; absent: the plugin itself. Read once, when `start()` has ended. */
  readonly provided?: unknown;
  /** Called in the order of requirements, one plugin after the other. */
  start?(): void | Promise<void>;
  /** Called in the reverse order, after the host has freed the shrinkers; only if `start()` has ended well. */
  stop?(): void | Promise<void>;
  /** A plain object for `host.stats()`. */
  stats?(): object | null;
  /** Called after `stop()`, and also when `start()` has failed. */
  [Symbol.asyncDispose]?(): PromiseLike<void>;
  [Symbol.dispose]?(): void;
}

/** A plugin with its options: what a factory returns, `createHost` takes, and `host.get` takes back. */
export interface Plugin<T = unknown> {
  readonly [providedType]?: T;
  /** Unique in its host. */
  readonly name: string;
  readonly manifest: PluginManifest;
  /** The plugin class, or null for a plugin that was made by `definePlugin`. */
  readonly type: Newable | null;
  /** Binds the plugin, its options and whatever else it needs, in a container that is the plugin's own. */
  readonly module: ContainerModule;
}

/** What `host.get` returns for a plugin class: its `provided`, if it has one. */
export type Provided<I> = I extends { readonly provided: infer T } ? T : I;

/** A concrete class whose arguments are injected. */
export type Newable<I = object> = new (...args: never[]) => I;

/** Where a module binds the plugin itself. @internal */
export const INSTANCE: Token<PluginLifecycle> = Symbol.for('@core/framework:Instance') as Token<PluginLifecycle>;

const PLUGIN = Symbol.for('@core/framework:Plugin');

class PluginValue implements Plugin {
  readonly name: string;
  readonly manifest: PluginManifest;
  readonly type: Newable | null;
  readonly module: ContainerModule;

  constructor(name: string, manifest: PluginManifest, type: Newable | null, module: ContainerModule) {
    this.name = name;
    this.manifest = manifest;
    this.type = type;
    this.module = module;
    Object.freeze(this);
  }

  get [PLUGIN](): true {
    return true;
  }
}

/** @internal */
export function makePlugin(
  name: string,
  manifest: PluginManifest,
  type: Newable | null,
  module: ContainerModule,
): Plugin {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(
      `Cannot name an instance of plugin "${manifest.name}": the name must be a string, and not empty`,
    );
  }
  return new PluginValue(name, manifest, type, module);
}

/** Whether `value` is a plugin, from whichever copy of this package. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && (value as { [PLUGIN]?: unknown })[PLUGIN] === true;
}
