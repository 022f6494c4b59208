import fs from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import type { JournalFile, JournalFiles, JournalLock } from './journal-files.js';

const { O_CREAT, O_DSYNC, O_RDWR } = fs.constants;
const FLAGS = { create: 'w+', read: 'r', write: 'r+' } as const;

/** Windows has no call that syncs a directory, and refuses to open one. */
const DIRECTORIES_SYNC = process.platform !== 'win32';

/** The one call used of fs-native-extensions, which has no types of its own. */
interface Extensions {
  /** An exclusive lock on a file that is open for writing. @returns false when somebody else has it */
  tryLock(fd: number): boolean;
}

class NodeFile implements JournalFile {
  readonly #handle: FileHandle;
  /** The same file, opened so that a write of it is a write and a sync. */
  #synced: FileHandle | null = null;
  #syncsApart = false;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    return (await this.#handle.read(target, 0, target.length, position)).bytesRead;
  }

  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return writeTo(this.#handle, bytes, offset, length, position);
  }

  writeSynced(bytes: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    // One way to another thread and back instead of two, which cost about as much as the sync does.
    return this.#synced === null
      ? this.#writeAndSync(bytes, offset, length, position)
      : writeTo(this.#synced, bytes, offset, length, position);
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#handle.fd, (error) => {
        if (error === null) {
          resolve();
        } else {
          reject(error);
        }
      });
    });
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  async close(): Promise<void> {
    try {
      await this.#synced?.close();
    } finally {
      await this.#handle.close();
    }
  }

  async #writeAndSync(bytes: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    if (!this.#syncsApart) {
      this.#synced = await reopenSynced(this.#handle);
      if (this.#synced !== null) {
        return writeTo(this.#synced, bytes, offset, length, position);
      }
      this.#syncsApart = true;
    }
    const written = await writeTo(this.#handle, bytes, offset, length, position);
    await this.datasync();
    return written;
  }
}

function writeTo(
  handle: FileHandle,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  // Straight to the call with a callback: one promise for each write, not the four of a handle's method.
  return new Promise((resolve, reject) => {
    fs.write(handle.fd, bytes, offset, length, position, (error, written) => {
      if (error === null) {
        resolve(written);
      } else {
        reject(error);
      }
    });
  });
}

/**
 * On Linux, where `O_DSYNC` is `fdatasync(2)` after each write. Elsewhere it may be less than that, or nothing.
 *
 * @returns null where it cannot be had
 */
async function reopenSynced(handle: FileHandle): Promise<FileHandle | null> {
  if (process.platform !== 'linux') {
    return null;
  }
  try {
    // By its number: the file may have been renamed since it was opened.
    return await open(`/proc/self/fd/${handle.fd}`, O_RDWR | O_DSYNC);
  } catch {
    // There need not be a /proc.
    return null;
  }
}

/** The files of this machine. The lock is of the kernel's: it ends with the process, also one that was killed. */
export class NodeFiles implements JournalFiles {
  async makeDirectory(path: string): Promise<void> {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) {
      return;
    }
    // Every directory that got a new name in it, from the lowest up to the one that was there.
    const top = dirname(resolve(first));
    for (let made = resolve(path); made !== top; made = dirname(made)) {
      await this.syncDirectory(dirname(made));
    }
  }

  list(directory: string): Promise<readonly string[]> {
    return readdir(directory);
  }

  async lock(path: string): Promise<JournalLock | null> {
    // Loaded here, so that its binary is needed only by those who use these files.
    // @ts-expect-error TS7016: the package has no types of its own.
    const module: unknown = await import('fs-native-extensions');
    const { default: extensions } = module as { default: Extensions };
    const handle = await open(path, O_CREAT | O_RDWR);
    try {
      if (extensions.tryLock(handle.fd)) {
        return { release: () => handle.close() };
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return null;
  }

  async open(path: string, mode: 'create' | 'read' | 'write'): Promise<JournalFile> {
    return new NodeFile(await open(path, FLAGS[mode]));
  }

  rename(from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  unlink(path: string): Promise<void> {
    return unlink(path);
  }

  async syncDirectory(directory: string): Promise<void> {
    if (!DIRECTORIES_SYNC) {
      return;
    }
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
