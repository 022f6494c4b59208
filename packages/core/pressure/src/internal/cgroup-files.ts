import { readFileSync } from 'node:fs';

/** Where files come from. Tests pass their own. */
export interface FileReader {
  /** The whole file as text. @throws what `fs.readFileSync` throws: an error with a `code` such as ENOENT */
  readText(path: string): string;
}

/** The files of this machine. */
export const systemFiles: FileReader = { readText: (path) => readFileSync(path, 'utf8') };

/** Why a file could not be read. */
export interface ReadFault {
  /** The system's code, such as EACCES, or the error's name where there is none. */
  readonly code: string;
  /** Whether the file is simply not there, which is often as it should be. */
  readonly absent: boolean;
}

/** ENODEV is what a file of a removed cgroup answers; EOPNOTSUPP what a pressure file answers when psi is off. */
const ABSENT_CODES: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP']);

/** Reads files below a root, and never throws. */
export class RootedFiles {
  private readonly root: string;
  private readonly files: FileReader;

  /** @throws {TypeError} `root` is not a string, or `files` has no `readText` */
  constructor(root = '/', files: FileReader = systemFiles) {
    if (typeof root !== 'string' || root === '') {
      throw new TypeError(`Cannot read files below ${String(root)}: the root must be the path of a directory`);
    }
    if (typeof files?.readText !== 'function') {
      throw new TypeError('Cannot read files: the reader must have a readText method');
    }
    this.root = root.replace(/\/+$/, '');
    this.files = files;
  }

  /** `path` as it is on this machine: below the root. */
  full(path: string): string {
    return this.root + path;
  }

  /** The text of a file, or why there is none. */
  read(path: string): string | ReadFault {
    try {
      const text: unknown = this.files.readText(this.full(path));
      return typeof text === 'string' ? text : { code: 'not text', absent: false };
    } catch (error) {
      const code: unknown = (error as { code?: unknown } | null | undefined)?.code;
      const named = typeof code === 'string' && code !== '' ? code : error instanceof Error ? error.name : 'unknown';
      return { code: named, absent: ABSENT_CODES.has(named) };
    }
  }
}
