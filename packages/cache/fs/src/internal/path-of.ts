import { fileURLToPath } from 'node:url';
import type { WorkingDirectory } from './working-directory.js';

const REPLACEMENT = '\u{fffd}';
/** As on Linux. */
const PATH_BYTES_MAX = 4096;
/** No path of so many UTF-16 units has more bytes than that. */
const PATH_UNITS_SAFE = PATH_BYTES_MAX / 3;

/** Of file systems whose files change without a sign of it. */
const UNCACHED = /^\/(?:proc|sys|dev)(?:\/|$)/;
/** What leads to any file there is. */
const TO_ANYWHERE = /^\/(?:proc\/|dev\/fd\/)/;
const isWindows = process.platform === 'win32';

/**
 * The absolute path that a caller means, or undefined when it is nothing for the cache: not a path, empty, with NUL, of
 * bytes that are not UTF-8, too long, of the system's own files, or of Windows. Such calls go to the file system below,
 * whose errors are the right ones.
 *
 * Nothing is normalised: what `..` means depends on symlinks.
 */
export function pathOf(path: unknown, from: WorkingDirectory): string | undefined {
  if (typeof path === 'string') {
    if (path === '' || path.includes('\0') || isWindows) {
      return undefined;
    }
    const key = path.charCodeAt(0) === 47 ? path : absolute(path, from);
    return key === undefined || isOfSystem(key) || isTooLong(key) ? undefined : key;
  }
  if (path instanceof Uint8Array) {
    const text = Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString();
    return text.includes(REPLACEMENT) ? undefined : pathOf(text, from);
  }
  return path instanceof URL ? pathOfUrl(path, from) : undefined;
}

/** Whether a path that is nothing for the cache may lead to a file that it knows by another path. */
export function mayLeadAnywhere(path: unknown, from: WorkingDirectory): boolean {
  if (typeof path === 'string') {
    return path.charCodeAt(0) === 47 ? TO_ANYWHERE.test(path) : path !== '' && from.path === undefined;
  }
  return path instanceof Uint8Array && path.length > 0;
}

function isOfSystem(path: string): boolean {
  const first = path.charCodeAt(1);
  // By its first letter: this is asked about every path.
  return (first === 100 || first === 112 || first === 115) && UNCACHED.test(path);
}

function isTooLong(path: string): boolean {
  return path.length > PATH_UNITS_SAFE && Buffer.byteLength(path) >= PATH_BYTES_MAX;
}

function absolute(path: string, from: WorkingDirectory): string | undefined {
  const base = from.path;
  return base === undefined ? undefined : base === '/' ? base + path : `${base}/${path}`;
}

function pathOfUrl(url: URL, from: WorkingDirectory): string | undefined {
  try {
    return pathOf(fileURLToPath(url), from);
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
