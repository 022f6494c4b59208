import type { BigIntStats } from 'node:fs';
import { type Dentry, type DentryCache, KIND_SYMLINK } from '@cache/dentry';
import type { Inode, InodeCache } from '@cache/inode';
import type { DirectoryEntry } from '@core/fs-source';
import type { AccessTimes } from './access-times.js';
import { type Answer, type Lookup, MISSING } from './fs-view.js';

/** Walks to a name alone. What is listed is known without a look at its inode. */
export const NAME = { attributes: false } as const;
export const LINK_NAME = { attributes: false, follow: false } as const;
const FILE = { follow: true } as const;
const LINK = { follow: false } as const;
/** How often a walk begins anew since the file was replaced meanwhile, before the system is asked as it is. */
const REPLACED_MAX = 4;

/** That the cache has no answer: the file system below has. */
export function noAnswer(why: string): Error {
  return new Error(`Cannot answer from the cache: ${why}`);
}

/**
 * What a walk has led to, or that there is nothing. What stands below a file is neither: it has an error of its own.
 *
 * @throws what is not to be answered from here
 */
export function found<T>(dentry: Dentry<Inode>, value: (dentry: Dentry<Inode>) => T): Answer<T> {
  if (dentry.missing === null) {
    return value(dentry);
  }
  if (dentry.missing === 'ENOENT') {
    return MISSING;
  }
  throw noAnswer(dentry.missing);
}

/** As {@link found}; undefined for what is not to be answered from here. */
export function peeked<T>(
  dentry: Dentry<Inode> | undefined,
  value: (dentry: Dentry<Inode>) => T | undefined,
): Answer<T> | undefined {
  if (dentry === undefined || dentry.missing === 'ENOTDIR') {
    return undefined;
  }
  return dentry.missing === null ? value(dentry) : MISSING;
}

/** Attributes. The name is as good as its dentry, the attributes are as good as the inode's policy says. */
export function statLookup(
  dentries: DentryCache<Inode>,
  inodes: InodeCache,
  accessTimes: AccessTimes,
  follow: boolean,
): Lookup<BigIntStats> {
  const options = follow ? FILE : LINK;
  const fresh = ({ inode }: Dentry<Inode>): BigIntStats | undefined =>
    inode !== null && inodes.isFresh(inode) && accessTimes.isSettled(inode) ? inode.stats : undefined;
  return {
    peek: (path) => peeked(dentries.peek(path, options), fresh),
    now: (path) => {
      for (let times = 0; times < REPLACED_MAX; times++) {
        const dentry = dentries.walkSync(path, options);
        const { inode } = dentry;
        if (inode === null) {
          return found(dentry, unreachable);
        }
        accessTimes.settle(inode);
        if (inodes.isFresh(inode)) {
          return inode.stats;
        }
        const real = dentries.pathOf(dentry);
        if (isThere(inodes.revalidateSync(inode, real))) {
          return inode.stats;
        }
        dentries.invalidate(real);
      }
      throw noAnswer('it is being replaced');
    },
    later: async (path) => {
      for (let times = 0; times < REPLACED_MAX; times++) {
        const dentry = await dentries.walk(path, options);
        const { inode } = dentry;
        if (inode === null) {
          return found(dentry, unreachable);
        }
        accessTimes.settle(inode);
        if (inodes.isFresh(inode)) {
          return inode.stats;
        }
        const real = dentries.pathOf(dentry);
        if (isThere(await inodes.revalidate(inode, real))) {
          return inode.stats;
        }
        dentries.invalidate(real);
      }
      throw noAnswer('it is being replaced');
    },
  };
}

function isThere(outcome: string): boolean {
  return outcome !== 'gone' && outcome !== 'replaced';
}

function unreachable(): never {
  throw noAnswer('a dentry without attributes');
}

export function existsLookup(dentries: DentryCache<Inode>): Lookup<true> {
  return {
    peek: (path) => peeked(dentries.peek(path, NAME), yes),
    now: (path) => found(dentries.walkSync(path, NAME), yes),
    later: async (path) => found(await dentries.walk(path, NAME), yes),
  };
}

function yes(): true {
  return true;
}

export function readdirLookup(dentries: DentryCache<Inode>): Lookup<readonly DirectoryEntry[]> {
  return {
    // That it is listed is known only when asked, which then asks the source: the other forms find it at once.
    peek: () => undefined,
    now: (path) => known(dentries.readdirSync(path)),
    later: async (path) => known(await dentries.readdir(path)),
  };
}

function known(entries: readonly DirectoryEntry[]): readonly DirectoryEntry[] {
  if (entries.some(({ kind }) => kind === 'unknown')) {
    throw noAnswer('the directory does not tell kinds');
  }
  return entries;
}

export function realpathLookup(dentries: DentryCache<Inode>): Lookup<string> {
  const realOf = (dentry: Dentry<Inode>): string => dentries.pathOf(dentry);
  return {
    peek: (path) => peeked(dentries.peek(path, NAME), realOf),
    now: (path) => found(dentries.walkSync(path, NAME), realOf),
    later: async (path) => found(await dentries.walk(path, NAME), realOf),
  };
}

/** Whether the path names a symlink; what it is otherwise is of no interest. */
export function isSymlink({ kind }: Dentry<Inode>): boolean {
  return kind === KIND_SYMLINK;
}
