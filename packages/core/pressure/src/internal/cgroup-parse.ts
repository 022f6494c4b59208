// The formats of the files, each as a pure function that takes any text. Formats: cgroups(7), proc(5), and the
// documents cgroup-v1/memory and cgroup-v2 of the kernel.

export type CgroupVersion = 1 | 2;

/** Where a process is, from /proc/self/cgroup. */
export interface Membership {
  /** Its path in the version 1 hierarchy that has the memory controller; null when there is none. */
  readonly v1: string | null;
  /** Its path in the version 2 hierarchy; null when there is none. */
  readonly v2: string | null;
  /** How many lines made no sense. */
  readonly malformedCount: number;
}

/** One mount of a cgroup hierarchy, from /proc/self/mountinfo. */
export interface CgroupMount {
  readonly version: CgroupVersion;
  /** Which cgroup is seen at the mount point. '/' unless only a part of the tree is mounted, as in containers. */
  readonly root: string;
  readonly mountPoint: string;
}

/** Version 1 writes "no limit" as the largest signed 64-bit number less a part of a page: from here on it is that. */
const UNLIMITED_FROM = 2 ** 62;
const DIGIT_0 = 48;
const DIGIT_9 = 57;
/** The kernel gives out no longer path. */
const PATH_CHARS_MAX = 4096;
/** What the kernel appends to the path of a process whose cgroup was removed. */
const DELETED = ' (deleted)';

/**
 * A file that holds one limit: bytes, or Infinity when there is none. Undefined when the text is no such thing; a
 * number that lacks its line end was cut off and may be any other number.
 */
export function parseLimit(text: string): number | undefined {
  if (text === 'max\n') {
    return Infinity;
  }
  const value = digitsBeforeLineEnd(text, 0);
  if (value === undefined || text.indexOf('\n') !== text.length - 1) {
    return undefined;
  }
  return value >= UNLIMITED_FROM ? Infinity : value;
}

/** A file that holds one byte count. Undefined when it does not, or one that no machine has. */
export function parseBytes(text: string): number | undefined {
  const value = parseLimit(text);
  return value !== undefined && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** The number of line `name` of a memory.stat file. Undefined when there is no such line or no number in it. */
export function statNumber(text: string, name: string): number | undefined {
  const key = `${name} `;
  const start = text.startsWith(key) ? 0 : text.indexOf(`\n${key}`) + 1;
  if (start === 0 && !text.startsWith(key)) {
    return undefined;
  }
  return digitsBeforeLineEnd(text, start + key.length);
}

/** {@link statNumber}, for byte counts. */
export function statBytes(text: string, name: string): number | undefined {
  const value = statNumber(text, name);
  return value !== undefined && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** {@link statNumber}, for limits: Infinity when there is none. */
export function statLimit(text: string, name: string): number | undefined {
  const value = statNumber(text, name);
  return value !== undefined && value >= UNLIMITED_FROM ? Infinity : value;
}

/** A number of 64 bits at most, from `start` up to a line end. */
function digitsBeforeLineEnd(text: string, start: number): number | undefined {
  let at = start;
  while (at < text.length && at - start < 20 && text.charCodeAt(at) >= DIGIT_0 && text.charCodeAt(at) <= DIGIT_9) {
    at++;
  }
  const value = at > start && text[at] === '\n' ? Number(text.slice(start, at)) : undefined;
  return value !== undefined && value <= 2 ** 64 ? value : undefined;
}

/** Reads /proc/self/cgroup: lines of `id:controllers:path`, where version 2 has id 0 and no controllers. */
export function parseMembership(text: string): Membership {
  let v1: string | null = null;
  let v2: string | null = null;
  const { lines, cutCount } = linesOf(text);
  let malformedCount = cutCount;
  for (const line of lines) {
    const first = line.indexOf(':');
    const second = line.indexOf(':', first + 1);
    const id = line.slice(0, Math.max(first, 0));
    const path = second < 0 ? '' : line.slice(second + 1);
    if (!/^\d+$/.test(id) || !path.startsWith('/') || path.length > PATH_CHARS_MAX || path.includes('\0')) {
      malformedCount++;
      continue;
    }
    const controllers = line.slice(first + 1, second);
    const alive = path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
    if (controllers === '') {
      v2 ??= alive;
    } else if (controllers.split(',').includes('memory')) {
      v1 ??= alive;
    }
  }
  return { v1, v2, malformedCount };
}

/**
 * Reads /proc/self/mountinfo: the mounts of version 2, and those of version 1 that have the memory controller. Of
 * several at one mount point only the last can be seen.
 */
export function parseMounts(text: string): {
  readonly mounts: readonly CgroupMount[];
  readonly malformedCount: number;
} {
  const byPoint = new Map<string, CgroupMount | null>();
  const { lines, cutCount } = linesOf(text);
  let malformedCount = cutCount;
  for (const line of lines) {
    // Any number of optional fields may stand before the lone dash.
    const dash = line.indexOf(' - ');
    const before = line.slice(0, Math.max(dash, 0)).split(' ');
    const after = line.slice(dash + 3).split(' ');
    const root = unescapePath(before[3] ?? '');
    const mountPoint = unescapePath(before[4] ?? '').replace(/\/+$/, '');
    const type = after[0] ?? '';
    if (dash < 0 || !(before[4] ?? '').startsWith('/') || type === '' || mountPoint.length > PATH_CHARS_MAX) {
      malformedCount++;
      continue;
    }
    byPoint.delete(mountPoint);
    if (type !== 'cgroup' && type !== 'cgroup2') {
      byPoint.set(mountPoint, null);
      continue;
    }
    const version = type === 'cgroup2' ? 2 : 1;
    const seen = version === 2 || after.slice(2).join(',').split(',').includes('memory');
    byPoint.set(mountPoint, seen ? { version, root: root === '' ? '/' : root, mountPoint } : null);
  }
  return { mounts: [...byPoint.values()].filter((mount) => mount !== null), malformedCount };
}

/** Undoes the octal escapes of mountinfo: `\040` is a space. */
function unescapePath(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The lines of a text. A last one that lacks its end was cut off, and may name another place than it did: bad. */
function linesOf(text: string): { readonly lines: readonly string[]; readonly cutCount: number } {
  const lines = text.split('\n');
  const cut = lines.pop() ?? '';
  return { lines: lines.filter((line) => line !== ''), cutCount: cut === '' ? 0 : 1 };
}
