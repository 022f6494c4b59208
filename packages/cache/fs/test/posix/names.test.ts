import { posix } from '../support/posix-kit.js';

const LONGEST = 'n'.repeat(255);
const TOO_LONG = 'n'.repeat(256);
/** Bytes count, not characters. */
const LONGEST_UTF8 = `${'ü'.repeat(127)}x`;
const TOO_LONG_UTF8 = 'ü'.repeat(128);
/** With the root before it, too long for a path. */
const TOO_LONG_PATH = 'd/'.repeat(2100);

for (const [name, ...rest] of [
  ['writeFile', 'content'],
  ['mkdir'],
  ['unlink'],
  ['rmdir'],
  ['chmod', 0o600],
  ['truncate', 3],
  ['utimes', 1e9, 1e9],
  ['rename', './other'],
  ['link', './other'],
  ['readFile'],
] as const) {
  posix(`${name}: names and paths that are too long, or as long as can be`, [
    [name, `./${TOO_LONG}`, ...rest],
    [name, `./${TOO_LONG_UTF8}`, ...rest],
    [name, `./${TOO_LONG}/x`, ...rest],
    [name, `./${TOO_LONG_PATH}`, ...rest],
    [name, `./${LONGEST}`, ...rest],
    ['writeFile', './file', 'content'],
    [name, `./file/${TOO_LONG}`, ...rest],
    [name, './file/x', ...rest],
    [name, './file/', ...rest],
    ['mkdir', './dir'],
    [name, `./dir/${LONGEST_UTF8}`, ...rest],
    [name, './dir/', ...rest],
    [name, './dir/.', ...rest],
    [name, './dir/..', ...rest],
    [name, './dir/none/..', ...rest],
  ]);

  posix(`${name}: links in circles, and out of files`, [
    ['symlink', 'two', './one'],
    ['symlink', 'one', './two'],
    ['symlink', 'self', './self'],
    [name, './self/x', ...rest],
    [name, './one/x', ...rest],
    [name, './self', ...rest],
    ['symlink', 'nowhere', './dangling'],
    [name, './dangling/x', ...rest],
    [name, './dangling/', ...rest],
    [name, './dangling', ...rest],
    ['writeFile', './plain', 'content'],
    ['symlink', 'plain', './to-plain'],
    [name, './to-plain/x', ...rest],
    [name, './to-plain/', ...rest],
    [name, './to-plain', ...rest],
  ]);
}

posix('as many links as may be followed, and one more', [
  ['mkdir', './0'],
  (fs, at) => {
    for (let link = 1; link <= 42; link++) {
      fs.symlinkSync(String(link - 1), at(String(link)));
    }
  },
  ['writeFile', './40/file', 'content'],
  ['writeFile', './41/file', 'content'],
  ['readFile', './40/file'],
  ['readFile', './41/file'],
  ['unlink', './20'],
  ['readFile', './40/file'],
  ['symlink', '0', './20'],
  ['readFile', './41/file'],
]);

posix('empty paths, and such as end in the middle', [
  ['writeFile', './a\0b', 'content'],
  ['mkdir', ''],
  ['stat', ''],
  ['rename', '', './x'],
  ['symlink', '', './empty'],
  ['mkdir', './dir'],
  ['writeFile', './dir//file', 'content'],
  ['rename', './dir/./file', './dir//moved'],
  ['unlink', './dir/../dir/moved'],
]);
