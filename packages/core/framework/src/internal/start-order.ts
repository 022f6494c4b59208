import { FrameworkError } from '../framework-error.js';
import { isPlugin, type Plugin, type Requirement } from '../plugin.js';
import { type ServiceId, describeId } from '../token.js';

/** A plugin and what must have started before it. */
export interface Needy {
  readonly plugin: Plugin;
  readonly needs: readonly Requirement[];
}

/** Whether `plugin` is what `requirement` asks for. */
export function satisfies(plugin: Plugin, requirement: Requirement): boolean {
  if (typeof requirement === 'string') {
    return plugin.name === requirement || plugin.manifest.name === requirement;
  }
  return isPlugin(requirement) ? plugin === requirement : provides(plugin, requirement);
}

/** Whether `host.get(id)` can mean `plugin`. */
export function provides(plugin: Plugin, id: ServiceId): boolean {
  return plugin.manifest.provides === id || plugin.type === id;
}

/**
 * Orders plugins so that each comes after all that it needs, and otherwise in the order given.
 *
 * Depth first, so a plugin that is needed early comes just before the first one that needs it. O(plugins × needs).
 *
 * @throws {FrameworkError} `ERR_MISSING_REQUIREMENT`, `ERR_PLUGIN_CYCLE`
 */
export function startOrder<N extends Needy>(nodes: readonly N[]): N[] {
  const ordered = new Set<N>();
  const path: N[] = [];
  const visit = (node: N): void => {
    if (ordered.has(node)) {
      return;
    }
    if (path.includes(node)) {
      throw cycle(node, path.slice(path.indexOf(node)));
    }
    path.push(node);
    for (const requirement of node.needs) {
      const found = nodes.filter(({ plugin }) => satisfies(plugin, requirement));
      if (found.length === 0) {
        throw missing(node, requirement, nodes);
      }
      found.forEach(visit);
    }
    path.pop();
    ordered.add(node);
  };
  nodes.forEach(visit);
  return [...ordered];
}

/** `path` leads from `node` to one that requires it. */
function cycle(node: Needy, path: readonly Needy[]): FrameworkError {
  const chain = [...path, node].map(({ plugin }) => `"${plugin.name}"`).join(' requires ');
  return new FrameworkError(
    'ERR_PLUGIN_CYCLE',
    `Cannot order the plugins: ${chain}; take one of these requirements away`,
    { plugin: node.plugin.name },
  );
}

function missing(node: Needy, requirement: Requirement, nodes: readonly Needy[]): FrameworkError {
  const wanted =
    typeof requirement === 'string' || isPlugin(requirement)
      ? `"${typeof requirement === 'string' ? requirement : requirement.name}"`
      : describeId(requirement);
  return new FrameworkError(
    'ERR_MISSING_REQUIREMENT',
    `Cannot start plugin "${node.plugin.name}": it requires ${wanted}, and the host has only ${names(nodes)}; add its plugin to createHost({ plugins })`,
    { plugin: node.plugin.name },
  );
}

/** `"a", "b"`, or `none`. */
export function names(nodes: Iterable<{ readonly plugin: Plugin }>): string {
  return Array.from(nodes, ({ plugin }) => `"${plugin.name}"`).join(', ') || 'none';
}
