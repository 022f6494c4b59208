import fs, { type Stats } from 'node:fs';
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
    const stats = statsOf(path);
    if (stats?.isDirectory() === true) {
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
    if (entry.isDirectory() || (depth === 0 && isLinkToDirectory(path, entry))) {
      paths.push(...pathsBelow(path, depth + 1));
    }
  }
  return paths;
}

function isLinkToDirectory(path: string, entry: fs.Dirent): boolean {
  if (!entry.isSymbolicLink()) {
    return false;
  }
  return statsOf(path)?.isDirectory() === true;
}

/** Undefined where a path leads nowhere, or round in circles. */
function statsOf(path: string): Stats | undefined {
  try {
    return fs.statSync(path);
  } catch {
    return undefined;
  }
}
