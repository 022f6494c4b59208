import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** An error of a system call, as node:fs throws it. */
export interface SystemError extends Error {
  /** Such as `ENOENT`. */
  code: string;
  /** The negative number of the code on this platform. */
  errno: number;
  syscall: string;
  path?: string;
  dest?: string;
}

let messages: Map<string, readonly [errno: number, message: string]> | null = null;

function known(code: string): readonly [errno: number, message: string] {
  messages ??= new Map([...getSystemErrorMap()].map(([errno, [name, message]]) => [name, [errno, message] as const]));
  const found = messages.get(code);
  if (found !== undefined) {
    return found;
  }
  const errno = (constants.errno as Readonly<Record<string, number | undefined>>)[code];
  return [errno === undefined ? 0 : -errno, 'unknown error'];
}

/**
 * Makes the error that node:fs throws for a failed call: same message, `code`, `errno`, `syscall`, `path` and `dest`.
 *
 * @param code such as `ENOENT`; of one that the platform does not know, `errno` is 0
 * @param syscall as node names it: `lstat`, `scandir`, `open`, …
 * @param path absent for calls on a descriptor
 * @param dest the second path, of `rename`, `link` and `symlink`
 */
export function systemError(code: string, syscall: string, path?: string, dest?: string): SystemError {
  const [errno, message] = known(code);
  const from = path === undefined ? '' : ` '${path}'`;
  const to = dest === undefined ? '' : ` -> '${dest}'`;
  const error = new Error(`${code}: ${message}, ${syscall}${from}${to}`) as SystemError;
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  if (path !== undefined) {
    error.path = path;
  }
  if (dest !== undefined) {
    error.dest = dest;
  }
  return error;
}
