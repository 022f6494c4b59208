import type { Clock, Scheduler } from '@core/base';
import type { FileSystemSource } from '@core/fs-source';
import type { RcuFlavor } from '@core/rcu';
import type { MemoryGroup, Zone } from '@core/shrinker';
import type { Inode } from './inode.js';
import type { RevalidationPolicy } from './revalidation-policy.js';

/**
 * What a revalidation has shown: `fresh` the attributes are believed, and nobody has looked; `unchanged` and `changed`
 * as a look has shown; `gone` there is nothing at the path; `replaced` there is another file at the path, or another file
 * has the inode's number, and the inode is stale.
 */
export type Revalidation = 'fresh' | 'unchanged' | 'changed' | 'gone' | 'replaced';

/** What else is cached of files, such as their blocks. */
export interface FileContents {
  /** Whether anything is cached of this file. Asked often: cheap. */
  has(inode: Inode): boolean;
  /**
   * Drops what is cached of this file, since the file has changed, or is leaving, or memory is wanted.
   *
   * @returns whether nothing is left; what cannot be dropped now, such as delayed writes, stays, and keeps the inode
   */
  drop(inode: Inode): boolean;
}

export interface InodeCacheOptions {
  /** Where attributes come from. */
  readonly source: FileSystemSource;
  /** For how long attributes are believed. Default `byAge()`. */
  readonly policy?: RevalidationPolicy;
  /** What else is cached of files, and must go with their inodes. Default: nothing. */
  readonly contents?: FileContents;
  /** For reports, and the name of the shrinker. Default `'inode'`. */
  readonly name?: string;
  /** Inodes that are kept while nobody holds them, at most. Default 65,536. */
  readonly maxUnused?: number;
  /** Bytes of derived values at most. Default 64 MiB. */
  readonly maxDerivedBytes?: number;
  /**
   * Milliseconds within which a file may change twice and have the same change stamp. Default: 2,000 for a file whose
   * times are whole seconds, else 100.
   */
  readonly racyMs?: number;
  /** Whose memory the cache takes: 800 bytes for each inode, and the derived values. Default, and null: nobody's. */
  readonly group?: MemoryGroup | null;
  /** Whose grace periods what has left waits for. Default: an `Rcu` that all such caches share. */
  readonly rcu?: RcuFlavor;
  /** Milliseconds for ages. Default: `performance.now()`. It is looked at once per millisecond, or per 64 reads. */
  readonly clock?: Clock;
  /** Milliseconds since the epoch, as files' times have them. Default: `Date.now()`. */
  readonly wallClock?: Clock;
  readonly scheduler?: Scheduler;
  /** Where errors of the policy, of `sizeOf` and of `dispose` go. Default: an uncaught exception. */
  readonly onError?: (error: unknown) => void;
}

export interface InodeCacheStats {
  readonly name: string;
  /** Inodes in the table. */
  readonly inodes: number;
  /** Of these, those on the list of inodes that may be reclaimed. */
  readonly unused: number;
  /** Holds that have not been released. */
  readonly holds: number;
  /** Derived values, and bytes charged for them. */
  readonly derived: number;
  readonly derivedBytes: number;
  /** `lstat` calls. */
  readonly looks: number;
  /** Callers who joined an `lstat` that was under way. */
  readonly joinedLooks: number;
  /** Looks, and stats that were handed in, which showed a change. */
  readonly changed: number;
  /** Inodes that went stale since another file had their number or path. */
  readonly replaced: number;
  /** Revalidations that needed no look. */
  readonly fresh: number;
  /** Derived values that were found. */
  readonly derivedHits: number;
  /** Calls of makers. */
  readonly made: number;
  /** Of these, those that were repeated since the file had changed meanwhile. */
  readonly remade: number;
  /** Values that were not kept, since the file had changed too recently to tell. */
  readonly unsettled: number;
  /** Values that were kept with no look after their maker, and of these, those that a later look has shown to be good. */
  readonly deferred: number;
  readonly confirmed: number;
  /** Callers who joined a maker at work. */
  readonly joinedMakers: number;
  /** Inodes and derived values that were reclaimed, or went over a limit. */
  readonly evictions: number;
  readonly derivedEvictions: number;
  /** Inodes and derived values that the group had no room for. */
  readonly uncharged: number;
  /** Bytes that are charged to the group now. */
  readonly chargedBytes: number;
  /** What has left and waits for readers. */
  readonly retired: number;
  readonly retiredBytes: Readonly<Record<Zone, number>>;
}
