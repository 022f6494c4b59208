import { type BigIntStats, constants } from 'node:fs';
import type { Backing } from './backing.js';
import type { FileBlocks } from './file-blocks.js';
import type { Change } from './fs-view.js';
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
 * Which path is behind a descriptor that was opened through the façade: what is written through it changes what is
 * cached of the path. Files that are open for reading are told as well, since their attributes can be changed.
 */
export class OpenFiles {
  private readonly changes = new Map<number, Change>();
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
    this.changes.set(fd, { path, follow: true });
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

  find(fd: unknown): Change | undefined {
    return this.changes.get(fd as number);
  }

  /** As {@link find}, with the identity of the file: another file may have its name by now, or it may have others. */
  identify(fd: number, backing: Backing): Change | undefined {
    const change = this.changes.get(fd);
    if (change === undefined || change.file !== undefined || !backing.has('fstatSync')) {
      return change;
    }
    try {
      const { dev, ino } = backing.call('fstatSync', [fd, { bigint: true }]) as BigIntStats;
      const identified = { ...change, file: { dev, ino } };
      this.changes.set(fd, identified);
      return identified;
    } catch {
      // It is closed by now: the call that is to be made says so.
      return change;
    }
  }

  /** A file that is open moves with its name, or with a directory above it. */
  renamed(from: string, to: string): void {
    for (const [fd, change] of this.changes) {
      const { path } = change;
      if (path === from || path.startsWith(`${from}/`)) {
        this.changes.set(fd, { ...change, path: to + path.slice(from.length) });
      }
    }
  }

  private forget(fd: unknown): void {
    this.readers.get(fd as number)?.close();
    this.readers.delete(fd as number);
  }
}
