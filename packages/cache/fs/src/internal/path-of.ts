import { fileURLToPath } from 'node:url';

const REPLACEMENT = '\u{fffd}';
/** As on Linux. */
const PATH_BYTES_MAX = 4096;
/** No path of so many UTF-16 units has more bytes than that. */
const PATH_UNITS_SAFE = PATH_BYTES_MAX / 3;

/** Of file systems whose files change without a sign of it. */
const UNCACHED = /^\/(?:proc|sys|dev)(?:\/|$)/;
const isWindows = process.platform === 'win32';

/**
 * The absolute path that a caller means, or undefined when it is nothing for the cache: not a path, empty, with NUL, of
 * bytes that are not UTF-8, too long, of the system's own files, or of Windows. Such calls go to the file system below, whose errors are the right ones.
 *
 * Nothing is normalised: what `..` means depends on symlinks.
 */
export function pathOf(path: unknown): string | undefined {
  if (typeof path === 'string') {
    if (path === '' || path.includes('\0') || isWindows) {
      return undefined;
    }
    const key = path.charCodeAt(0) === 47 ? path : absolute(path);
    return key === undefined || isOfSystem(key) || isTooLong(key) ? undefined : key;
  }
  if (path instanceof Uint8Array) {
    const text = Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString();
    return text.includes(REPLACEMENT) ? undefined : pathOf(text);
  }
  return path instanceof URL ? pathOfUrl(path) : undefined;
}

function isOfSystem(path: string): boolean {
  const first = path.charCodeAt(1);
  // By its first letter: this is asked about every path.
  return (first === 100 || first === 112 || first === 115) && UNCACHED.test(path);
}

function isTooLong(path: string): boolean {
  return path.length > PATH_UNITS_SAFE && Buffer.byteLength(path) >= PATH_BYTES_MAX;
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
