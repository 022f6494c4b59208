import { CoarseClock } from '@core/base';
import { cachePlugin, inject, type Plugin, type PluginContext, pluginOf, TOKENS } from '@core/framework';
import type { MemoryGroup } from '@core/shrinker';
import { ObjectCache } from './object-cache.js';
import { ObjectCacheError } from './object-cache-error.js';
import type { ObjectCacheOptions, ObjectCacheStats } from './options.js';

/** Keys that the report of open holds names. */
const KEYS_NAMED = 5;

/** As of an `ObjectCache`, but that the group may be made of the host's own. */
export interface ObjectCachePluginOptions<K, V> extends Omit<ObjectCacheOptions<K, V>, 'group'> {
  /**
   * Whose memory the cache takes, or a function that makes such a group below the host's root, called once when the
   * plugin is built. Default: the host's root if the host manages memory, else none. Null: none.
   */
  readonly group?: MemoryGroup | ((root: MemoryGroup) => MemoryGroup) | null;
}

/** Makes an `ObjectCache` on the host's grace periods, and registers its shrinker. */
@cachePlugin({ name: 'object', provides: ObjectCache })
class ObjectCachePlugin<K, V> {
  readonly provided: ObjectCache<K, V>;

  constructor(
    @inject(TOKENS.Context) context: PluginContext,
    @inject(TOKENS.Options) options: ObjectCachePluginOptions<K, V>,
  ) {
    this.provided = new ObjectCache<K, V>({
      ...options,
      name: context.name,
      group: groupOf(context, options.group),
      rcu: options.rcu ?? context.rcu,
      clock: options.clock ?? new CoarseClock(1, context.clock, context.scheduler),
      scheduler: options.scheduler ?? context.scheduler,
      onError: options.onError ?? context.errored,
    });
    this.provided.attach(context.shrinker(this.provided.asShrinker()));
  }

  stats(): ObjectCacheStats {
    return this.provided.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provided.close();
    const { held } = this.provided.stats();
    if (held > 0) {
      throw new ObjectCacheError(
        'ERR_OBJECT_CACHE_HELD',
        `Cannot finish closing "${this.provided.name}": ${held} holds are open${ofKeys(this.provided.heldKeys())}; release every guard before the host closes`,
      );
    }
  }
}

function groupOf<K, V>(context: PluginContext, group: ObjectCachePluginOptions<K, V>['group']): MemoryGroup | null {
  if (group === undefined) {
    return context.memoryGroup;
  }
  return typeof group === 'function' ? group(context.shrinkers.root) : group;
}

/** Keys for a message. */
function ofKeys(keys: readonly unknown[]): string {
  const different = [...new Set(keys)];
  const named = different.slice(0, KEYS_NAMED).map(nameOf);
  const more = different.length > named.length ? ` and ${different.length - named.length} more` : '';
  return named.length === 0 ? '' : `, of ${different.length === 1 ? 'key' : 'keys'} ${named.join(', ')}${more}`;
}

function nameOf(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : typeof key === 'object' ? 'an object' : String(key);
}

/**
 * The plugin that gives a host an {@link ObjectCache}. Several in one host are told apart by `name`, and by the value
 * that this returns: `host.get(plugin)`.
 */
export function objectCache<K = unknown, V = unknown>(
  options: ObjectCachePluginOptions<K, V> = {},
): Plugin<ObjectCache<K, V>> {
  return pluginOf(ObjectCachePlugin<K, V>, options);
}
