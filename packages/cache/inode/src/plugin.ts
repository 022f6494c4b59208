import { cachePlugin, inject, type Plugin, type PluginContext, pluginOf, TOKENS } from '@core/framework';
import { nodeSource } from '@core/fs-source';
import type { MemoryGroup } from '@core/shrinker';
import { InodeCache } from './inode-cache.js';
import { InodeError } from './inode-error.js';
import type { InodeCacheOptions, InodeCacheStats } from './options.js';
import { SuperBlock, type SuperBlockOptions } from './super-block.js';

/** Paths that the report of open holds names. */
const PATHS_NAMED = 5;

/** As of an `InodeCache`, but that the source may be left out, and the group may be made of the host's own. */
export interface InodeCachePluginOptions extends Omit<InodeCacheOptions, 'source' | 'group'> {
  /** Default: node's file system. */
  readonly source?: InodeCacheOptions['source'];
  /**
   * Whose memory the cache takes, or a function that makes such a group below the host's root, called once when the
   * plugin is built. Default: the host's root if the host manages memory, else none. Null: none.
   */
  readonly group?: MemoryGroup | ((root: MemoryGroup) => MemoryGroup) | null;
  /** What is pruned together with the inodes, and so must have no shrinker of its own. */
  readonly superBlock?: Pick<SuperBlockOptions, 'dentries' | 'contents' | 'cachePressure'>;
}

/** Makes an `InodeCache` on the host's grace periods, and registers its shrinker. */
@cachePlugin({ name: 'inode', provides: InodeCache })
class InodeCachePlugin {
  readonly provided: InodeCache;

  constructor(
    @inject(TOKENS.Context) context: PluginContext,
    @inject(TOKENS.Options) { superBlock, ...options }: InodeCachePluginOptions,
  ) {
    this.provided = new InodeCache({
      ...options,
      name: context.name,
      source: options.source ?? nodeSource(),
      group: groupOf(context, options.group),
      rcu: options.rcu ?? context.rcu,
      clock: options.clock ?? context.clock,
      scheduler: options.scheduler ?? context.scheduler,
      onError: options.onError ?? context.errored,
    });
    const block = new SuperBlock({
      ...superBlock,
      name: context.name,
      inodes: this.provided,
      contents: [this.provided.derivedValues, ...(superBlock?.contents ?? [])],
      groupAware: true,
    });
    block.attach(context.shrinker(block.asShrinker()));
  }

  stats(): InodeCacheStats {
    return this.provided.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provided.close();
    const { holds } = this.provided.stats();
    if (holds > 0) {
      throw new InodeError(
        'ERR_INODE_HELD',
        `Cannot finish closing "${this.provided.name}": ${holds} holds are open${ofPaths(this.provided.heldPaths())}; release every inode before the host closes`,
      );
    }
  }
}

function groupOf(context: PluginContext, group: InodeCachePluginOptions['group']): MemoryGroup | null {
  if (group === undefined) {
    return context.memoryGroup;
  }
  return typeof group === 'function' ? group(context.shrinkers.root) : group;
}

/** Paths for a message. */
function ofPaths(paths: readonly string[]): string {
  const named = paths.slice(0, PATHS_NAMED).join(', ');
  const more = paths.length > PATHS_NAMED ? ` and ${paths.length - PATHS_NAMED} more` : '';
  return paths.length === 0 ? '' : `, of ${named}${more}`;
}

/** The plugin that gives a host an {@link InodeCache}. Several in one host are told apart by `name`. */
export function inodeCache(options: InodeCachePluginOptions = {}): Plugin<InodeCache> {
  return pluginOf(InodeCachePlugin, options);
}
