import './internal/reflect.js';
import { ContainerModule, type ContainerModuleLoadOptions } from 'inversify';
import { checkManifest, requireManifest, setManifest } from './internal/manifest.js';
import { INSTANCE, makePlugin, type Newable, type Plugin, type PluginManifest, type Provided } from './plugin.js';
import { type ServiceId, TOKENS } from './token.js';

type PluginClass<I> = abstract new (...args: never[]) => I;

/**
 * Marks a class as a plugin and holds its manifest.
 *
 * A class that the plugin `provides`, and that is used on hot paths, needs no decorator of its own: the plugin builds
 * it and shows it as `provided`, no later than at the end of `start()`.
 *
 * @throws {TypeError} the manifest is not one
 */
export function cachePlugin(
  manifest: PluginManifest & { readonly provides: ServiceId },
): (target: PluginClass<{ readonly provided: unknown }>) => void;
export function cachePlugin(manifest: PluginManifest): (target: PluginClass<object>) => void;
export function cachePlugin(manifest: PluginManifest): (target: PluginClass<never>) => void {
  const checked = checkManifest(manifest);
  return (target) => setManifest(target, checked);
}

/**
 * Makes a plugin of a class and its options; factories end with it.
 *
 * @param options injected as `TOKENS.Options`; its `name`, if it has one, becomes the name of this instance
 * @param bind binds what else the class wants injected, seen by this plugin only
 * @throws {FrameworkError} `ERR_BAD_PLUGIN`: the class has no manifest
 */
export function pluginOf<I extends object>(
  type: Newable<I>,
  options: object & { readonly name?: string } = {},
  bind?: (options: ContainerModuleLoadOptions) => void,
): Plugin<Provided<I>> {
  const manifest = requireManifest(type);
  const module = new ContainerModule((load) => {
    load
      .bind<object>(INSTANCE)
      .to(type as new () => object)
      .inSingletonScope();
    load.bind(TOKENS.Options).toConstantValue(options);
    bind?.(load);
  });
  return makePlugin(options.name ?? manifest.name, manifest, type, module) as Plugin<Provided<I>>;
}
