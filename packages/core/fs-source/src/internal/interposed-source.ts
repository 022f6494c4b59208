import type { BigIntStats } from 'node:fs';
import type { DirectoryEntry, FileSystemSource, SourceFile } from '../file-system-source.js';

/** The calls of a source and of its files, each in both forms. */
export type SourceCall =
  | 'lstat'
  | 'readdir'
  | 'readlink'
  | 'open'
  | 'stat'
  | 'read'
  | 'write'
  | 'datasync'
  | 'truncate'
  | 'close';

export const SOURCE_CALLS: readonly SourceCall[] = [
  'lstat',
  'readdir',
  'readlink',
  'open',
  'stat',
  'read',
  'write',
  'datasync',
  'truncate',
  'close',
];

/** What stands between a caller and a source. */
export interface Interposer {
  /** Before a call; what it throws is the call's error. */
  before(call: SourceCall, path: string): void;
  /** Before a call that is asynchronous, after `before`: what to wait for. */
  wait?(call: SourceCall, path: string): Promise<void>;
  /** After a call that is asynchronous, failed or not: what to wait for before it is answered. */
  hold?(call: SourceCall, path: string): Promise<void>;
  /** The buffers that a read or write is to move instead. */
  clip?(call: 'read' | 'write', path: string, buffers: readonly Uint8Array[]): readonly Uint8Array[];
}

export class InterposedSource implements FileSystemSource {
  readonly #source: FileSystemSource;
  readonly #between: Interposer;

  constructor(source: FileSystemSource, between: Interposer) {
    this.#source = source;
    this.#between = between;
  }

  get caseSensitive(): boolean {
    return this.#source.caseSensitive;
  }

  lstat(path: string): Promise<BigIntStats> {
    return through(this.#between, 'lstat', path, () => this.#source.lstat(path));
  }

  lstatSync(path: string): BigIntStats {
    this.#between.before('lstat', path);
    return this.#source.lstatSync(path);
  }

  readdir(path: string): Promise<readonly DirectoryEntry[]> {
    return through(this.#between, 'readdir', path, () => this.#source.readdir(path));
  }

  readdirSync(path: string): readonly DirectoryEntry[] {
    this.#between.before('readdir', path);
    return this.#source.readdirSync(path);
  }

  readlink(path: string): Promise<string> {
    return through(this.#between, 'readlink', path, () => this.#source.readlink(path));
  }

  readlinkSync(path: string): string {
    this.#between.before('readlink', path);
    return this.#source.readlinkSync(path);
  }

  open(path: string, flags: number, mode?: number): Promise<SourceFile> {
    return through(this.#between, 'open', path, async () => {
      return new InterposedFile(await this.#source.open(path, flags, mode), path, this.#between);
    });
  }

  openSync(path: string, flags: number, mode?: number): SourceFile {
    this.#between.before('open', path);
    return new InterposedFile(this.#source.openSync(path, flags, mode), path, this.#between);
  }
}

async function through<T>(between: Interposer, call: SourceCall, path: string, make: () => Promise<T>): Promise<T> {
  between.before(call, path);
  await between.wait?.(call, path);
  try {
    return await make();
  } finally {
    await between.hold?.(call, path);
  }
}

class InterposedFile implements SourceFile {
  readonly #file: SourceFile;
  readonly #path: string;
  readonly #between: Interposer;

  constructor(file: SourceFile, path: string, between: Interposer) {
    this.#file = file;
    this.#path = path;
    this.#between = between;
  }

  get fd(): number {
    return this.#file.fd;
  }

  stat(): Promise<BigIntStats> {
    return through(this.#between, 'stat', this.#path, () => this.#file.stat());
  }

  statSync(): BigIntStats {
    this.#between.before('stat', this.#path);
    return this.#file.statSync();
  }

  read(buffers: readonly Uint8Array[], position: number): Promise<number> {
    return through(this.#between, 'read', this.#path, () => this.#file.read(this.#clip('read', buffers), position));
  }

  readSync(buffers: readonly Uint8Array[], position: number): number {
    this.#between.before('read', this.#path);
    return this.#file.readSync(this.#clip('read', buffers), position);
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    return through(this.#between, 'write', this.#path, () => this.#file.write(this.#clip('write', buffers), position));
  }

  writeSync(buffers: readonly Uint8Array[], position: number): number {
    this.#between.before('write', this.#path);
    return this.#file.writeSync(this.#clip('write', buffers), position);
  }

  datasync(): Promise<void> {
    return through(this.#between, 'datasync', this.#path, () => this.#file.datasync());
  }

  datasyncSync(): void {
    this.#between.before('datasync', this.#path);
    this.#file.datasyncSync();
  }

  truncate(bytes: number): Promise<void> {
    return through(this.#between, 'truncate', this.#path, () => this.#file.truncate(bytes));
  }

  truncateSync(bytes: number): void {
    this.#between.before('truncate', this.#path);
    this.#file.truncateSync(bytes);
  }

  close(): Promise<void> {
    return through(this.#between, 'close', this.#path, () => this.#file.close());
  }

  closeSync(): void {
    this.#between.before('close', this.#path);
    this.#file.closeSync();
  }

  #clip(call: 'read' | 'write', buffers: readonly Uint8Array[]): readonly Uint8Array[] {
    return this.#between.clip?.(call, this.#path, buffers) ?? buffers;
  }
}
