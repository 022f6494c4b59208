import { constants } from 'node:fs';
import type { FileKind } from '../file-system-source.js';
import { BigStats } from './big-stats.js';

const BLOCK_BYTES = 4096n;
const SECTOR_BYTES = 512n;
const MEMORY_DEV = 0x6d656dn;

/** The kinds that can be made; a directory, file or symlink has its content here as well. */
export type MemoryKind = Exclude<FileKind, 'unknown'>;

const FORMAT: Readonly<Record<MemoryKind, number>> = {
  file: constants.S_IFREG,
  directory: constants.S_IFDIR,
  symlink: constants.S_IFLNK,
  'block-device': constants.S_IFBLK,
  'character-device': constants.S_IFCHR,
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
};

/** A name in a directory. */
export interface MemoryEntry {
  /** As it was written: with lone surrogates where a real one would have bytes that are no UTF-8. */
  name: string;
  inode: MemoryInode;
}

/** A file, directory, symlink or other node. Its number is free for others once no name and no open file has it. */
export class MemoryInode {
  readonly ino: number;
  readonly kind: MemoryKind;
  readonly birthtimeNs: bigint;
  permissions: number;
  nlink = 0;
  opened = 0;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  /** Of a file: at least `size` bytes. */
  data: Uint8Array = new Uint8Array(0);
  size = 0;
  /** Of a symlink. */
  target = '';
  /** Of a directory, by the names as the file system compares them. */
  readonly entries: Map<string, MemoryEntry> | null;
  /** Of a directory. The root's is itself; a removed directory keeps the last. */
  parent: MemoryInode | null = null;

  constructor(ino: number, kind: MemoryKind, permissions: number, nowNs: bigint) {
    this.ino = ino;
    this.kind = kind;
    this.permissions = permissions;
    this.birthtimeNs = nowNs;
    this.atimeNs = nowNs;
    this.mtimeNs = nowNs;
    this.ctimeNs = nowNs;
    this.entries = kind === 'directory' ? new Map() : null;
  }

  /** Its bytes as a directory or symlink tells them. */
  get sizeBytes(): number {
    return this.kind === 'symlink' ? Buffer.byteLength(this.target) : this.size;
  }

  stats(): BigStats {
    const size = BigInt(this.sizeBytes);
    return new BigStats({
      dev: MEMORY_DEV,
      ino: BigInt(this.ino),
      mode: FORMAT[this.kind] | this.permissions,
      nlink: BigInt(this.nlink),
      uid: 0n,
      gid: 0n,
      rdev: 0n,
      size,
      blksize: BLOCK_BYTES,
      blocks: ((size + BLOCK_BYTES - 1n) / BLOCK_BYTES) * (BLOCK_BYTES / SECTOR_BYTES),
      atimeNs: this.atimeNs,
      mtimeNs: this.mtimeNs,
      ctimeNs: this.ctimeNs,
      birthtimeNs: this.birthtimeNs,
    });
  }

  resize(bytes: number): void {
    if (bytes > this.data.byteLength) {
      const grown = new Uint8Array(Math.max(bytes, this.data.byteLength * 2));
      grown.set(this.data.subarray(0, this.size));
      this.data = grown;
    } else if (bytes < this.size) {
      // What is grown over again must read as zeros.
      this.data.fill(0, bytes, this.size);
    }
    this.size = bytes;
  }
}
