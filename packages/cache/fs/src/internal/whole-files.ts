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
  if (!backing.has('readFile')) {
    return backing.callPromise('readFile', [path]);
  }
  return new Promise((resolve, reject) => {
    backing.call('readFile', [
      path,
      (error: Error | null, content: unknown) => {
        if (error) {
          reject(error);
        } else {
          resolve(content);
        }
      },
    ]);
  });
}
