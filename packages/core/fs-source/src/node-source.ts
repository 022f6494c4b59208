import nodeFs, { type BigIntStats } from 'node:fs';
import { checkOptionNames } from '@core/base';
import type { DirectoryEntry, FileSystemSource, SourceFile } from './file-system-source.js';
import { DescriptorFile } from './internal/descriptor-file.js';
import { attempt, BIG, promised, toBigStats, TYPED } from './internal/forms.js';
import { HandleFile } from './internal/handle-file.js';
import { type AnyEntry, kindOf, type NodeFsLike } from './internal/node-fs.js';
import { unsupported } from './internal/unsupported.js';

const OPTION_NAMES = ['caseSensitive'];
const MODE_DEFAULT = 0o666;

export interface NodeSourceOptions {
  /** False where `A` and `a` name the same entry. Default: false on macOS and Windows, true elsewhere. */
  readonly caseSensitive?: boolean;
}

class NodeSource implements FileSystemSource {
  readonly caseSensitive: boolean;
  readonly #fs: NodeFsLike;

  constructor(fs: NodeFsLike, caseSensitive: boolean) {
    this.#fs = fs;
    this.caseSensitive = caseSensitive;
  }

  async lstat(path: string): Promise<BigIntStats> {
    const fs = this.#fs;
    if (fs.lstat !== undefined) {
      return toBigStats(await promised((callback) => fs.lstat?.(path, BIG, callback)));
    }
    return fs.promises?.lstat === undefined ? this.lstatSync(path) : toBigStats(await fs.promises.lstat(path, BIG));
  }

  lstatSync(path: string): BigIntStats {
    const stats = this.#fs.lstatSync?.(path, BIG);
    if (stats === undefined) {
      throw unsupported(`lstat '${path}'`, 'lstatSync');
    }
    return toBigStats(stats);
  }

  async readdir(path: string): Promise<readonly DirectoryEntry[]> {
    const fs = this.#fs;
    if (fs.readdir !== undefined) {
      return entriesOf(await promised((callback) => fs.readdir?.(path, TYPED, callback)));
    }
    return fs.promises?.readdir === undefined
      ? this.readdirSync(path)
      : entriesOf(await fs.promises.readdir(path, TYPED));
  }

  readdirSync(path: string): readonly DirectoryEntry[] {
    const fs = this.#fs;
    if (fs.readdirSync === undefined) {
      throw unsupported(`read the directory '${path}'`, 'readdirSync');
    }
    return entriesOf(fs.readdirSync(path, TYPED));
  }

  readlink(path: string): Promise<string> {
    const fs = this.#fs;
    if (fs.readlink !== undefined) {
      return promised((callback) => fs.readlink?.(path, callback));
    }
    return fs.promises?.readlink === undefined ? attempt(() => this.readlinkSync(path)) : fs.promises.readlink(path);
  }

  readlinkSync(path: string): string {
    const fs = this.#fs;
    if (fs.readlinkSync === undefined) {
      throw unsupported(`read the link '${path}'`, 'readlinkSync');
    }
    return fs.readlinkSync(path);
  }

  async open(path: string, flags: number, mode: number = MODE_DEFAULT): Promise<SourceFile> {
    const fs = this.#fs;
    if (fs.open !== undefined) {
      return new DescriptorFile(fs, await promised((callback) => fs.open?.(path, flags, mode, callback)));
    }
    return fs.promises?.open === undefined
      ? this.openSync(path, flags, mode)
      : new HandleFile(await fs.promises.open(path, flags, mode));
  }

  openSync(path: string, flags: number, mode: number = MODE_DEFAULT): SourceFile {
    const fs = this.#fs;
    if (fs.openSync === undefined) {
      throw unsupported(`open '${path}'`, 'openSync');
    }
    return new DescriptorFile(fs, fs.openSync(path, flags, mode));
  }
}

function entriesOf(entries: readonly AnyEntry[]): DirectoryEntry[] {
  return entries.map((entry) =>
    typeof entry === 'string' ? { name: entry, kind: 'unknown' } : { name: entry.name, kind: kindOf(entry) },
  );
}

/**
 * The file system of node:fs, or of any module of its shape.
 *
 * A promise is made from the form with a callback, else from `fs.promises`, else from the synchronous form. A
 * synchronous call has no such way out: it throws when its form is missing. Where a form knows no bigint stats, numbers
 * are taken; where a directory tells no kinds, they are `unknown`. The functions are looked up anew for each call.
 *
 * @param fs default node:fs
 * @throws {FsSourceError} from calls: ERR_FS_SOURCE_UNSUPPORTED when `fs` has no form that would do
 */
export function nodeSource(fs: NodeFsLike = nodeFs, options: NodeSourceOptions = {}): FileSystemSource {
  checkOptionNames(options, OPTION_NAMES, 'a source');
  return new NodeSource(fs, options.caseSensitive ?? !['darwin', 'win32'].includes(process.platform));
}
