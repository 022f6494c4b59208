import { type BigIntStats, constants } from 'node:fs';
import type { Backing } from './backing.js';
import type { FileBlocks } from './file-blocks.js';
import { ANYWHERE, type Change } from './fs-view.js';
import type { OpenFile } from './open-file.js';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants;
const WRITING = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;

/** Whether a file opened with these flags, as `fs.open` takes them, may be changed by that or later. */
export function isForWriting(flags: unknown): boolean {
  if (typeof flags === 'number') {
    return (flags & WRITING) !== 0;
  }
  // With a callback in the place of the flags it is opened for reading.
  return typeof flags === 'string' && flags !== 'r' && flags !== 'rs' && flags !== 'sr';
}

/** Whether a file opened with these flags can only be read, and may be read from the cache. */
function isForReading(flags: unknown): boolean {
  return flags === undefined || flags === null || typeof flags === 'function' || flags === 'r' || flags === O_RDONLY;
}

/**
 * Which file is behind a descriptor that was opened through the façade: what is written through it changes what is
 * cached of the file. Files that are open for reading are told as well, since their attributes can be changed.
 */
export class OpenFiles {
  /** Null while nobody has looked which file it is. */
  private readonly changes = new Map<number, Change | null>();
  private readonly readers = new Map<number, OpenFile>();
  private readonly blocks: FileBlocks | null;

  constructor(blocks: FileBlocks | null) {
    this.blocks = blocks;
  }

  /** @param path undefined where it is nothing for the cache */
  opened(fd: number, path: string | undefined, flags: unknown): void {
    // Whoever had the number before was closed by other means.
    this.closed(fd);
    if (path === undefined) {
      return;
    }
    this.changes.set(fd, null);
    if (this.blocks !== null && isForReading(flags)) {
      this.readers.set(fd, this.blocks.open(fd));
    }
  }

  /**
   * To be told before it is closed.
   *
   * @param reader whose number it was: another file may have it by now
   */
  closed(fd: unknown, reader?: OpenFile): void {
    if (reader !== undefined && this.readers.get(fd as number) !== reader) {
      return;
    }
    this.changes.delete(fd as number);
    this.forget(fd);
  }

  /** The descriptor, if it may be read from the cache. */
  reader(fd: unknown): OpenFile | undefined {
    const open = this.readers.get(fd as number);
    return open === undefined || open.isUncached ? undefined : open;
  }

  /** From now on it is read by its number alone, and goes on where it is. */
  handOver(fd: unknown): void {
    const open = this.reader(fd);
    if (open !== undefined) {
      open.handOver();
      this.forget(fd);
    }
  }

  /**
   * What is changed by a descriptor; undefined: nothing. The path that it was opened by does not tell: by now its name,
   * or a link on the way, may lead to another file, and the file may have other names.
   */
  changeBy(fd: number, backing: Backing): Change | undefined {
    const known = this.changes.get(fd);
    if (known) {
      return known;
    }
    const change = look(fd, backing);
    if (change !== undefined && known === null) {
      // One that was opened by other means may be closed by them, too.
      this.changes.set(fd, change);
    }
    return change;
  }

  private forget(fd: unknown): void {
    this.readers.get(fd as number)?.close();
    this.readers.delete(fd as number);
  }
}

function look(fd: number, backing: Backing): Change | undefined {
  if (!backing.has('fstatSync')) {
    return ANYWHERE;
  }
  try {
    const { dev, ino } = backing.call('fstatSync', [fd, { bigint: true }]) as BigIntStats;
    return typeof ino === 'bigint' ? { path: '/', follow: false, file: { dev, ino } } : ANYWHERE;
  } catch (error) {
    // What is closed by now is changed by nobody: the call that is to be made says so.
    return (error as { code?: unknown } | null)?.code === 'EBADF' ? undefined : ANYWHERE;
  }
}
