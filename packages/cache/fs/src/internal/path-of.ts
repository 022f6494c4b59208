import { fileURLToPath } from 'node:url';

const REPLACEMENT = '\u{fffd}';

/**
 * The absolute path that a caller means, or undefined when it is nothing for the cache: not a path, empty, with NUL, or
 * of bytes that are not UTF-8. Such calls go to the file system below, whose errors are the right ones.
 *
 * Nothing is normalised: what `..` means depends on symlinks.
 */
export function pathOf(path: unknown): string | undefined {
  if (typeof path === 'string') {
    if (path === '' || path.includes('\0')) {
      return undefined;
    }
    return path.charCodeAt(0) === 47 ? path : absolute(path);
  }
  if (path instanceof Uint8Array) {
    const text = Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString();
    return text.includes(REPLACEMENT) ? undefined : pathOf(text);
  }
  return path instanceof URL ? pathOfUrl(path) : undefined;
}

function absolute(path: string): string | undefined {
  try {
    const base = process.cwd();
    return base === '/' ? base + path : `${base}/${path}`;
  } catch {
    // The working directory is gone.
    return undefined;
  }
}

function pathOfUrl(url: URL): string | undefined {
  try {
    return pathOf(fileURLToPath(url));
  } catch {
    return undefined;
  }
}

/** The path without its last component and slashes; `/` for the root. */
export function parentOf(path: string): string {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === 47) {
    end--;
  }
  const slash = path.lastIndexOf('/', end - 1);
  return slash <= 0 ? '/' : path.slice(0, slash);
}
