import type { BigIntStats } from 'node:fs';
import type { SourceFile } from '../file-system-source.js';
import { systemError } from '../system-error.js';
import { each, eachSync } from './buffers.js';
import { attempt, BIG, promised, toBigStats } from './forms.js';
import type { NodeFsLike } from './node-fs.js';
import { unsupported } from './unsupported.js';

/** A file by its descriptor. */
export class DescriptorFile implements SourceFile {
  readonly fd: number;
  readonly #fs: NodeFsLike;
  // The number may be another file's once it is closed, so no call may reach the file system then.
  #closed = false;

  constructor(fs: NodeFsLike, fd: number) {
    this.#fs = fs;
    this.fd = fd;
  }

  async stat(): Promise<BigIntStats> {
    this.#open('fstat');
    const { fd } = this;
    const fs = this.#fs;
    if (fs.fstat === undefined) {
      return this.statSync();
    }
    return toBigStats(await promised((callback) => fs.fstat?.(fd, BIG, callback)));
  }

  statSync(): BigIntStats {
    this.#open('fstat');
    const fs = this.#fs;
    if (fs.fstatSync === undefined) {
      throw unsupported('fstat', 'fstatSync');
    }
    return toBigStats(fs.fstatSync(this.fd, BIG));
  }

  async read(buffers: readonly Uint8Array[], position: number): Promise<number> {
    this.#open('read');
    const { fd } = this;
    const fs = this.#fs;
    if (fs.readv !== undefined) {
      return promised((callback) => fs.readv?.(fd, buffers, position, callback));
    }
    if (fs.read !== undefined) {
      return each(buffers, position, (buffer, at) =>
        promised((callback) => fs.read?.(fd, buffer, 0, buffer.byteLength, at, callback)),
      );
    }
    return this.readSync(buffers, position);
  }

  readSync(buffers: readonly Uint8Array[], position: number): number {
    this.#open('read');
    const { fd } = this;
    const fs = this.#fs;
    if (fs.readvSync !== undefined) {
      return fs.readvSync(fd, buffers, position);
    }
    const { readSync } = fs;
    if (readSync === undefined) {
      throw unsupported('read', 'readvSync and no readSync');
    }
    return eachSync(buffers, position, (buffer, at) => readSync.call(fs, fd, buffer, 0, buffer.byteLength, at));
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    this.#open('write');
    const { fd } = this;
    const fs = this.#fs;
    if (fs.writev !== undefined) {
      return promised((callback) => fs.writev?.(fd, buffers, position, callback));
    }
    if (fs.write !== undefined) {
      return each(buffers, position, (buffer, at) =>
        promised((callback) => fs.write?.(fd, buffer, 0, buffer.byteLength, at, callback)),
      );
    }
    return this.writeSync(buffers, position);
  }

  writeSync(buffers: readonly Uint8Array[], position: number): number {
    this.#open('write');
    const { fd } = this;
    const fs = this.#fs;
    if (fs.writevSync !== undefined) {
      return fs.writevSync(fd, buffers, position);
    }
    const { writeSync } = fs;
    if (writeSync === undefined) {
      throw unsupported('write', 'writevSync and no writeSync');
    }
    return eachSync(buffers, position, (buffer, at) => writeSync.call(fs, fd, buffer, 0, buffer.byteLength, at));
  }

  async datasync(): Promise<void> {
    this.#open('fdatasync');
    const fs = this.#fs;
    const { fd } = this;
    // Where data alone cannot be synced, all of the file can.
    if (fs.fdatasync !== undefined) {
      return promised((callback) => fs.fdatasync?.(fd, callback));
    }
    if (fs.fsync !== undefined) {
      return promised((callback) => fs.fsync?.(fd, callback));
    }
    return this.datasyncSync();
  }

  datasyncSync(): void {
    this.#open('fdatasync');
    const fs = this.#fs;
    if (fs.fdatasyncSync !== undefined) {
      fs.fdatasyncSync(this.fd);
    } else if (fs.fsyncSync !== undefined) {
      fs.fsyncSync(this.fd);
    } else {
      throw unsupported('fdatasync', 'fdatasyncSync and no fsyncSync');
    }
  }

  async truncate(bytes: number): Promise<void> {
    this.#open('ftruncate');
    const fs = this.#fs;
    if (fs.ftruncate === undefined) {
      return this.truncateSync(bytes);
    }
    return promised((callback) => fs.ftruncate?.(this.fd, bytes, callback));
  }

  truncateSync(bytes: number): void {
    this.#open('ftruncate');
    const fs = this.#fs;
    if (fs.ftruncateSync === undefined) {
      throw unsupported('ftruncate', 'ftruncateSync');
    }
    fs.ftruncateSync(this.fd, bytes);
  }

  async close(): Promise<void> {
    this.#open('close');
    const fs = this.#fs;
    const { fd } = this;
    if (fs.close === undefined) {
      return attempt(() => this.closeSync());
    }
    this.#closed = true;
    return promised((callback) => fs.close?.(fd, callback));
  }

  closeSync(): void {
    this.#open('close');
    const fs = this.#fs;
    if (fs.closeSync === undefined) {
      throw unsupported('close', 'closeSync');
    }
    this.#closed = true;
    fs.closeSync(this.fd);
  }

  #open(syscall: string): void {
    if (this.#closed) {
      throw systemError('EBADF', syscall);
    }
  }
}
