import type { BigIntStats } from 'node:fs';
import type { SourceFile } from '../file-system-source.js';
import { systemError } from '../system-error.js';
import { each } from './buffers.js';
import { BIG, toBigStats } from './forms.js';
import type { NodeHandleLike } from './node-fs.js';
import { unsupported } from './unsupported.js';

/** A file of a file system that opens by promises alone: it has no synchronous calls. */
export class HandleFile implements SourceFile {
  readonly #handle: NodeHandleLike;
  #closed = false;
  readonly fd: number;

  constructor(handle: NodeHandleLike) {
    this.#handle = handle;
    this.fd = handle.fd;
  }

  async stat(): Promise<BigIntStats> {
    return toBigStats(await this.#open('fstat').stat(BIG));
  }

  statSync(): never {
    throw unsupported('fstat', 'fstatSync');
  }

  async read(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const handle = this.#open('read');
    if (handle.readv !== undefined) {
      return (await handle.readv(buffers, position)).bytesRead;
    }
    return each(
      buffers,
      position,
      async (buffer, at) => (await handle.read(buffer, 0, buffer.byteLength, at)).bytesRead,
    );
  }

  readSync(): never {
    throw unsupported('read', 'readvSync and no readSync');
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    const handle = this.#open('write');
    if (handle.writev !== undefined) {
      return (await handle.writev(buffers, position)).bytesWritten;
    }
    return each(
      buffers,
      position,
      async (buffer, at) => (await handle.write(buffer, 0, buffer.byteLength, at)).bytesWritten,
    );
  }

  writeSync(): never {
    throw unsupported('write', 'writevSync and no writeSync');
  }

  async datasync(): Promise<void> {
    const handle = this.#open('fdatasync');
    if (handle.datasync === undefined && handle.sync === undefined) {
      throw unsupported('fdatasync', 'FileHandle.datasync and no FileHandle.sync');
    }
    await (handle.datasync === undefined ? handle.sync?.() : handle.datasync());
  }

  datasyncSync(): never {
    throw unsupported('fdatasync', 'fdatasyncSync and no fsyncSync');
  }

  async truncate(bytes: number): Promise<void> {
    await this.#open('ftruncate').truncate(bytes);
  }

  truncateSync(): never {
    throw unsupported('ftruncate', 'ftruncateSync');
  }

  async close(): Promise<void> {
    const handle = this.#open('close');
    this.#closed = true;
    await handle.close();
  }

  closeSync(): never {
    throw unsupported('close', 'closeSync');
  }

  #open(syscall: string): NodeHandleLike {
    if (this.#closed) {
      throw systemError('EBADF', syscall);
    }
    return this.#handle;
  }
}
