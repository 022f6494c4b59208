import { FrameworkError } from '../framework-error.js';
import { isPlugin, type PluginManifest } from '../plugin.js';
import { describeId, isServiceId } from '../token.js';

/** Where a class keeps its manifest: a registered symbol, so that it survives a package that is installed twice. */
const MANIFEST = Symbol.for('@core/framework:manifest');

export function setManifest(target: object, manifest: PluginManifest): void {
  Object.defineProperty(target, MANIFEST, { value: manifest });
}

/** The manifest that `cachePlugin` gave to this very class, or null. */
export function manifestOf(target: object): PluginManifest | null {
  return Object.hasOwn(target, MANIFEST) ? (target as { [MANIFEST]: PluginManifest })[MANIFEST] : null;
}

/** @throws {FrameworkError} `ERR_BAD_PLUGIN` */
export function requireManifest(target: object): PluginManifest {
  const manifest = manifestOf(target);
  if (manifest === null) {
    throw new FrameworkError(
      'ERR_BAD_PLUGIN',
      `Cannot make a plugin of ${describeId(target)}: it has no manifest; decorate it with @cachePlugin({ name })`,
    );
  }
  return manifest;
}

/**
 * Returns a frozen copy of what belongs to a manifest.
 *
 * @throws {TypeError} a part of it is not what it should be
 */
export function checkManifest(manifest: PluginManifest): PluginManifest {
  if (typeof manifest !== 'object' || manifest === null) {
    throw new TypeError(`Cannot define a plugin by ${String(manifest)}: give an object with a name`);
  }
  const { name, version, requires, provides } = manifest;
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`Cannot define a plugin without a name: its name is ${name === '' ? "''" : String(name)}`);
  }
  if (requires !== undefined && !Array.isArray(requires)) {
    throw new TypeError(`Cannot define plugin "${name}": requires must be an array`);
  }
  requires?.forEach((requirement: unknown, index) => {
    if (typeof requirement !== 'string' && !isServiceId(requirement) && !isPlugin(requirement)) {
      throw new TypeError(
        `Cannot define plugin "${name}": requires[${index}] is ${String(requirement)}; give a name, a class, a token or a plugin (undefined: do two files import each other?)`,
      );
    }
  });
  if (provides !== undefined && !isServiceId(provides)) {
    throw new TypeError(`Cannot define plugin "${name}": provides is ${String(provides)}; give a class or a token`);
  }
  return Object.freeze({ name, version, requires: requires && Object.freeze([...requires]), provides });
}
