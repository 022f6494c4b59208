import fs from 'node:fs';
import { join } from 'node:path';

type Question = readonly [name: string, args: readonly unknown[]];

const BIG = { bigint: true };

/** All that can be asked about everything below a directory, and about some names that are not there. */
export function lookAround(root: string): Question[] {
  const questions: Question[] = [];
  for (const path of [root, ...pathsBelow(root)]) {
    questions.push(
      ['lstat', [path, BIG]],
      ['stat', [path]],
      ['readlink', [path]],
      ['realpath', [path]],
      ['access', [path]],
    );
    if (isDirectory(path)) {
      questions.push(['readdir', [path, { withFileTypes: true }]], ['exists', [join(path, 'not-there')]]);
    } else {
      questions.push(['readFile', [path]], ['readFile', [path, 'utf8']]);
    }
  }
  for (const name of ['new.txt', 'made', 'nothing', 'something', 'third.txt', 'deep/er', 'copies/of']) {
    questions.push(['stat', [join(root, name)]], ['readFile', [join(root, name)]]);
  }
  return questions;
}

/** Through links to directories too, where they are at the top. */
function pathsBelow(folder: string, depth = 0): string[] {
  const paths: string[] = [];
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.name.startsWith('chain-')) {
      paths.push(path);
    }
    if (entry.isDirectory() || (depth === 0 && entry.isSymbolicLink() && isDirectory(path))) {
      paths.push(...pathsBelow(path, depth + 1));
    }
  }
  return paths;
}

/** False where a path leads nowhere, or round in circles. */
function isDirectory(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch {
    return false;
  }
}
