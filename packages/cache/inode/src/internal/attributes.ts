import { type BigIntStats, constants } from 'node:fs';
import { InodeError } from '../inode-error.js';

const NS_PER_MS = 1_000_000n;
const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } = constants;
const KIND_BITS = BigInt(S_IFMT);

/** The file type bits of a mode: `S_IFREG`, `S_IFDIR` and so on, of node's `fs.constants`. */
export function kindOf(mode: bigint): number {
  return Number(mode & KIND_BITS);
}

/**
 * What bigint stats say, in less than half of their memory: milliseconds and dates are worked out when they are asked
 * for. Never changes.
 */
export class Attributes implements BigIntStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: bigint;
  readonly nlink: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly rdev: bigint;
  readonly size: bigint;
  readonly blksize: bigint;
  readonly blocks: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly birthtimeNs: bigint;

  constructor(stats: BigIntStats) {
    this.dev = stats.dev;
    this.ino = stats.ino;
    this.mode = stats.mode;
    this.nlink = stats.nlink;
    this.uid = stats.uid;
    this.gid = stats.gid;
    this.rdev = stats.rdev;
    this.size = stats.size;
    this.blksize = stats.blksize;
    this.blocks = stats.blocks;
    this.atimeNs = stats.atimeNs;
    this.mtimeNs = stats.mtimeNs;
    this.ctimeNs = stats.ctimeNs;
    this.birthtimeNs = stats.birthtimeNs;
  }

  get atimeMs(): bigint {
    return msOf(this.atimeNs);
  }

  get mtimeMs(): bigint {
    return msOf(this.mtimeNs);
  }

  get ctimeMs(): bigint {
    return msOf(this.ctimeNs);
  }

  get birthtimeMs(): bigint {
    return msOf(this.birthtimeNs);
  }

  get atime(): Date {
    return new Date(Number(this.atimeMs));
  }

  get mtime(): Date {
    return new Date(Number(this.mtimeMs));
  }

  get ctime(): Date {
    return new Date(Number(this.ctimeMs));
  }

  get birthtime(): Date {
    return new Date(Number(this.birthtimeMs));
  }

  isFile(): boolean {
    return kindOf(this.mode) === S_IFREG;
  }

  isDirectory(): boolean {
    return kindOf(this.mode) === S_IFDIR;
  }

  isSymbolicLink(): boolean {
    return kindOf(this.mode) === S_IFLNK;
  }

  isBlockDevice(): boolean {
    return kindOf(this.mode) === S_IFBLK;
  }

  isCharacterDevice(): boolean {
    return kindOf(this.mode) === S_IFCHR;
  }

  isFIFO(): boolean {
    return kindOf(this.mode) === S_IFIFO;
  }

  isSocket(): boolean {
    return kindOf(this.mode) === S_IFSOCK;
  }
}

/** Rounds down, before 1970 as well. */
function msOf(ns: bigint): bigint {
  return ns >= 0n ? ns / NS_PER_MS : -((NS_PER_MS - 1n - ns) / NS_PER_MS);
}

/** What a destroyed inode has for attributes: a reader that comes too late hears of it. */
export const FREED: BigIntStats = new Proxy({} as BigIntStats, {
  get() {
    throw new InodeError(
      'ERR_INODE_FREED',
      'Cannot read the attributes of an inode: it was destroyed; hold it across awaits',
    );
  },
});
