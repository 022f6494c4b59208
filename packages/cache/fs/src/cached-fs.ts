import type * as nodeFs from 'node:fs';
import type { BufCacheStats } from '@cache/buf';
import type { DentryCacheStats } from '@cache/dentry';
import type { InodeCacheStats } from '@cache/inode';

/** The type of the module node:fs. */
export type NodeFs = typeof nodeFs;

type JsonCallback = (error: (Error & { code?: string }) | null, value?: unknown) => void;

/** A path, or several. */
export type Paths = string | Buffer | URL | Iterable<string | Buffer | URL>;

/**
 * All of node:fs, or of the file system that it was made over, and what only a cache has.
 *
 * Its functions need no `this`.
 */
export interface CachedFs extends Omit<NodeFs, 'close'>, AsyncDisposable {
  /** Closes a descriptor, as ever. Without arguments it is the cache that is closed: see below. */
  close: NodeFs['close'] & (() => Promise<void>);

  /**
   * Forgets what is cached of these paths, of what is below them, and of their places in their directories; of
   * everything without an argument. Whatever was being read is not kept. No call is made: O(what is forgotten).
   */
  invalidate(paths?: Paths): void;
  /**
   * As {@link invalidate}, under the name that webpack and enhanced-resolve know it by. With `exact`, what is below the
   * paths is kept.
   */
  purge(paths?: Paths, options?: PurgeOptions): void;
  /** The parsed content of a file, shared by all who ask: not to be changed. Fails as `readFile` and `JSON.parse` do. */
  readJson(path: nodeFs.PathLike, callback: JsonCallback): void;
  readJson(path: nodeFs.PathLike): Promise<unknown>;
  readJsonSync(path: nodeFs.PathLike): unknown;
  stats(): CachedFsStats;
}

export interface PurgeOptions {
  readonly exact?: boolean;
}

export interface CachedFsStats {
  /** Whether `close()` has been called: from then on calls go straight to the file system below. */
  readonly closed: boolean;
  /** Null when nothing is cached. */
  readonly names: DentryCacheStats | null;
  readonly files: InodeCacheStats | null;
  /** Of files that are read by descriptor. */
  readonly blocks: BufCacheStats | null;
}
