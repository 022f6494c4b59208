import { isThenable } from '@core/base';
import type { ContainerModule } from 'inversify';
import { FrameworkError } from '../framework-error.js';
import { isPlugin, type Plugin, type Requirement } from '../plugin.js';
import { describeId } from '../token.js';
import type { Directory } from './directory.js';
import { manifestOf } from './manifest.js';
import { isModule, pluginOfModule } from './module-plugin.js';
import { startOrder } from './start-order.js';
import { type Unit, kindOf } from './unit.js';

/**
 * @throws {FrameworkError} `ERR_NOT_A_PLUGIN`, `ERR_BAD_PLUGIN`, `ERR_DUPLICATE_PLUGIN`
 * @throws {TypeError} no array
 */
export function checkPlugins(passed: readonly (Plugin | ContainerModule)[]): readonly Plugin[] {
  if (!Array.isArray(passed)) {
    throw new TypeError(`Cannot use ${kindOf(passed)} as plugins: pass an array`);
  }
  const plugins = passed.map((value: unknown, index) => asPlugin(value, `plugins[${index}]`));
  const seen = new Set<string>();
  for (const plugin of plugins) {
    if (seen.has(plugin.name)) {
      throw new FrameworkError(
        'ERR_DUPLICATE_PLUGIN',
        `Cannot have two plugins named "${plugin.name}" in one host; give one of them another name in its options`,
        { plugin: plugin.name },
      );
    }
    seen.add(plugin.name);
  }
  return plugins;
}

/**
 * Checks that everything which the plugins of `directory` require or want injected is there, and returns them in the
 * order to start in. Builds nothing.
 *
 * @throws {FrameworkError} `ERR_MISSING_REQUIREMENT`, `ERR_PLUGIN_CYCLE`, `ERR_MISSING_BINDING`,
 *   `ERR_AMBIGUOUS_SERVICE`
 */
export function compose(directory: Directory): Unit[] {
  for (const unit of directory.units) {
    unit.needs = [...(unit.plugin.manifest.requires ?? []), ...injected(unit, directory)];
  }
  return startOrder(directory.units);
}

function injected(unit: Unit, directory: Directory): Requirement[] {
  const needs: Requirement[] = [];
  for (const id of unit.injections) {
    if (!unit.scope.isBound(id)) {
      const [provider, ...others] = directory.providers(id);
      if (provider === undefined) {
        throw directory.missing(id, unit.name);
      }
      if (others.length > 0) {
        throw directory.ambiguous(id, [provider, ...others], unit.name);
      }
      needs.push(provider.plugin);
    }
  }
  return needs;
}

function asPlugin(value: unknown, what: string): Plugin {
  if (isPlugin(value)) {
    return value;
  }
  if (isModule(value)) {
    return pluginOfModule(value, what);
  }
  throw new FrameworkError('ERR_NOT_A_PLUGIN', `Cannot use ${what}: it is ${describePassed(value)}`);
}

function describePassed(value: unknown): string {
  if (typeof value === 'function') {
    const name = describeId(value);
    if (manifestOf(value) !== null) {
      return `the class ${name}; pass pluginOf(${name}, options), or what its factory returns`;
    }
    return /^class\b/.test(Function.prototype.toString.call(value))
      ? `${value.name === '' ? name : `the class ${name}`}, which has no @cachePlugin manifest`
      : `the function ${name}; call it: ${name}(…)`;
  }
  if (isThenable(value)) {
    return 'a promise; await it first';
  }
  return Array.isArray(value) ? 'an array; spread it' : `${kindOf(value)}; pass what a plugin factory returns`;
}
