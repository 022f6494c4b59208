import {
  cachePlugin,
  inject,
  type Plugin,
  type PluginContext,
  pluginOf,
  type Token,
  token,
  TOKENS,
} from '@core/framework';
import type { MemoryGroup } from '@core/shrinker';
import type { CachedFs, CachedFsStats } from './cached-fs.js';
import { createCachedFs } from './create-cached-fs.js';
import type { CachedFsOptions } from './options.js';

/** What a host has the cached file system under, besides the plugin itself. */
export const CACHED_FS: Token<CachedFs> = token('CachedFs');

/** As of `createCachedFs`; what a host has is the host's. */
export interface CachedFsPluginOptions extends Omit<CachedFsOptions, 'host' | 'shrinkers' | 'group' | 'name'> {
  /**
   * Whose memory it takes, or a function that makes such a group below the host's root, called once when the plugin is
   * built. Default: the host's root if the host manages memory, else none. Null: none.
   */
  readonly group?: MemoryGroup | ((root: MemoryGroup) => MemoryGroup) | null;
}

/** Makes a cached file system on the host's grace periods, and registers its shrinker. */
@cachePlugin({ name: 'fs', provides: CACHED_FS })
class CachedFsPlugin {
  readonly provided: CachedFs;

  constructor(
    @inject(TOKENS.Context) context: PluginContext,
    @inject(TOKENS.Options) { group, ...options }: CachedFsPluginOptions,
  ) {
    this.provided = createCachedFs({
      ...options,
      name: context.name,
      shrinkers: context.shrinkers,
      group:
        group === undefined ? context.memoryGroup : typeof group === 'function' ? group(context.shrinkers.root) : group,
      rcu: options.rcu ?? context.rcu,
      clock: options.clock ?? context.clock,
      scheduler: options.scheduler ?? context.scheduler,
      onError: options.onError ?? context.errored,
    });
  }

  stats(): CachedFsStats {
    return this.provided.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provided.close();
  }
}

/** The plugin that gives a host a {@link CachedFs}: `host.get(plugin)`. Several are told apart by `name`. */
export function cachedFs(options: CachedFsPluginOptions = {}): Plugin<CachedFs> {
  return pluginOf(CachedFsPlugin, options);
}
