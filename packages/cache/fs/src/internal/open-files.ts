import { type BigIntStats, constants } from 'node:fs';
import type { Backing } from './backing.js';
import type { Change } from './fs-view.js';

const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants;
const WRITING = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;

/** Whether a file opened with these flags, as `fs.open` takes them, may be changed by that or later. */
export function isForWriting(flags: unknown): boolean {
  if (typeof flags === 'number') {
    return (flags & WRITING) !== 0;
  }
  // With a callback in the place of the flags it is opened for reading.
  return typeof flags === 'string' && flags !== 'r' && flags !== 'rs' && flags !== 'sr';
}

/**
 * Which path is behind a descriptor that was opened through the façade: what is written through it changes what is
 * cached of the path. Files that are open for reading are told as well, since their attributes can be changed.
 */
export class OpenFiles {
  private readonly changes = new Map<number, Change>();

  opened(fd: unknown, path: string): void {
    if (typeof fd === 'number') {
      this.changes.set(fd, { path, follow: true });
    }
  }

  closed(fd: unknown): void {
    this.changes.delete(fd as number);
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
}
