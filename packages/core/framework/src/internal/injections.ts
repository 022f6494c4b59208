import { ClassElementMetadataKind, getClassMetadata } from '@inversifyjs/core';
import { LazyServiceIdentifier } from 'inversify';
import { FrameworkError } from '../framework-error.js';
import type { Newable, Plugin } from '../plugin.js';
import type { ServiceId } from '../token.js';

/**
 * What the constructor and the properties of a plugin's class must have injected, as its decorators say.
 *
 * @throws {FrameworkError} `ERR_BAD_PLUGIN`: a parameter has no decorator, and would be undefined
 */
export function injectionsOf(plugin: Plugin): ServiceId[] {
  const { type } = plugin;
  if (type === null) {
    return [];
  }
  const { constructorArguments, properties } = readMetadata(plugin, type);
  const ids: ServiceId[] = [];
  for (const element of [...constructorArguments, ...properties.values()]) {
    if (element.kind === ClassElementMetadataKind.singleInjection && !element.optional && element.name === undefined) {
      const { value } = element;
      ids.push((LazyServiceIdentifier.is(value) ? value.unwrap() : value) as ServiceId);
    }
  }
  return ids;
}

function readMetadata(plugin: Plugin, type: Newable): ReturnType<typeof getClassMetadata> {
  try {
    return getClassMetadata(type);
  } catch (error) {
    throw new FrameworkError(
      'ERR_BAD_PLUGIN',
      `Cannot build plugin "${plugin.name}": some parameter of ${type.name} has no @inject(TOKENS.…); decorate each of its ${type.length}`,
      { cause: error, plugin: plugin.name },
    );
  }
}
