import { fileURLToPath } from 'node:url';
import { systemError } from '@core/fs-source';

/** The error that node gives, on behalf of the system, for a call that was answered from the cache. */
export function failure(code: 'ENOENT' | 'EINVAL', syscall: string, path: unknown): Error {
  return systemError(code, syscall, textOf(path));
}

/**
 * As {@link failure}, without a stack: for a caller who is answered later, where node's errors have none either, and for
 * one who is told of thousands of names that are not there, as resolvers are. To take down the stack costs six times as
 * much as all the rest of such an answer.
 */
export function bareFailure(code: 'ENOENT' | 'EINVAL', syscall: string, path: unknown): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return failure(code, syscall, path);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** As node's errors show a path. */
function textOf(path: unknown): string {
  if (path instanceof URL) {
    return fileURLToPath(path);
  }
  return path instanceof Uint8Array ? Buffer.from(path).toString() : String(path);
}
