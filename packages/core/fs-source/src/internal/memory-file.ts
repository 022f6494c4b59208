import { type BigIntStats, constants } from 'node:fs';
import type { SourceFile } from '../file-system-source.js';
import { systemError } from '../system-error.js';
import { bytesOf } from './buffers.js';
import { attempt } from './forms.js';
import type { MemoryInode } from './memory-inode.js';
import type { MemoryTree } from './memory-tree.js';

const { O_ACCMODE, O_APPEND, O_RDONLY, O_WRONLY } = { O_ACCMODE: 3, ...constants };

/** A file of memory that is open. It keeps its inode when the last name of it is gone. */
export class MemoryFile implements SourceFile {
  readonly fd: number;
  readonly #tree: MemoryTree;
  readonly #inode: MemoryInode;
  readonly #flags: number;
  readonly #onClose: (fd: number) => void;
  #closed = false;

  constructor(tree: MemoryTree, inode: MemoryInode, fd: number, flags: number, onClose: (fd: number) => void) {
    this.#tree = tree;
    this.#inode = inode;
    this.fd = fd;
    this.#flags = flags;
    this.#onClose = onClose;
    inode.opened++;
  }

  stat(): Promise<BigIntStats> {
    return attempt(() => this.statSync());
  }

  statSync(): BigIntStats {
    this.#open('fstat');
    return this.#inode.stats();
  }

  read(buffers: readonly Uint8Array[], position: number): Promise<number> {
    return attempt(() => this.readSync(buffers, position));
  }

  readSync(buffers: readonly Uint8Array[], position: number): number {
    this.#open('read');
    if ((this.#flags & O_ACCMODE) === O_WRONLY) {
      throw systemError('EBADF', 'read');
    }
    if (this.#inode.kind === 'directory') {
      throw systemError('EISDIR', 'read');
    }
    const inode = this.#inode;
    let at = position;
    for (const buffer of buffers) {
      const bytes = Math.min(buffer.byteLength, inode.size - at);
      if (bytes <= 0) {
        break;
      }
      buffer.set(inode.data.subarray(at, at + bytes));
      at += bytes;
    }
    return at - position;
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    return attempt(() => this.writeSync(buffers, position));
  }

  writeSync(buffers: readonly Uint8Array[], position: number): number {
    this.#writable('write', 'EBADF');
    const inode = this.#inode;
    const bytes = bytesOf(buffers);
    let at = (this.#flags & O_APPEND) === 0 ? position : inode.size;
    if (bytes > 0 && at + bytes > inode.size) {
      inode.resize(at + bytes);
    }
    for (const buffer of buffers) {
      inode.data.set(buffer, at);
      at += buffer.byteLength;
    }
    if (bytes > 0) {
      this.#tree.touch(inode);
    }
    return bytes;
  }

  datasync(): Promise<void> {
    return attempt(() => this.datasyncSync());
  }

  datasyncSync(): void {
    this.#open('fdatasync');
  }

  truncate(bytes: number): Promise<void> {
    return attempt(() => this.truncateSync(bytes));
  }

  truncateSync(bytes: number): void {
    this.#writable('ftruncate', 'EINVAL');
    this.#inode.resize(bytes);
    this.#tree.touch(this.#inode);
  }

  close(): Promise<void> {
    return attempt(() => this.closeSync());
  }

  closeSync(): void {
    this.#open('close');
    this.#closed = true;
    this.#inode.opened--;
    this.#tree.dropIfUnused(this.#inode);
    this.#onClose(this.fd);
  }

  #open(syscall: string): void {
    if (this.#closed) {
      throw systemError('EBADF', syscall);
    }
  }

  #writable(syscall: string, otherwise: string): void {
    this.#open(syscall);
    if ((this.#flags & O_ACCMODE) === O_RDONLY) {
      throw systemError(otherwise, syscall);
    }
  }
}
