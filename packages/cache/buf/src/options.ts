import type { Scheduler } from '@core/base';
import type { SourceFile } from '@core/fs-source';
import type { RcuFlavor } from '@core/rcu';
import type { MemoryGroup } from '@core/shrinker';
import type { BufError } from './buf-error.js';

export interface WriteBackOptions {
  /** Milliseconds for which a write may wait. Default 1,000. */
  readonly delayMs?: number;
  /**
   * Bytes that may wait to be written. From the half on they are written at once, in the background; above it, writers
   * wait. Default half of the cache.
   */
  readonly maxDirtyBytes?: number;
}

export interface BufCacheOptions {
  /** For reports, and the name of the shrinker. Default `'buf'`. */
  readonly name?: string;
  /** Bytes of a block: a power of two from 512 to 1 MiB. Default 4,096. */
  readonly blockBytes?: number;
  /**
   * Bytes of all blocks, at least one. Up to a quarter more is taken while blocks wait for those who may be looking at
   * them. Default 64 MiB.
   */
  readonly maxBytes?: number;
  /** Bytes that are read ahead of a sequential reader at most; 0 for none. Default 131,072. */
  readonly readaheadBytes?: number;
  /** Bytes of one write at most. Default 1 MiB. */
  readonly maxWriteBytes?: number;
  /**
   * Whether writes are acknowledged when they are in the cache, and written to the file later. Default false: when the
   * file has them.
   */
  readonly writeBack?: boolean | WriteBackOptions;
  /** Milliseconds after which a failed write is tried again; then after twice as long, up to 30 s. Default 100. */
  readonly retryMs?: number;
  /** How often. Default 5. */
  readonly retries?: number;
  /**
   * How many rounds on the LRU an access gives to the blocks of each type of file, from 0, which is not to keep them, to
   * 16. Default {@link LRU_REFS}; names are added to these.
   */
  readonly lruRefs?: Readonly<Record<string, number>>;
  /** Cost to refill, for the shrinker. Default 2. */
  readonly seeks?: number;
  /**
   * Whose memory the arenas take: their bytes are charged to it, in the zone `external`. Register the cache's shrinker
   * and attach it (`cache.attach`), or the group's reclaim finds nothing here. Default, and null: none.
   */
  readonly group?: MemoryGroup | null;
  /** Whose grace periods blocks wait for that were shown to somebody. Default: an `Rcu` that all such caches share. */
  readonly rcu?: RcuFlavor;
  /** Where turns and delays come from. Default: the event loop. */
  readonly scheduler?: Scheduler;
  /** Where errors go that no caller hears of, and leaks. Default: an uncaught exception. */
  readonly onError?: (error: unknown) => void;
}

export interface OpenOptions {
  /** A name of `lruRefs`: how long its blocks are kept. Default `'data'`. */
  readonly type?: string;
  /** Where background writes that failed go, once for each attempt; it has the `ranges`. Default: `onError`. */
  readonly onWriteError?: (error: BufError, source: SourceFile) => void;
  /** Whether `close` leaves the source open. Default false: the cache takes it over. */
  readonly keepSource?: boolean;
}

export interface InvalidateOptions {
  /** Where it begins, in bytes; the whole block is meant. Default 0. */
  readonly position?: number;
  /** Bytes. Default: all from there on. */
  readonly length?: number;
  /** Drops delayed writes as well, unless they are on their way. Default false: such blocks stay. */
  readonly discard?: boolean;
}

export interface CloseOptions {
  /** Closes also where delayed writes could not be written: they are lost. Default false: it stays open. */
  readonly discard?: boolean;
}

/**
 * Rounds on the LRU by type: after how many walks past it an idle block goes. What costs several reads to find again
 * is worth more than what is read once.
 */
export const LRU_REFS: Readonly<Record<'once' | 'data' | 'directory' | 'index' | 'root', number>> = {
  once: 0,
  data: 1,
  directory: 2,
  index: 3,
  root: 4,
};

export interface BufCacheStats {
  readonly name: string;
  readonly files: number;
  /** Reads that found all that they asked for, and those that did not. */
  readonly hits: number;
  readonly misses: number;
  /** Reads of the sources, and the blocks of these. */
  readonly reads: number;
  readonly readBlocks: number;
  /** Of the reads, how many were begun before somebody asked. */
  readonly readAheads: number;
  /** Writes to the sources, the blocks of these, and those that failed. */
  readonly writes: number;
  readonly writtenBlocks: number;
  readonly writeErrors: number;
  readonly evictions: number;
  /** Blocks: in use, of these idle on the LRU, waiting to be written, and under I/O. */
  readonly used: number;
  readonly idle: number;
  readonly dirty: number;
  readonly inFlight: number;
  /** Blocks that have left, and wait for those who may look at them. */
  readonly pending: number;
  /** Guards that are open, and those that were garbage-collected so. */
  readonly held: number;
  readonly leaks: number;
  readonly arenas: number;
  readonly arenaBytes: number;
}
