import { cachePlugin, inject, type Plugin, type PluginContext, pluginOf, TOKENS } from '@core/framework';
import type { MemoryGroup } from '@core/shrinker';
import { BufCache } from './buf-cache.js';
import { BufError } from './buf-error.js';
import type { BufCacheOptions, BufCacheStats } from './options.js';

/** As of a `BufCache`, but that the group may be made of the host's own. */
export interface BufCachePluginOptions extends Omit<BufCacheOptions, 'group'> {
  /**
   * Whose memory the arenas take, or a function that makes such a group below the host's root, called once when the
   * plugin is built. Default: the host's root if the host manages memory, else none. Null: none.
   */
  readonly group?: MemoryGroup | ((root: MemoryGroup) => MemoryGroup) | null;
}

/** Makes a `BufCache` on the host's grace periods, and registers its shrinker. */
@cachePlugin({ name: 'buf', provides: BufCache })
class BufCachePlugin {
  readonly provided: BufCache;

  constructor(@inject(TOKENS.Context) context: PluginContext, @inject(TOKENS.Options) options: BufCachePluginOptions) {
    this.provided = new BufCache({
      ...options,
      name: context.name,
      group: groupOf(context, options.group),
      rcu: options.rcu ?? context.rcu,
      scheduler: options.scheduler ?? context.scheduler,
      onError: options.onError ?? context.errored,
    });
    this.provided.attach(context.shrinker(this.provided.asShrinker()));
  }

  stats(): BufCacheStats {
    return this.provided.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.provided.close();
    } catch (error) {
      // The host closes for good: what cannot be written now never will be, and the error says what it was.
      await this.provided.close({ discard: true });
      throw error;
    }
    const { used } = this.provided.stats();
    if (used > 0) {
      throw new BufError(
        'ERR_BUF_HELD',
        `Cannot finish closing "${this.provided.name}": ${used} blocks are held; release every guard before the host closes`,
      );
    }
  }
}

function groupOf(context: PluginContext, group: BufCachePluginOptions['group']): MemoryGroup | null {
  if (group === undefined) {
    return context.memoryGroup;
  }
  return typeof group === 'function' ? group(context.shrinkers.root) : group;
}

/**
 * The plugin that gives a host a {@link BufCache}. Several in one host are told apart by `name`, and by the value that
 * this returns: `host.get(plugin)`.
 */
export function bufCache(options: BufCachePluginOptions = {}): Plugin<BufCache> {
  return pluginOf(BufCachePlugin, options);
}
