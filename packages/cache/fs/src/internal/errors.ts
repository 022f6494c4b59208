import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** As libuv words it. */
const MESSAGE = 'no such file or directory';

interface SystemError extends Error {
  errno: number;
  code: string;
  syscall: string;
  path: string;
}

/** The error that node gives for a name that is not there, with fields in node's order. */
export function missing(syscall: string, path: string): Error {
  const error = new Error(`ENOENT: ${MESSAGE}, ${syscall} '${path}'`) as SystemError;
  error.errno = -constants.errno.ENOENT;
  error.code = 'ENOENT';
  error.syscall = syscall;
  error.path = path;
  return error;
}

/**
 * As {@link missing}, for a caller who is answered later: node's errors have no stack then, and resolvers ask for
 * thousands of names that are not there.
 */
export function missingLater(syscall: string, path: string): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return missing(syscall, path);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** As node's errors show a path. */
export function textOf(path: unknown): string {
  if (path instanceof URL) {
    return fileURLToPath(path);
  }
  return path instanceof Uint8Array ? Buffer.from(path).toString() : String(path);
}
