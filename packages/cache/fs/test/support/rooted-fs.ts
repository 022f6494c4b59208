import { isAbsolute, join, resolve } from 'node:path';
import type { NodeFs } from '@cache/fs';

type Call = (...args: unknown[]) => unknown;

/** How many of its first arguments are paths, if any are. */
const PATHS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    (
      'access appendFile chmod chown createReadStream createWriteStream exists lchmod lchown lstat lutimes mkdir ' +
      'mkdtemp open opendir readFile readdir readlink realpath rm rmdir stat statfs truncate unlink unwatchFile utimes ' +
      'watch watchFile writeFile'
    )
      .split(' ')
      .map((name) => [name, 1]),
  ),
  copyFile: 2,
  cp: 2,
  link: 2,
  rename: 2,
  symlink: 2,
};
/** What answers with a path. */
const ANSWERS = new Set(['realpath', 'mkdtemp', 'readlink', 'mkdir']);
/** Whose last argument is called more than once, and must be known again. */
const LISTENED = new Set(['watch', 'watchFile', 'unwatchFile']);

/** A file system as it would be for a process whose root, and working directory, are `root`. */
export function rootedFs(fs: NodeFs, root: string): NodeFs {
  const inner = (path: unknown): unknown => {
    if (path instanceof URL) {
      return join(root, decodeURIComponent(path.pathname));
    }
    if (typeof path !== 'string' && !(path instanceof Uint8Array)) {
      return path;
    }
    const text = typeof path === 'string' ? path : Buffer.from(path).toString();
    const own = text === '' ? text : `${join(root, resolve('/', text))}${/.\/$/.test(text) ? '/' : ''}`;
    return typeof path === 'string' ? own : Buffer.from(own);
  };
  const outer = (text: string): string =>
    text === root ? '/' : text.startsWith(`${root}/`) ? text.slice(root.length) : text;

  const argsOf = (name: string, args: readonly unknown[]): unknown[] =>
    args.map((arg, index) => {
      const isTarget = name === 'symlink' && index === 0;
      return index >= (PATHS[name] ?? 0) || (isTarget && !isAbsolute(String(arg))) ? arg : inner(arg);
    });
  const answerOf = (name: string, value: unknown): unknown => {
    if (ANSWERS.has(name) && typeof value === 'string') {
      return outer(value);
    }
    for (const entry of name === 'readdir' && Array.isArray(value) ? (value as unknown[]) : []) {
      if (typeof entry === 'object' && entry !== null && 'parentPath' in entry) {
        Object.assign(entry, { parentPath: outer(entry.parentPath as string) });
      }
    }
    return value;
  };
  const errorOf = (error: unknown): unknown => {
    if (error instanceof Error) {
      const { path, dest } = error as { path?: unknown; dest?: unknown };
      error.message = error.message.replaceAll(root, '');
      Object.assign(error, typeof path === 'string' && { path: outer(path) });
      Object.assign(error, typeof dest === 'string' && { dest: outer(dest) });
    }
    return error;
  };

  const called =
    (name: string, call: Call): Call =>
    (...given) => {
      const args = argsOf(name, given);
      const callback = args.at(-1);
      if (typeof callback === 'function' && !LISTENED.has(name)) {
        args[args.length - 1] = (error: unknown, value: unknown, ...more: unknown[]): void =>
          (callback as Call)(errorOf(error), answerOf(name, value), ...more) as void;
      }
      try {
        return answerOf(name, call(...args));
      } catch (error) {
        throw errorOf(error);
      }
    };
  const promised =
    (name: string, call: Call): Call =>
    async (...given) => {
      try {
        return answerOf(name, await call(...argsOf(name, given)));
      } catch (error) {
        throw errorOf(error);
      }
    };

  const rooted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fs)) {
    rooted[name] =
      typeof value === 'function' && /^[a-z]/.test(name) ? called(name.replace(/Sync$/, ''), value as Call) : value;
  }
  const promises: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fs.promises)) {
    // What watches is no promise.
    promises[name] =
      typeof value === 'function' ? (name === 'watch' ? called : promised)(name, value as Call) : (value as unknown);
  }
  return { ...rooted, promises } as unknown as NodeFs;
}
