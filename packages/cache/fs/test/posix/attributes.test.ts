import { posix } from '../support/posix-kit.js';

const LONG_AGO = new Date(1_000_000_000_123);
/** Of which there are few at this user. */
const SOMEBODY = 12_345;
const isRoot = process.getuid?.() === 0;

posix('chmod', [
  ['writeFile', './file', 'content'],
  ['mkdir', './dir'],
  ['symlink', 'file', './link'],
  ['chmod', './file', 0o600],
  ['chmod', './file', 0o4755],
  ['chmod', './link', 0o640],
  ['chmod', './dir', 0o1777],
  ['chmod', './dir/', 0o755],
  ['chmod', './none', 0o600],
  ['chmod', './file/x', 0o600],
  (fs, at) => {
    const fd = fs.openSync(at('file'), 'r');
    fs.fchmodSync(fd, 0o444);
    fs.closeSync(fd);
  },
]);

posix('utimes and lutimes', [
  ['writeFile', './file', 'content'],
  ['mkdir', './dir'],
  ['symlink', 'file', './link'],
  ['utimes', './file', LONG_AGO, LONG_AGO],
  ['utimes', './link', 1_234_567.5, 1_234_567.5],
  ['lutimes', './link', LONG_AGO, LONG_AGO],
  ['lutimes', './dir', 1, 1],
  ['utimes', './dir', 0, 0],
  ['utimes', './file', -1.5, -1.5],
  ['utimes', './file', 4_294_967_297, 4_294_967_297],
  ['utimes', './none', 1, 1],
  ['utimes', './file/x', 1, 1],
  ['utimes', './file', 'x', 1],
  (fs, at) => {
    const fd = fs.openSync(at('file'), 'r');
    fs.futimesSync(fd, 7, 7);
    fs.closeSync(fd);
  },
]);

posix('truncate', [
  ['writeFile', './file', 'some content'],
  ['truncate', './file', 4],
  ['truncate', './file'],
  ['truncate', './file', 10_000],
  ['symlink', 'file', './link'],
  ['truncate', './link', 5],
  ['truncate', './file', -1],
  ['mkdir', './dir'],
  ['truncate', './dir', 0],
  ['truncate', './none', 0],
  ['truncate', './file/x', 0],
  (fs, at) => {
    const fd = fs.openSync(at('file'), 'r+');
    fs.ftruncateSync(fd, 3);
    fs.closeSync(fd);
  },
]);

if (isRoot) {
  posix('chown and lchown', [
    ['writeFile', './file', 'content'],
    ['symlink', 'file', './link'],
    ['chmod', './file', 0o6755],
    ['chown', './file', SOMEBODY, SOMEBODY],
    ['chown', './link', 0, SOMEBODY],
    ['lchown', './link', SOMEBODY, 0],
    ['chown', './none', 0, 0],
    ['chown', './file/x', 0, 0],
    (fs, at) => {
      const fd = fs.openSync(at('file'), 'r');
      fs.fchownSync(fd, 0, 0);
      fs.closeSync(fd);
    },
  ]);
}
