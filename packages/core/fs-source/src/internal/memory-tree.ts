import type { Clock } from '@core/base';
import { systemError } from '../system-error.js';
import { nsOfMs } from './big-stats.js';
import { type MemoryEntry, MemoryInode, type MemoryKind } from './memory-inode.js';

/** As on Linux. */
const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4096;
const SYMLINKS_MAX = 40;

export const READ = 0o4;
export const WRITE = 0o2;
export const SEARCH = 0o1;

/**
 * What becomes of the last name of a path: `follow` a symlink there; `keep` it, unless a `/` behind it asks for what it
 * leads to; `parent` looks no further than its place, whatever follows it; `create` follows, and refuses a `/`.
 */
export type LastName = 'follow' | 'keep' | 'parent' | 'create';

/** A call as its errors name it. */
export interface Call {
  readonly syscall: string;
  readonly path: string;
  readonly dest?: string;
}

/** Where a path leads: an entry, or the place where it could be made. */
export interface Place {
  readonly directory: MemoryInode;
  /** As it was written; empty for a path that ends in `.`, `..` or the root. */
  readonly name: string;
  readonly inode: MemoryInode | null;
  /** The path had a `/` behind the last name, and so means a directory. */
  readonly slash: boolean;
}

export function fail(code: string, { syscall, path, dest }: Call): never {
  throw systemError(code, syscall, path, dest);
}

/** The inodes, and the walk of paths over them, as POSIX has it for a user who owns all of them and is not root. */
export class MemoryTree {
  readonly root: MemoryInode;
  readonly caseSensitive: boolean;
  readonly #clock: Clock;
  // Taken from the end, so a number is used again as soon as it can be.
  readonly #freeNumbers: number[] = [];
  #lastNumber = 1;
  #inodes = 0;

  constructor(clock: Clock, caseSensitive: boolean) {
    this.#clock = clock;
    this.caseSensitive = caseSensitive;
    this.root = this.make('directory', 0o755);
    this.root.nlink = 2;
    this.root.parent = this.root;
  }

  /** Inodes that have a name or are open. */
  get inodes(): number {
    return this.#inodes;
  }

  nowNs(): bigint {
    return nsOfMs(this.#clock.now());
  }

  make(kind: MemoryKind, permissions: number): MemoryInode {
    this.#inodes++;
    return new MemoryInode(this.#freeNumbers.pop() ?? ++this.#lastNumber, kind, permissions, this.nowNs());
  }

  /** Frees the number of an inode that nobody has. */
  dropIfUnused(inode: MemoryInode): void {
    if (inode.nlink === 0 && inode.opened === 0) {
      this.#inodes--;
      this.#freeNumbers.push(inode.ino);
    }
  }

  keyOf(name: string): string {
    return this.caseSensitive ? name : name.toLowerCase();
  }

  find(directory: MemoryInode, name: string): MemoryEntry | undefined {
    return directory.entries?.get(this.keyOf(name));
  }

  link(directory: MemoryInode, name: string, inode: MemoryInode): void {
    directory.entries?.set(this.keyOf(name), { name, inode });
    inode.nlink++;
    if (inode.kind === 'directory') {
      // `.` of its own, and `..` of what is below.
      inode.nlink++;
      directory.nlink++;
      inode.parent = directory;
    }
    this.touch(directory);
    inode.ctimeNs = directory.ctimeNs;
  }

  unlink(directory: MemoryInode, name: string, inode: MemoryInode): void {
    directory.entries?.delete(this.keyOf(name));
    inode.nlink--;
    if (inode.kind === 'directory') {
      inode.nlink--;
      directory.nlink--;
    }
    this.touch(directory);
    inode.ctimeNs = directory.ctimeNs;
  }

  /** Contents have changed. */
  touch(inode: MemoryInode): void {
    inode.mtimeNs = this.nowNs();
    inode.ctimeNs = inode.mtimeNs;
  }

  allow(inode: MemoryInode, access: number, call: Call): void {
    if (((inode.permissions >> 6) & access) !== access) {
      fail('EACCES', call);
    }
  }

  /** The inode of a path. */
  get(path: string, last: LastName, call: Call): MemoryInode {
    return this.walk(path, last, call).inode ?? fail('ENOENT', call);
  }

  /** Walks a path, over every symlink but perhaps the last. */
  walk(path: string, last: LastName, call: Call): Place {
    if (Buffer.byteLength(path) >= PATH_BYTES_MAX) {
      fail('ENAMETOOLONG', call);
    }
    if (path === '') {
      fail('ENOENT', call);
    }
    let directory = this.root;
    let left = path.split('/');
    let symlinks = 0;
    for (;;) {
      const name = left.shift() ?? '';
      const rest = left.some((part) => part !== '');
      const slash = left.length > 0;
      if (name !== '' || !rest) {
        if (directory.kind !== 'directory') {
          fail('ENOTDIR', call);
        }
      }
      if (name === '' || name === '.' || name === '..') {
        if (name !== '') {
          this.allow(directory, SEARCH, call);
        }
        directory = name === '..' ? (directory.parent as MemoryInode) : directory;
        if (!rest) {
          return { directory, name: '', inode: directory, slash };
        }
        continue;
      }
      this.allow(directory, SEARCH, call);
      if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
        fail('ENAMETOOLONG', call);
      }
      if (!rest && slash && last === 'create') {
        fail('EISDIR', call);
      }
      const inode = this.find(directory, name)?.inode ?? null;
      const follows = rest || last === 'follow' || last === 'create' || (last === 'keep' && slash);
      if (inode !== null && inode.kind === 'symlink' && follows) {
        if (++symlinks > SYMLINKS_MAX) {
          fail('ELOOP', call);
        }
        const parts = inode.target.split('/');
        directory = inode.target.startsWith('/') ? this.root : directory;
        left = [...parts, ...left];
        continue;
      }
      if (!rest) {
        if (slash && last !== 'parent' && inode !== null && inode.kind !== 'directory') {
          fail('ENOTDIR', call);
        }
        return { directory, name, inode, slash };
      }
      directory = inode ?? fail('ENOENT', call);
    }
  }
}
