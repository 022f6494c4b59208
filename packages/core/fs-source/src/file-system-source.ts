import type { BigIntStats } from 'node:fs';

/** What a directory says of an entry without a look at its inode. `unknown`: some file systems do not say. */
export type FileKind =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'block-device'
  | 'character-device'
  | 'fifo'
  | 'socket'
  | 'unknown';

export interface DirectoryEntry {
  /** Without any separator. A name that is not UTF-8 has U+FFFD where bytes could not be read. */
  readonly name: string;
  readonly kind: FileKind;
}

/**
 * The file system as caches see it. Paths are absolute, of `/` between names, and normalised by the caller (no `.`, `..`
 * or empty component; but a cache asks for `..` of a directory, to see whether it may be searched). Each call exists twice: synchronous, and as a promise. A call that fails throws, or rejects
 * with, an error like node's, with `code`, `errno`, `syscall` and `path`. Nothing here caches.
 */
export interface FileSystemSource {
  /** False where `A` and `a` name the same entry. */
  readonly caseSensitive: boolean;

  lstat(path: string): Promise<BigIntStats>;
  lstatSync(path: string): BigIntStats;
  /** All entries, in the order of the source. */
  readdir(path: string): Promise<readonly DirectoryEntry[]>;
  readdirSync(path: string): readonly DirectoryEntry[];
  /** The target as it was written. */
  readlink(path: string): Promise<string>;
  readlinkSync(path: string): string;

  /** @param flags as of `open(2)`: `constants.O_RDONLY | …` @param mode of a file that is made, default 0o666 */
  open(path: string, flags: number, mode?: number): Promise<SourceFile>;
  openSync(path: string, flags: number, mode?: number): SourceFile;
}

/** A file that is open. Closed once; a call after that fails with `EBADF`. */
export interface SourceFile {
  /** Of the source: a descriptor of the process for node's file system, some number of its own for others. */
  readonly fd: number;

  stat(): Promise<BigIntStats>;
  statSync(): BigIntStats;
  /**
   * Reads into the buffers, one after the other (`preadv(2)`).
   *
   * @param position in bytes from the file's start
   * @returns bytes read, fewer than asked only at the file's end, or where the source reads short; 0 at the end
   */
  read(buffers: readonly Uint8Array[], position: number): Promise<number>;
  readSync(buffers: readonly Uint8Array[], position: number): number;
  /** Writes all buffers, one after the other (`pwritev(2)`). @returns bytes written: may be fewer */
  write(buffers: readonly Uint8Array[], position: number): Promise<number>;
  writeSync(buffers: readonly Uint8Array[], position: number): number;
  /** `fdatasync(2)` */
  datasync(): Promise<void>;
  datasyncSync(): void;
  truncate(bytes: number): Promise<void>;
  truncateSync(bytes: number): void;
  close(): Promise<void>;
  closeSync(): void;
}
