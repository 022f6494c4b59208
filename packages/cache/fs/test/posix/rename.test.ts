import { posix } from '../support/posix-kit.js';

posix('a file', [
  ['writeFile', './one', '1'],
  ['writeFile', './two', '22'],
  ['rename', './one', './three'],
  ['rename', './three', './two'],
  ['rename', './two', './two'],
  ['mkdir', './dir'],
  ['rename', './two', './dir'],
  ['rename', './dir', './two'],
  ['rename', './two', './dir/two'],
  ['rename', './dir/two', './dir/two/x'],
  ['rename', './dir/two', './none/two'],
  ['rename', './none', './other'],
  ['rename', './dir/two', './'],
  ['rename', './dir/two', './dir/two/'],
  ['rename', './dir/two/', './two'],
]);

posix('a file over another name of it', [
  ['writeFile', './one', '1'],
  ['link', './one', './two'],
  ['rename', './one', './two'],
  ['mkdir', './dir'],
  ['rename', './two', './dir/one'],
  ['writeFile', './dir/one', 'more'],
]);

posix('a directory', [
  ['mkdir', './from/below/deep', { recursive: true }],
  ['writeFile', './from/below/deep/file', 'content'],
  ['rename', './from', './to'],
  ['rename', './to/', './again/'],
  ['mkdir', './empty'],
  ['rename', './again', './empty'],
  ['mkdir', './full'],
  ['writeFile', './full/file', 'content'],
  ['rename', './empty', './full'],
  ['writeFile', './file', 'content'],
  ['rename', './empty', './file'],
  ['rename', './file', './empty'],
  ['rename', './empty', './empty/below/x'],
  ['rename', './empty', './empty/below'],
  ['rename', './empty/below', './empty'],
  ['rename', './empty/below', './empty/below/../beside'],
  ['rename', './empty/.', './x'],
  ['rename', './empty/..', './x'],
  ['rename', './full', './empty/.'],
]);

posix('a symlink, and over one', [
  ['mkdir', './dir'],
  ['writeFile', './dir/file', 'content'],
  ['symlink', 'dir', './link'],
  ['rename', './link', './moved'],
  ['rename', './moved/file', './moved/other'],
  ['symlink', 'nowhere', './dangling'],
  ['rename', './dangling', './moved'],
  ['writeFile', './plain', 'plain'],
  ['rename', './plain', './moved'],
  ['symlink', '../moved', './dir/up'],
  ['rename', './dir', './elsewhere'],
  ['readFile', './elsewhere/up'],
  ['symlink', 'elsewhere', './link'],
  ['rename', './elsewhere', './link'],
  ['rename', './link/', './x'],
]);

posix('what was there is there again, as something else', [
  ['mkdir', './name'],
  ['writeFile', './name/inside', 'content'],
  ['rename', './name', './away'],
  ['writeFile', './name', 'a file'],
  ['rename', './name', './file'],
  ['symlink', 'away', './name'],
  ['readFile', './name/inside'],
  ['unlink', './name'],
  ['rename', './away', './name'],
  ['rm', './name', { recursive: true }],
  ['mkdir', './name'],
]);
