import type { Backing } from './backing.js';
import type { FileReader } from './contents.js';

/** Whole files by the backing's `readFile`, in the forms that it has. */
export function wholeFiles(backing: Backing): FileReader {
  return {
    read: (path) => readWhole(backing, path) as Promise<Buffer>,
    readSync: (path) => backing.call('readFileSync', [path]) as Buffer,
  };
}

export function readWhole(backing: Backing, path: unknown): Promise<unknown> {
  return backing.has('readFile') ? backing.callLater('readFile', [path]) : backing.callPromise('readFile', [path]);
}
