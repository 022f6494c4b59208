import type { BigIntStats } from 'node:fs';

const NS_PER_MS = 1_000_000;
const NS_PER_SECOND = 1_000_000_000n;
/** Two seconds, as FAT counts, for stamps that are all whole seconds. */
const COARSE_MS = 2000;
/** Several ticks of the slowest kernel clock, and some difference between clocks. */
const FINE_MS = 100;

/** Whether both tell of the same contents: the change stamp of size, mtime, ctime and inode number. */
export function sameStamp(a: BigIntStats, b: BigIntStats): boolean {
  return a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.size === b.size && a.ino === b.ino;
}

/** Whether all is the same but the time of the last access. */
export function sameAttributes(a: BigIntStats, b: BigIntStats): boolean {
  return (
    sameStamp(a, b) &&
    a.mode === b.mode &&
    a.nlink === b.nlink &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.blocks === b.blocks &&
    a.rdev === b.rdev
  );
}

/** Milliseconds within which a file may change twice and have the same stamp. */
export function granularityMs(stats: BigIntStats): number {
  return stats.mtimeNs % NS_PER_SECOND === 0n && stats.ctimeNs % NS_PER_SECOND === 0n ? COARSE_MS : FINE_MS;
}

/** Whether the last change was so long before `wallMs` that a later one must have another stamp. */
export function isOld(stats: BigIntStats, granularity: number, wallMs: number): boolean {
  const newest = stats.mtimeNs > stats.ctimeNs ? stats.mtimeNs : stats.ctimeNs;
  return Number(newest) / NS_PER_MS + granularity <= wallMs;
}
