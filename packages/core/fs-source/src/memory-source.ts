import { type BigIntStats, constants } from 'node:fs';
import { checkOptionNames, type Clock } from '@core/base';
import type { DirectoryEntry, FileSystemSource, SourceFile } from './file-system-source.js';
import { attempt } from './internal/forms.js';
import { MemoryFile } from './internal/memory-file.js';
import type { MemoryInode, MemoryKind } from './internal/memory-inode.js';
import { type Call, fail, type LastName, MemoryTree, type Place, READ, SEARCH, WRITE } from './internal/memory-tree.js';
import { nsOfMs } from './internal/big-stats.js';

const OPTION_NAMES = ['clock', 'caseSensitive', 'tellsKinds'];
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC, O_WRONLY } = constants;
const O_ACCMODE = 3;
const FD_MIN = 3;
const PERMISSIONS = 0o7777;
const LONE_SURROGATE = /\p{Surrogate}/gu;

const wallClock: Clock = { now: () => performance.timeOrigin + performance.now() };

export interface MemorySourceOptions {
  /** Milliseconds since the epoch, for times of files. Default: the time of day. */
  readonly clock?: Clock;
  /** False where `A` and `a` name the same entry; names keep the case they were made with. Default true. */
  readonly caseSensitive?: boolean;
  /** False for a file system whose directories do not tell kinds: all are `unknown`. Default true. */
  readonly tellsKinds?: boolean;
}

/**
 * A file system in memory, for tests: files, directories, symlinks, hard links and other nodes, with node's errors.
 *
 * Its user owns everything and is not root, so permissions count (the owner's bits). An inode number is used again as
 * soon as nothing has it, with a new `birthtimeNs`. Methods beyond {@link FileSystemSource} are what another process
 * would do; they are synchronous, and take paths as the system does: with `.`, `..`, doubled or trailing slashes.
 *
 * A lone surrogate in a name that is made stands for bytes that are no UTF-8: a directory tells it as U+FFFD, and no
 * path finds it.
 */
export class MemorySource implements FileSystemSource {
  readonly #tree: MemoryTree;
  readonly #tellsKinds: boolean;
  readonly #open = new Set<number>();

  /** @see memorySource */
  constructor(options: MemorySourceOptions = {}) {
    checkOptionNames(options, OPTION_NAMES, 'a source in memory');
    this.#tree = new MemoryTree(options.clock ?? wallClock, options.caseSensitive ?? true);
    this.#tellsKinds = options.tellsKinds ?? true;
  }

  get caseSensitive(): boolean {
    return this.#tree.caseSensitive;
  }

  /** Files that are open. */
  get openFiles(): number {
    return this.#open.size;
  }

  /** Inodes that have a name or are open, the root among them. */
  get inodes(): number {
    return this.#tree.inodes;
  }

  lstat(path: string): Promise<BigIntStats> {
    return attempt(() => this.lstatSync(path));
  }

  lstatSync(path: string): BigIntStats {
    return this.#get(path, 'keep', 'lstat').stats();
  }

  /** Follows a symlink at the end. */
  statSync(path: string): BigIntStats {
    return this.#get(path, 'follow', 'stat').stats();
  }

  /** The path without symlinks, with names as they were made. */
  realpathSync(path: string): string {
    const { directory, name, inode } = this.#walk(path, 'follow', 'realpath');
    if (inode === null) {
      fail('ENOENT', { syscall: 'realpath', path });
    }
    const names = name === '' ? [] : [this.#tree.find(directory, name)?.name ?? name];
    for (let below = directory; below !== this.#tree.root; below = below.parent as MemoryInode) {
      names.unshift(nameIn(below.parent as MemoryInode, below));
    }
    return `/${names.join('/')}`;
  }

  readdir(path: string): Promise<readonly DirectoryEntry[]> {
    return attempt(() => this.readdirSync(path));
  }

  readdirSync(path: string): readonly DirectoryEntry[] {
    const call = { syscall: 'scandir', path };
    const directory = this.#get(path, 'follow', 'scandir');
    if (directory.entries === null) {
      fail('ENOTDIR', call);
    }
    this.#tree.allow(directory, READ, call);
    return [...directory.entries.values()].map(({ name, inode }) => ({
      name: decoded(name),
      kind: this.#tellsKinds ? inode.kind : 'unknown',
    }));
  }

  readlink(path: string): Promise<string> {
    return attempt(() => this.readlinkSync(path));
  }

  readlinkSync(path: string): string {
    const inode = this.#get(path, 'keep', 'readlink');
    return inode.kind === 'symlink' ? decoded(inode.target) : fail('EINVAL', { syscall: 'readlink', path });
  }

  open(path: string, flags: number, mode?: number): Promise<SourceFile> {
    return attempt(() => this.openSync(path, flags, mode));
  }

  openSync(path: string, flags: number, mode: number = 0o666): SourceFile {
    return this.#openAs(decoded(path), flags, mode, { syscall: 'open', path });
  }

  /** All of a file. */
  readFileSync(path: string): Buffer {
    const file = this.openSync(path, O_RDONLY);
    try {
      const bytes = Buffer.alloc(Number(file.statSync().size));
      file.readSync([bytes], 0);
      return bytes;
    } finally {
      file.closeSync();
    }
  }

  /** Makes the file, or replaces what is in it. */
  writeFileSync(path: string, data: string | Uint8Array = '', mode: number = 0o666): void {
    const file = this.#openAs(path, O_WRONLY | O_CREAT | O_TRUNC, mode, { syscall: 'open', path });
    try {
      file.writeSync([typeof data === 'string' ? Buffer.from(data) : data], 0);
    } finally {
      file.closeSync();
    }
  }

  truncateSync(path: string, bytes: number): void {
    const file = this.#openAs(path, O_WRONLY, 0, { syscall: 'open', path });
    try {
      file.truncateSync(bytes);
    } finally {
      file.closeSync();
    }
  }

  /** With `recursive` makes what is missing above, and nothing if the directory is there. */
  mkdirSync(path: string, options: { recursive?: boolean; mode?: number } = {}): void {
    const call = { syscall: 'mkdir', path };
    if (options.recursive === true) {
      const names = path.split('/');
      for (let end = 1; end <= names.length; end++) {
        const part = names.slice(0, end).join('/') || '/';
        if (this.#tree.walk(part, 'follow', call).inode?.kind !== 'directory') {
          this.mkdirSync(part, { mode: options.mode ?? 0o777 });
        }
      }
      return;
    }
    this.#create('directory', path, options.mode ?? 0o777, call);
  }

  symlinkSync(target: string, path: string): void {
    const call = { syscall: 'symlink', path: target, dest: path };
    if (target === '') {
      fail('ENOENT', call);
    }
    this.#create('symlink', path, 0o777, call).target = target;
  }

  /** Makes a node of any kind, with nothing in it. */
  mknodSync(path: string, kind: MemoryKind, mode: number = 0o666): void {
    this.#create(kind, path, mode, { syscall: 'mknod', path });
  }

  /** A second name for a file. */
  linkSync(from: string, to: string): void {
    const call = { syscall: 'link', path: from, dest: to };
    const inode = this.#tree.get(from, 'keep', call);
    const place = this.#placeFor(to, call);
    if (inode.kind === 'directory') {
      fail('EPERM', call);
    }
    if (place.slash) {
      fail('ENOENT', call);
    }
    this.#tree.link(place.directory, place.name, inode);
  }

  unlinkSync(path: string): void {
    const call = { syscall: 'unlink', path };
    const { directory, name, inode, slash } = this.#tree.walk(path, 'parent', call);
    if (inode === null) {
      fail('ENOENT', call);
    }
    if (inode.kind === 'directory') {
      fail('EISDIR', call);
    }
    if (slash) {
      fail('ENOTDIR', call);
    }
    this.#tree.allow(directory, WRITE | SEARCH, call);
    this.#tree.unlink(directory, name, inode);
    this.#tree.dropIfUnused(inode);
  }

  rmdirSync(path: string): void {
    const call = { syscall: 'rmdir', path };
    const { directory, name, inode } = this.#tree.walk(path, 'parent', call);
    if (inode === null) {
      fail('ENOENT', call);
    }
    if (inode.entries === null) {
      fail('ENOTDIR', call);
    }
    if (name === '') {
      fail(inode === this.#tree.root ? 'EBUSY' : path.endsWith('..') ? 'ENOTEMPTY' : 'EINVAL', call);
    }
    if (inode.entries.size > 0) {
      fail('ENOTEMPTY', call);
    }
    this.#tree.allow(directory, WRITE | SEARCH, call);
    this.#tree.unlink(directory, name, inode);
    this.#tree.dropIfUnused(inode);
  }

  /** Removes a file, or a directory with all that is below it. */
  rmSync(path: string): void {
    const { entries } = this.#tree.get(path, 'keep', { syscall: 'rm', path });
    if (entries === null) {
      this.unlinkSync(path);
      return;
    }
    for (const { name } of entries.values()) {
      this.rmSync(`${path}/${name}`);
    }
    this.rmdirSync(path);
  }

  /**
   * Moves an entry, over what is there if that is of the same sort and no directory with entries.
   *
   * @param options exchange: both must be there, and change places
   */
  renameSync(from: string, to: string, options: { exchange?: boolean } = {}): void {
    const call = { syscall: 'rename', path: from, dest: to };
    const tree = this.#tree;
    const exchange = options.exchange === true;
    const source = tree.walk(from, 'parent', call);
    const target = tree.walk(to, 'parent', call);
    const moved = source.inode ?? fail('ENOENT', call);
    const replaced = target.inode;
    if (source.name === '' || target.name === '') {
      fail('EBUSY', call);
    }
    tree.allow(source.directory, WRITE | SEARCH, call);
    tree.allow(target.directory, WRITE | SEARCH, call);
    if (exchange && replaced === null) {
      fail('ENOENT', call);
    }
    if (moved === replaced) {
      // Two names of one file stay; one name may change its case.
      const entry = tree.find(source.directory, source.name);
      if (entry !== undefined && entry === tree.find(target.directory, target.name)) {
        entry.name = target.name;
      }
      return;
    }
    if (isWithin(target.directory, moved)) {
      fail('EINVAL', call);
    }
    if (replaced !== null && isWithin(source.directory, replaced)) {
      fail(exchange ? 'EINVAL' : 'ENOTEMPTY', call);
    }
    if ((source.slash || target.slash) && moved.kind !== 'directory') {
      fail('ENOTDIR', call);
    }
    if (!exchange && replaced !== null) {
      if ((moved.kind === 'directory') !== (replaced.kind === 'directory')) {
        fail(moved.kind === 'directory' ? 'ENOTDIR' : 'EISDIR', call);
      }
      if ((replaced.entries?.size ?? 0) > 0) {
        fail('ENOTEMPTY', call);
      }
    }
    tree.unlink(source.directory, source.name, moved);
    if (replaced !== null) {
      tree.unlink(target.directory, target.name, replaced);
      if (exchange) {
        tree.link(source.directory, source.name, replaced);
      } else {
        tree.dropIfUnused(replaced);
      }
    }
    tree.link(target.directory, target.name, moved);
  }

  chmodSync(path: string, mode: number): void {
    const inode = this.#get(path, 'follow', 'chmod');
    inode.permissions = mode & PERMISSIONS;
    inode.ctimeNs = this.#tree.nowNs();
  }

  /** Sets times, in milliseconds since the epoch. */
  utimesSync(path: string, atimeMs: number, mtimeMs: number): void {
    const inode = this.#get(path, 'follow', 'utime');
    inode.atimeNs = nsOfMs(atimeMs);
    inode.mtimeNs = nsOfMs(mtimeMs);
    inode.ctimeNs = this.#tree.nowNs();
  }

  #get(path: string, last: LastName, syscall: string): MemoryInode {
    return this.#tree.get(decoded(path), last, { syscall, path });
  }

  #walk(path: string, last: LastName, syscall: string): Place {
    return this.#tree.walk(decoded(path), last, { syscall, path });
  }

  /** Where something can be made. */
  #placeFor(path: string, call: Call): Place {
    const place = this.#tree.walk(path, 'parent', call);
    if (place.inode !== null) {
      fail('EEXIST', call);
    }
    if (place.directory.nlink === 0) {
      fail('ENOENT', call);
    }
    this.#tree.allow(place.directory, WRITE | SEARCH, call);
    return place;
  }

  #create(kind: MemoryKind, path: string, mode: number, call: Call): MemoryInode {
    const { directory, name, slash } = this.#placeFor(path, call);
    if (slash && kind !== 'directory') {
      fail('ENOENT', call);
    }
    const inode = this.#tree.make(kind, mode & PERMISSIONS);
    this.#tree.link(directory, name, inode);
    return inode;
  }

  #openAs(path: string, flags: number, mode: number, call: Call): MemoryFile {
    const exclusive = (flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0;
    const last = exclusive
      ? 'parent'
      : (flags & O_NOFOLLOW) !== 0
        ? 'keep'
        : (flags & O_CREAT) !== 0
          ? 'create'
          : 'follow';
    const place = this.#tree.walk(path, last, call);
    if (exclusive && place.slash) {
      fail('EISDIR', call);
    }
    let { inode } = place;
    const writes = (flags & O_ACCMODE) !== O_RDONLY;
    if (inode === null) {
      if ((flags & O_CREAT) === 0) {
        fail('ENOENT', call);
      }
      if (place.slash) {
        fail('EISDIR', call);
      }
      this.#tree.allow(place.directory, WRITE | SEARCH, call);
      inode = this.#tree.make('file', mode & PERMISSIONS);
      this.#tree.link(place.directory, place.name, inode);
    } else {
      if (exclusive) {
        fail('EEXIST', call);
      }
      if (inode.kind === 'symlink') {
        fail('ELOOP', call);
      }
      if (inode.kind === 'directory' && (writes || (flags & O_CREAT) !== 0)) {
        fail('EISDIR', call);
      }
      if (inode.kind !== 'directory' && (flags & O_DIRECTORY) !== 0) {
        fail('ENOTDIR', call);
      }
      this.#tree.allow(inode, ((flags & O_ACCMODE) === O_WRONLY ? 0 : READ) | (writes ? WRITE : 0), call);
      if ((flags & O_TRUNC) !== 0 && writes) {
        inode.resize(0);
        this.#tree.touch(inode);
      }
    }
    let fd = FD_MIN;
    while (this.#open.has(fd)) {
      fd++;
    }
    this.#open.add(fd);
    return new MemoryFile(this.#tree, inode, fd, flags, (closed) => this.#open.delete(closed));
  }
}

/** What a name or path of node's is to the system: what is no UTF-16 cannot be meant. */
function decoded(path: string): string {
  return path.replace(LONE_SURROGATE, '\uFFFD');
}

function isWithin(directory: MemoryInode, inode: MemoryInode): boolean {
  let at = directory;
  while (at !== inode) {
    if (at.parent === at || at.parent === null) {
      return false;
    }
    at = at.parent;
  }
  return true;
}

function nameIn(parent: MemoryInode, inode: MemoryInode): string {
  for (const entry of parent.entries?.values() ?? []) {
    if (entry.inode === inode) {
      return entry.name;
    }
  }
  // A directory that is removed, with somebody in it.
  return '(unreachable)';
}

/** Makes an empty file system in memory. */
export function memorySource(options: MemorySourceOptions = {}): MemorySource {
  return new MemorySource(options);
}
