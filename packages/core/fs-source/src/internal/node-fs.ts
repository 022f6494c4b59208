import type { BigIntStats, Dirent, Stats } from 'node:fs';
import type { FileKind } from '../file-system-source.js';

type Callback<T> = (error: Error | null, value: T) => void;
export type AnyStats = BigIntStats | Stats;
export type AnyEntry = string | Dirent;

const BIG = { bigint: true } as const;
const TYPED = { withFileTypes: true } as const;

/** As much of a `FileHandle` as is called. */
export interface NodeHandleLike {
  readonly fd: number;
  stat(options: typeof BIG): Promise<AnyStats>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  write(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  readv?(buffers: readonly Uint8Array[], position: number): Promise<{ bytesRead: number }>;
  writev?(buffers: readonly Uint8Array[], position: number): Promise<{ bytesWritten: number }>;
  datasync?(): Promise<void>;
  sync?(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** What {@link nodeSource} calls of `fs.promises`. */
export interface NodePromisesLike {
  lstat?(path: string, options: typeof BIG): Promise<AnyStats>;
  readdir?(path: string, options: typeof TYPED): Promise<readonly AnyEntry[]>;
  readlink?(path: string): Promise<string>;
  open?(path: string, flags: number, mode?: number): Promise<NodeHandleLike>;
}

/** What {@link nodeSource} calls of a module of node:fs's shape. Any form may be missing; see there. */
export interface NodeFsLike {
  promises?: NodePromisesLike;

  lstat?(path: string, options: typeof BIG, callback: Callback<AnyStats>): void;
  lstatSync?(path: string, options: typeof BIG): AnyStats | undefined;
  readdir?(path: string, options: typeof TYPED, callback: Callback<readonly AnyEntry[]>): void;
  readdirSync?(path: string, options: typeof TYPED): readonly AnyEntry[];
  readlink?(path: string, callback: Callback<string>): void;
  readlinkSync?(path: string): string;
  open?(path: string, flags: number, mode: number, callback: Callback<number>): void;
  openSync?(path: string, flags: number, mode?: number): number;

  fstat?(fd: number, options: typeof BIG, callback: Callback<AnyStats>): void;
  fstatSync?(fd: number, options: typeof BIG): AnyStats;
  read?(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: Callback<number>,
  ): void;
  readSync?(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  readv?(fd: number, buffers: readonly Uint8Array[], position: number, callback: Callback<number>): void;
  readvSync?(fd: number, buffers: readonly Uint8Array[], position: number): number;
  write?(
    fd: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: Callback<number>,
  ): void;
  writeSync?(fd: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  writev?(fd: number, buffers: readonly Uint8Array[], position: number, callback: Callback<number>): void;
  writevSync?(fd: number, buffers: readonly Uint8Array[], position: number): number;
  fdatasync?(fd: number, callback: Callback<void>): void;
  fdatasyncSync?(fd: number): void;
  fsync?(fd: number, callback: Callback<void>): void;
  fsyncSync?(fd: number): void;
  ftruncate?(fd: number, bytes: number, callback: Callback<void>): void;
  ftruncateSync?(fd: number, bytes: number): void;
  close?(fd: number, callback: Callback<void>): void;
  closeSync?(fd: number): void;
}

/** The kind that an entry or stats tell by their methods. */
export function kindOf(entry: Dirent): FileKind {
  if (entry.isFile()) {
    return 'file';
  }
  if (entry.isDirectory()) {
    return 'directory';
  }
  if (entry.isSymbolicLink()) {
    return 'symlink';
  }
  // What is rare is missing in some file systems of node's shape.
  if (entry.isFIFO?.()) {
    return 'fifo';
  }
  if (entry.isSocket?.()) {
    return 'socket';
  }
  if (entry.isCharacterDevice?.()) {
    return 'character-device';
  }
  return entry.isBlockDevice?.() ? 'block-device' : 'unknown';
}
