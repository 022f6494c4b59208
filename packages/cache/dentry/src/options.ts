import type { BigIntStats } from 'node:fs';
import type { Clock } from '@core/base';
import type { FileKind, FileSystemSource } from '@core/fs-source';
import type { RcuFlavor } from '@core/rcu';
import type { MemoryGroup } from '@core/shrinker';
import type { Dentry } from './dentry.js';

/** Where the inodes of dentries come from. */
export interface InodePort<I extends object> {
  /** The inode that these stats describe, referenced once more, for one dentry. Never throws for valid stats. */
  instantiate(stats: BigIntStats, path: string): I;
  /** A dentry that held it is gone. Once for each `instantiate`, after a grace period, never within `instantiate`. */
  release(inode: I): void;
  /**
   * Whether the stats, got by `path`, are of the same file as the inode; if so it takes them over. Without this, a file is the same if
   * `instantiate` gives the same object for it.
   */
  update?(inode: I, stats: BigIntStats, path: string): boolean;
}

/** What a cache without an {@link InodePort} has for inodes. */
export interface PlainInode {
  /** As of the last time that the source was asked. */
  stats: BigIntStats;
}

/** How long what the source said is believed, beyond what `invalidate` and the other changes tell. */
export interface DentryPolicy<I extends object> {
  /** The time, by the cache's clock, up to which a dentry that was just asked for is good. Infinity: until told. */
  validUntil(dentry: Dentry<I>, nowMs: number): number;
  /** What becomes of one whose time is over when a walk meets it; default `'check'`: one `lstat`. Called by walks: synchronous. */
  revalidate?(dentry: Dentry<I>): 'valid' | 'check' | 'gone';
}

export interface DentryCacheOptions<I extends object> {
  /** Default `'dentry'`. */
  readonly name?: string;
  readonly source: FileSystemSource;
  /** Default: each dentry has a {@link PlainInode} of its own. */
  readonly inodes?: InodePort<I>;
  /** Dentries that are kept, negative ones included. Default 65,536. */
  readonly max?: number;
  /** Negative dentries that are kept. 0: none beyond the walk. Default 8,192. */
  readonly maxNegative?: number;
  /** Entries of a directory that is listed; a larger one is looked up name by name. 0: none is listed. Default 4,096. */
  readonly maxListed?: number;
  /** Entries of all listings together. Default 262,144. */
  readonly maxListedTotal?: number;
  /** The look-up in a directory, counted from 1, with which it is listed. Default 1. */
  readonly listAfter?: number;
  /**
   * Whether a directory that can be listed can be searched too, so that a listing alone answers misses. So it is for
   * root, and where nobody has such directories: in others, `EACCES` would be the answer. Without it, some name in each
   * directory has to be looked up first. Default false.
   */
  readonly trustListings?: boolean;
  /** Whole paths that are remembered, so that the next walk is one look into a map. Default 32,768. */
  readonly maxPaths?: number;
  /** Default null: all is good until told. */
  readonly policy?: DentryPolicy<I> | null;
  /** For the policy. Default: a clock of 1 ms. */
  readonly clock?: Clock;
  /** Default: one that all such caches share. */
  readonly rcu?: RcuFlavor;
  /** What the dentries, listings and paths are charged to, inodes excepted. Default null: nothing. */
  readonly group?: MemoryGroup | null;
  /** Default 2. */
  readonly seeks?: number;
  /** Where errors of `InodePort.release` go. Default: an uncaught exception. */
  readonly onError?: (error: unknown) => void;
}

export interface WalkOptions<I extends object = object> {
  /** Whether a symlink at the end is followed; one with a `/` behind it always is. Default true. */
  readonly follow?: boolean;
  /** Whether the result must have its inode. Default true. */
  readonly attributes?: boolean;
  /** Whether the source must be asked about the last name, whatever is cached. Not for `peek`. Default false. */
  readonly fresh?: boolean;
  /** Where relative paths begin. Hold it across awaits. */
  readonly base?: Dentry<I>;
}

export interface InvalidateOptions {
  /** Only the name itself, not what is below it. Default false. */
  readonly exact?: boolean;
}

/** About a change that the caller made in the source. */
export interface ChangeOptions {
  /**
   * That nothing else can have happened to these names since the source made the change: it was synchronous, in this
   * turn. Then what is known now is remembered; otherwise it is only forgotten what was known. Default false.
   */
  readonly certain?: boolean;
}

export interface CreatedOptions extends ChangeOptions {
  readonly kind?: FileKind;
  /**
   * That there was nothing by this name before, not even a symlink. A directory, if that is `certain` too, is then known
   * to be empty, and to let names be looked up. Default false.
   */
  readonly isNew?: boolean;
}

export interface DentryCacheStats {
  readonly name: string;
  /** Dentries, negative ones and those that are only held included. */
  readonly dentries: number;
  readonly negative: number;
  /** Holds by `hold`. */
  readonly held: number;
  /** Directories whose entries are all known. */
  readonly listings: number;
  readonly listedNames: number;
  /**
   * Whether a directory that can be listed can be searched too, so that a listing alone answers misses. So it is for
   * root, and where nobody has such directories: in others, `EACCES` would be the answer. Without it, some name in each
   * directory has to be looked up first. Default false.
   */
  readonly trustListings?: boolean;
  /** Whole paths that are remembered, stale ones included. */
  readonly paths: number;
  /** Walks that found their path remembered. */
  readonly pathHits: number;
  /** Other walks that needed nothing from the source. */
  readonly walkHits: number;
  /** Walks that asked the source. */
  readonly misses: number;
  /** Misses that a listing answered. */
  readonly listedMisses: number;
  readonly evictions: number;
  /** Asynchronous walks that began anew, since what they had asked about had changed. */
  readonly restarts: number;
  /** Inodes that wait for a grace period. */
  readonly pending: number;
  /** Charged to the group. */
  readonly chargedBytes: number;
}
