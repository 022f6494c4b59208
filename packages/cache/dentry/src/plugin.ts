import { CoarseClock } from '@core/base';
import { cachePlugin, inject, type Plugin, type PluginContext, pluginOf, TOKENS } from '@core/framework';
import { nodeSource } from '@core/fs-source';
import type { MemoryGroup } from '@core/shrinker';
import { DentryCache } from './dentry-cache.js';
import { DentryError } from './dentry-error.js';
import type { DentryCacheOptions, DentryCacheStats, PlainInode } from './options.js';

/** As of a `DentryCache`, but that the source has a default, and the group may be made of the host's own. */
export interface DentryCachePluginOptions<I extends object> extends Omit<DentryCacheOptions<I>, 'source' | 'group'> {
  /** Default: node's file system. */
  readonly source?: DentryCacheOptions<I>['source'];
  /**
   * Whose memory the cache takes, or a function that makes such a group below the host's root. Default: the host's root
   * if the host manages memory, else none. Null: none.
   */
  readonly group?: MemoryGroup | ((root: MemoryGroup) => MemoryGroup) | null;
}

/** Makes a `DentryCache` on the host's grace periods, and registers its shrinker. */
@cachePlugin({ name: 'dentry', provides: DentryCache })
class DentryCachePlugin<I extends object> {
  readonly provided: DentryCache<I>;

  constructor(
    @inject(TOKENS.Context) context: PluginContext,
    @inject(TOKENS.Options) options: DentryCachePluginOptions<I>,
  ) {
    const { group } = options;
    this.provided = new DentryCache<I>({
      ...options,
      name: context.name,
      source: options.source ?? nodeSource(),
      group:
        group === undefined ? context.memoryGroup : typeof group === 'function' ? group(context.shrinkers.root) : group,
      rcu: options.rcu ?? context.rcu,
      clock: options.clock ?? new CoarseClock(1, context.clock, context.scheduler),
      onError: options.onError ?? context.errored,
    });
    this.provided.attach(context.shrinker(this.provided.asShrinker()));
  }

  stats(): DentryCacheStats {
    return this.provided.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provided.close();
    const { held } = this.provided.stats();
    if (held > 0) {
      throw new DentryError(
        'ERR_DENTRY_HELD',
        `Cannot finish closing "${this.provided.name}": ${held} holds of dentries are open; release each before the host closes`,
      );
    }
  }
}

/**
 * The plugin that gives a host a {@link DentryCache}. Several in one host are told apart by `name`, and by the value
 * that this returns: `host.get(plugin)`.
 */
export function dentryCache<I extends object = PlainInode>(
  options: DentryCachePluginOptions<I> = {},
): Plugin<DentryCache<I>> {
  return pluginOf(DentryCachePlugin<I>, options);
}
