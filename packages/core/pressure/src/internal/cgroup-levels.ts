import type { ReadFault, RootedFiles } from './cgroup-files.js';
import { type CgroupVersion, parseBytes, parseLimit, statBytes, statLimit } from './cgroup-parse.js';

/** The limits of one cgroup. */
export interface LevelLimits {
  readonly dir: string;
  /** Whether the memory controller has any file here. The root of version 2 and undelegated cgroups have none. */
  readonly present: boolean;
  /** The smallest of its limits, Infinity when it has none. Undefined when not all that it has could be read. */
  readonly limitBytes: number | undefined;
  /** The smallest limit that could be read, Infinity when none. */
  readonly readBytes: number;
  /** The file that holds `readBytes`; null when that is Infinity. */
  readonly limitPath: string | null;
  /** Version 1: the smallest limit of this cgroup and all above it, also of those that can't be seen. */
  readonly hierarchicalBytes: number;
}

/** How much one cgroup uses. A path is null when its file gave nothing. */
export interface LevelUsage {
  readonly usedBytes: number | undefined;
  readonly inactiveFileBytes: number | undefined;
  readonly usagePath: string | null;
  readonly statPath: string | null;
}

interface VersionFiles {
  readonly usage: string;
  /** The file cache that the kernel drops first, of the cgroup and all below it. */
  readonly inactiveField: string;
}

const FILES: Readonly<Record<CgroupVersion, VersionFiles>> = {
  1: { usage: 'memory.usage_in_bytes', inactiveField: 'total_inactive_file' },
  2: { usage: 'memory.current', inactiveField: 'inactive_file' },
};

export const HIERARCHICAL_FIELD = 'hierarchical_memory_limit';

/** Reads the limits of the cgroup in `dir`. Whatever could not be read goes to `notes`. */
export function readLimits(files: RootedFiles, version: CgroupVersion, dir: string, notes: string[]): LevelLimits {
  return version === 1 ? readLimitsV1(files, dir, notes) : readLimitsV2(files, dir, notes);
}

function readLimitsV1(files: RootedFiles, dir: string, notes: string[]): LevelLimits {
  const limitPath = `${dir}/memory.limit_in_bytes`;
  const statPath = `${dir}/memory.stat`;
  const limitText = files.read(limitPath);
  const statText = files.read(statPath);
  const limit = noteLimit(files, limitPath, limitText, notes);
  let hierarchical: number | undefined;
  if (typeof statText === 'string') {
    hierarchical = statLimit(statText, HIERARCHICAL_FIELD);
  }
  if (hierarchical === undefined) {
    const why = typeof statText === 'string' ? `no ${HIERARCHICAL_FIELD} in it` : statText.code;
    notes.push(`Cannot read ${files.full(statPath)}: ${why}; limits above the mount are not known from it`);
  }
  return {
    dir,
    present: !isAbsent(limitText) || !isAbsent(statText),
    limitBytes: limit,
    readBytes: limit ?? Infinity,
    limitPath: (limit ?? Infinity) === Infinity ? null : limitPath,
    hierarchicalBytes: hierarchical ?? Infinity,
  };
}

function readLimitsV2(files: RootedFiles, dir: string, notes: string[]): LevelLimits {
  const maxPath = `${dir}/memory.max`;
  const highPath = `${dir}/memory.high`;
  const maxText = files.read(maxPath);
  const highText = files.read(highPath);
  // The kernel makes these files together, so they are missing by right only together.
  if (isAbsent(maxText) && isAbsent(highText) && isAbsent(files.read(`${dir}/memory.current`))) {
    const none = { limitBytes: Infinity, readBytes: Infinity, limitPath: null, hierarchicalBytes: Infinity };
    return { dir, present: false, ...none };
  }
  const max = noteLimit(files, maxPath, maxText, notes);
  const high = noteLimit(files, highPath, highText, notes);
  const readBytes = Math.min(max ?? Infinity, high ?? Infinity);
  let limitPath: string | null = null;
  if (readBytes !== Infinity) {
    limitPath = readBytes === max ? maxPath : highPath;
  }
  return {
    dir,
    present: true,
    limitBytes: max === undefined || high === undefined ? undefined : readBytes,
    readBytes,
    limitPath,
    hierarchicalBytes: Infinity,
  };
}

function noteLimit(files: RootedFiles, path: string, text: string | ReadFault, notes: string[]): number | undefined {
  const limit = typeof text === 'string' ? parseLimit(text) : undefined;
  if (limit === undefined) {
    notes.push(`Cannot read ${files.full(path)}: ${whyNot(text)}; its limit is passed over`);
  }
  return limit;
}

/** Reads how much the cgroup in `dir` uses. Whatever could not be read goes to `notes`. */
export function readUsage(files: RootedFiles, version: CgroupVersion, dir: string, notes: string[]): LevelUsage {
  const usagePath = `${dir}/${FILES[version].usage}`;
  const statPath = `${dir}/memory.stat`;
  const usageText = files.read(usagePath);
  const statText = files.read(statPath);
  const usedBytes = typeof usageText === 'string' ? parseBytes(usageText) : undefined;
  const inactiveFileBytes = typeof statText === 'string' ? inactiveIn(statText, version) : undefined;
  if (usedBytes === undefined) {
    notes.push(`Cannot read ${files.full(usagePath)}: ${whyNot(usageText)}; the usage is not known`);
  } else if (inactiveFileBytes === undefined) {
    const why = typeof statText === 'string' ? `no ${FILES[version].inactiveField} in it` : statText.code;
    notes.push(`Cannot read ${files.full(statPath)}: ${why}; file cache is counted as used`);
  }
  return {
    usedBytes,
    inactiveFileBytes,
    usagePath: usedBytes === undefined ? null : usagePath,
    statPath: inactiveFileBytes === undefined ? null : statPath,
  };
}

/** The inactive file cache of a memory.stat text, in bytes. */
export function inactiveIn(statText: string, version: CgroupVersion): number | undefined {
  return statBytes(statText, FILES[version].inactiveField);
}

/** What of the usage can't be had back from the file cache at once. */
export function workingBytes(usedBytes: number, inactiveFileBytes: number | undefined): number {
  return Math.max(0, usedBytes - (inactiveFileBytes ?? 0));
}

function isAbsent(text: string | ReadFault): boolean {
  return typeof text !== 'string' && text.absent;
}

function whyNot(text: string | ReadFault): string {
  if (typeof text !== 'string') {
    return text.code;
  }
  return text === '' ? 'it is empty' : 'it holds no byte count';
}
