import './reflect.js';
import { Container, ContainerModule, type ContainerModuleLoadOptions } from 'inversify';
import { FrameworkError } from '../framework-error.js';
import { INSTANCE, makePlugin, type Newable, type Plugin } from '../plugin.js';
import type { ServiceId } from '../token.js';
import { manifestOf, requireManifest } from './manifest.js';

/** Always the same plugin for a module, so that `host.get(module)` finds it. */
const known = new WeakMap<ContainerModule, Plugin>();

/** Whether `value` is a module of inversify, from whichever copy of it. */
export function isModule(value: unknown): value is ContainerModule {
  const { id, load } = (typeof value === 'object' && value !== null ? value : {}) as Partial<ContainerModule>;
  return typeof id === 'number' && typeof load === 'function';
}

/**
 * The plugin that a bare module is: the one class with a manifest among those that it binds.
 *
 * @param what names the module in messages
 * @throws {FrameworkError} `ERR_NOT_A_PLUGIN`: it binds no such class or several; `ERR_BAD_PLUGIN`: it threw
 */
export function pluginOfModule(module: ContainerModule, what: string): Plugin {
  let plugin = known.get(module);
  if (plugin === undefined) {
    plugin = makePluginOf(module, what);
    known.set(module, plugin);
  }
  return plugin;
}

function makePluginOf(module: ContainerModule, what: string): Plugin {
  const [first, ...others] = pluginsBoundBy(module, what);
  if (first === undefined || others.length > 0) {
    const found = first === undefined ? 'no class' : `${others.length + 1} classes`;
    throw new FrameworkError(
      'ERR_NOT_A_PLUGIN',
      `Cannot use ${what}: it is a ContainerModule that binds ${found} with a @cachePlugin manifest; bind one`,
    );
  }
  const [type, id] = first;
  const manifest = requireManifest(type);
  return makePlugin(
    manifest.name,
    manifest,
    type,
    new ContainerModule((load) => {
      void module.load(load);
      load.bind(INSTANCE).toService(id);
    }),
  );
}

/** The classes with a manifest that the module binds, each with what it is bound to; found by binding them once. */
function pluginsBoundBy(module: ContainerModule, what: string): [Newable, ServiceId][] {
  const found = new Map<Newable, ServiceId>();
  const see = (type: unknown, id: unknown): void => {
    if (typeof type === 'function' && manifestOf(type) !== null && !found.has(type as Newable)) {
      found.set(type as Newable, id as ServiceId);
    }
  };
  const watched = new ContainerModule((load) => module.load({ ...load, bind: watchedBind(load, see) }));
  try {
    new Container().load(watched);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new FrameworkError('ERR_BAD_PLUGIN', `Cannot bind ${what}: ${text}`, { cause: error });
  }
  return [...found];
}

function watchedBind(
  load: ContainerModuleLoadOptions,
  see: (type: unknown, id: unknown) => void,
): ContainerModuleLoadOptions['bind'] {
  return (id) => {
    const syntax = load.bind(id);
    const bindTo = syntax.to.bind(syntax);
    see(id, id);
    syntax.to = (type) => {
      see(type, id);
      return bindTo(type);
    };
    return syntax;
  };
}
