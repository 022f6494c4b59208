import { type BigIntStats, constants, type Stats } from 'node:fs';

const { S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK, S_IFBLK, S_IFCHR } = constants;
const NS_PER_MS = 1_000_000n;

/** What stats are made of. Times are in nanoseconds since the epoch. */
export interface StatsFields {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: number;
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
}

/** Stats with the fields and methods of node's, which offers no way to make one. */
export class BigStats implements BigIntStats {
  dev: bigint;
  ino: bigint;
  mode: bigint;
  nlink: bigint;
  uid: bigint;
  gid: bigint;
  rdev: bigint;
  size: bigint;
  blksize: bigint;
  blocks: bigint;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  birthtimeNs: bigint;
  atimeMs: bigint;
  mtimeMs: bigint;
  ctimeMs: bigint;
  birthtimeMs: bigint;
  atime: Date;
  mtime: Date;
  ctime: Date;
  birthtime: Date;

  constructor(fields: StatsFields) {
    this.dev = fields.dev;
    this.ino = fields.ino;
    this.mode = BigInt(fields.mode);
    this.nlink = fields.nlink;
    this.uid = fields.uid;
    this.gid = fields.gid;
    this.rdev = fields.rdev;
    this.size = fields.size;
    this.blksize = fields.blksize;
    this.blocks = fields.blocks;
    this.atimeNs = fields.atimeNs;
    this.mtimeNs = fields.mtimeNs;
    this.ctimeNs = fields.ctimeNs;
    this.birthtimeNs = fields.birthtimeNs;
    this.atimeMs = fields.atimeNs / NS_PER_MS;
    this.mtimeMs = fields.mtimeNs / NS_PER_MS;
    this.ctimeMs = fields.ctimeNs / NS_PER_MS;
    this.birthtimeMs = fields.birthtimeNs / NS_PER_MS;
    this.atime = new Date(Number(this.atimeMs));
    this.mtime = new Date(Number(this.mtimeMs));
    this.ctime = new Date(Number(this.ctimeMs));
    this.birthtime = new Date(Number(this.birthtimeMs));
  }

  isFile(): boolean {
    return this.is(S_IFREG);
  }

  isDirectory(): boolean {
    return this.is(S_IFDIR);
  }

  isSymbolicLink(): boolean {
    return this.is(S_IFLNK);
  }

  isFIFO(): boolean {
    return this.is(S_IFIFO);
  }

  isSocket(): boolean {
    return this.is(S_IFSOCK);
  }

  isBlockDevice(): boolean {
    return this.is(S_IFBLK);
  }

  isCharacterDevice(): boolean {
    return this.is(S_IFCHR);
  }

  private is(kind: number): boolean {
    return (Number(this.mode) & S_IFMT) === kind;
  }
}

/** Milliseconds with a fraction as nanoseconds: the whole part apart, since all of it is more than a double holds. */
export function nsOfMs(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * NS_PER_MS + BigInt(Math.floor((ms - whole) * 1e6));
}

function big(value: number | undefined): bigint {
  return value === undefined || !Number.isFinite(value) ? 0n : BigInt(Math.trunc(value));
}

/** The stats of a file system that knows no bigint ones. */
export function bigStatsOf(stats: Stats): BigIntStats {
  return new BigStats({
    dev: big(stats.dev),
    ino: big(stats.ino),
    mode: stats.mode | (stats.mode & S_IFMT ? 0 : kindBits(stats)),
    nlink: big(stats.nlink),
    uid: big(stats.uid),
    gid: big(stats.gid),
    rdev: big(stats.rdev),
    size: big(stats.size),
    blksize: big(stats.blksize),
    blocks: big(stats.blocks),
    atimeNs: timeOf(stats.atimeMs, stats.atime),
    mtimeNs: timeOf(stats.mtimeMs, stats.mtime),
    ctimeNs: timeOf(stats.ctimeMs, stats.ctime),
    birthtimeNs: timeOf(stats.birthtimeMs, stats.birthtime),
  });
}

function timeOf(ms: number | undefined, date: Date | undefined): bigint {
  const time = ms ?? date?.getTime() ?? 0;
  return Number.isFinite(time) ? nsOfMs(time) : 0n;
}

/** Some file systems tell the kind by methods alone. */
function kindBits(stats: Stats): number {
  return stats.isDirectory() ? S_IFDIR : stats.isSymbolicLink?.() ? S_IFLNK : stats.isFile() ? S_IFREG : 0;
}
