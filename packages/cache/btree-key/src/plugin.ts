import { cachePlugin, inject, type Plugin, type PluginContext, pluginOf, TOKENS } from '@core/framework';
import type { MemoryGroup } from '@core/shrinker';
import { BtreeKeyCache } from './btree-key-cache.js';
import type { BtreeKeyCacheOptions, BtreeKeyStats } from './options.js';

/** As of `BtreeKeyCache.open`, but that the group may be made of the host's own. */
export interface BtreeKeyPluginOptions extends Omit<BtreeKeyCacheOptions, 'group'> {
  /**
   * Whose memory the cache takes, or a function that makes such a group below the host's root, called once when the
   * plugin starts. Default: the host's root if the host manages memory, else none. Null: none.
   */
  readonly group?: MemoryGroup | ((root: MemoryGroup) => MemoryGroup) | null;
}

/** Opens a `BtreeKeyCache` on the host's ports, and registers its shrinker. */
@cachePlugin({ name: 'btree-key', provides: BtreeKeyCache })
class BtreeKeyPlugin {
  private readonly context: PluginContext;
  private readonly options: BtreeKeyPluginOptions;
  private cache: BtreeKeyCache | null = null;

  constructor(@inject(TOKENS.Context) context: PluginContext, @inject(TOKENS.Options) options: BtreeKeyPluginOptions) {
    this.context = context;
    this.options = options;
  }

  get provided(): BtreeKeyCache {
    return this.cache as BtreeKeyCache;
  }

  async start(): Promise<void> {
    const { context, options } = this;
    this.cache = await BtreeKeyCache.open({
      ...options,
      name: context.name,
      group: groupOf(context, options.group),
      clock: options.clock ?? context.clock,
      scheduler: options.scheduler ?? context.scheduler,
      onError: options.onError ?? context.errored,
    });
    this.cache.attach(context.shrinker(this.cache.asShrinker()));
  }

  stats(): BtreeKeyStats | null {
    return this.cache?.stats() ?? null;
  }

  /** By now the host has freed the shrinker. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cache?.close();
  }
}

function groupOf(context: PluginContext, group: BtreeKeyPluginOptions['group']): MemoryGroup | null {
  if (group === undefined) {
    return context.memoryGroup;
  }
  return typeof group === 'function' ? group(context.shrinkers.root) : group;
}

/**
 * The plugin that gives a host a {@link BtreeKeyCache}. Several in one host are told apart by `name`, and by the value
 * that this returns: `host.get(plugin)`.
 */
export function btreeKeyCache(options: BtreeKeyPluginOptions): Plugin<BtreeKeyCache> {
  return pluginOf(BtreeKeyPlugin, options);
}
