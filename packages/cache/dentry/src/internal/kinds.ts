import type { BigIntStats } from 'node:fs';
import type { FileKind } from '@core/fs-source';
import { type DentryKind, KIND_DIRECTORY, KIND_FILE, KIND_NONE, KIND_OTHER, KIND_SYMLINK } from '../dentry.js';

/** @returns {@link KIND_NONE} for a kind that is not known */
export function kindOfEntry(kind: FileKind): DentryKind {
  switch (kind) {
    case 'file':
      return KIND_FILE;
    case 'directory':
      return KIND_DIRECTORY;
    case 'symlink':
      return KIND_SYMLINK;
    case 'unknown':
      return KIND_NONE;
    default:
      return KIND_OTHER;
  }
}

/** Of the other kinds it is not known which; they are looked up where that matters. */
export function entryKindOf(kind: DentryKind): FileKind {
  switch (kind) {
    case KIND_FILE:
      return 'file';
    case KIND_DIRECTORY:
      return 'directory';
    case KIND_SYMLINK:
      return 'symlink';
    default:
      return 'unknown';
  }
}

export function kindOfStats(stats: BigIntStats): DentryKind {
  if (stats.isFile()) {
    return KIND_FILE;
  }
  if (stats.isDirectory()) {
    return KIND_DIRECTORY;
  }
  return stats.isSymbolicLink() ? KIND_SYMLINK : KIND_OTHER;
}
