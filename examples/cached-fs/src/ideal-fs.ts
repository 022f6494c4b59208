import type nodeFs from 'node:fs';
import { dirname } from 'node:path';

type Ask = (path: string, ...rest: unknown[]) => Promise<unknown>;

const READS = ['readFile', 'stat', 'lstat', 'readdir', 'readlink'] as const;
const CHANGES = ['writeFile', 'mkdir', 'rmdir', 'unlink', 'symlink', 'rm', 'rename'] as const;

/**
 * What no cache can beat: it remembers each answer and each error for ever, believes that nobody else changes anything,
 * and forgets after a change of its own the path and its directory. For promises of isomorphic-git's calls alone, with
 * no bounds: a measure, not a file system.
 */
export function idealFs(fs: typeof nodeFs): typeof nodeFs {
  const calls = fs.promises as unknown as Record<string, Ask>;
  const known = new Map<string, Map<string, Promise<unknown>>>();
  const promises: Record<string, Ask> = {};
  for (const name of READS) {
    promises[name] = (path, ...rest) => {
      let ofPath = known.get(path);
      if (ofPath === undefined) {
        ofPath = new Map();
        known.set(path, ofPath);
      }
      const key = rest.length === 0 ? name : `${name} ${JSON.stringify(rest)}`;
      let answer = ofPath.get(key);
      if (answer === undefined) {
        answer = (calls[name] as Ask)(path, ...rest);
        ofPath.set(key, answer);
      }
      return answer;
    };
  }
  for (const name of CHANGES) {
    promises[name] = async (path, ...rest) => {
      const paths = [path, name === 'rename' ? (rest[0] as string) : path];
      const forget = (): void => {
        for (const one of paths) {
          known.delete(one);
          known.delete(dirname(one));
        }
      };
      forget();
      try {
        return await (calls[name] as Ask)(path, ...rest);
      } finally {
        forget();
      }
    };
  }
  return { promises } as unknown as typeof nodeFs;
}
