import { CoarseClock } from '@core/base';
import { cachePlugin, inject, type Plugin, type PluginContext, pluginOf, TOKENS } from '@core/framework';
import { ObjectCache } from './object-cache.js';
import { ObjectCacheError } from './object-cache-error.js';
import type { ObjectCacheOptions, ObjectCacheStats } from './options.js';

/** Makes an `ObjectCache` on the host's grace periods, and registers its shrinker. */
@cachePlugin({ name: 'object', provides: ObjectCache })
class ObjectCachePlugin<K, V> {
  readonly provided: ObjectCache<K, V>;

  constructor(
    @inject(TOKENS.Context) context: PluginContext,
    @inject(TOKENS.Options) options: ObjectCacheOptions<K, V>,
  ) {
    this.provided = new ObjectCache<K, V>({
      ...options,
      name: context.name,
      rcu: options.rcu ?? context.rcu,
      clock: options.clock ?? new CoarseClock(1, context.clock, context.scheduler),
      scheduler: options.scheduler ?? context.scheduler,
      onError: options.onError ?? context.errored,
    });
    context.shrinker(this.provided.asShrinker());
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
        `Cannot finish closing "${this.provided.name}": ${held} holds are open; release every guard before the host closes`,
      );
    }
  }
}

/**
 * The plugin that gives a host an {@link ObjectCache}. Several in one host are told apart by `name`, and by the value
 * that this returns: `host.get(plugin)`.
 */
export function objectCache<K = unknown, V = unknown>(
  options: ObjectCacheOptions<K, V> = {},
): Plugin<ObjectCache<K, V>> {
  return pluginOf(ObjectCachePlugin<K, V>, options);
}
