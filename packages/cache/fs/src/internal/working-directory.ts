import nodeFs from 'node:fs';
import type { Backing } from './backing.js';

/**
 * Where relative paths begin: in the directory of the process for node:fs, and for another file system where it says
 * that `.` is, which may be anywhere in it.
 */
export class WorkingDirectory {
  private readonly backing: Backing;
  private readonly isNode: boolean;
  /** What the other file system has said, and in which directory the process was. */
  private told: string | undefined;
  private askedIn = '';
  /** It was moved or removed: the process is still in it, under whatever name it has now. */
  private gone: string | undefined;

  constructor(backing: Backing) {
    this.backing = backing;
    this.isNode = backing.fs === (nodeFs as object);
  }

  /** Undefined when it is not known: then relative paths are not for the cache. */
  get path(): string | undefined {
    let here: string;
    try {
      here = process.cwd();
    } catch {
      return undefined;
    }
    if (here === this.gone) {
      return undefined;
    }
    return this.isNode ? here : this.ask(here);
  }

  /** Whatever was by this name is not there any more. */
  left(path: string): void {
    const here = this.path;
    if (here !== undefined && `${here}/`.startsWith(path.endsWith('/') ? path : `${path}/`)) {
      this.gone = process.cwd();
    }
  }

  private ask(here: string): string | undefined {
    if (here !== this.askedIn) {
      this.askedIn = here;
      this.told = undefined;
      try {
        const told = this.backing.call('realpathSync', ['.']);
        this.told = typeof told === 'string' && told.startsWith('/') ? told : undefined;
      } catch {
        // It has no such call, or no such directory.
      }
    }
    return this.told;
  }
}
