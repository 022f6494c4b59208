import type { MemorySource } from '@core/fs-source';
import type { Dentry, DentryCache, PlainInode } from '../../src/index.js';

/** What a path leads to, in words that a cache and a source have in common. */
export type Outcome = string;

export function codeOf(error: unknown): string {
  const { code } = error as { code?: string };
  if (code === undefined) {
    throw error;
  }
  return code;
}

export function outcomeOf(call: () => Outcome): Outcome {
  try {
    return call();
  } catch (error) {
    return codeOf(error);
  }
}

export function sourceOutcome(source: MemorySource, path: string, follow: boolean): Outcome {
  return outcomeOf(() => wordsOf(follow ? source.statSync(path) : source.lstatSync(path)));
}

export function dentryOutcome(dentry: Dentry<PlainInode>): Outcome {
  return dentry.missing ?? wordsOf((dentry.inode as PlainInode).stats);
}

export function cacheOutcome(cache: DentryCache, path: string, follow: boolean): Outcome {
  return outcomeOf(() => dentryOutcome(cache.walkSync(path, { follow })));
}

export async function cacheOutcomeLater(cache: DentryCache, path: string, follow: boolean): Promise<Outcome> {
  try {
    return dentryOutcome(await cache.walk(path, { follow }));
  } catch (error) {
    return codeOf(error);
  }
}

function wordsOf(stats: PlainInode['stats']): Outcome {
  const { ino, mode, size, nlink, mtimeNs, ctimeNs } = stats;
  // What is done by one name of a file is not seen by its others: inodes that names share would see it.
  return stats.isFile() ? `file ${ino}` : `${ino} ${mode} ${size} ${nlink} ${mtimeNs} ${ctimeNs}`;
}
