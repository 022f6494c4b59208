import { FsSourceError } from '../fs-source-error.js';

/** The error for a call that a file system of node's shape has in no form that would do. */
export function unsupported(action: string, missing: string): FsSourceError {
  return new FsSourceError(
    'ERR_FS_SOURCE_UNSUPPORTED',
    `Cannot ${action}: the file system has no ${missing}; pass one that has, or use the other form of the call`,
  );
}
