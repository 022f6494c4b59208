import { constants } from 'node:fs';
import type { NodeFs } from '@cache/fs';
import { posix, type Step } from '../support/posix-kit.js';

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

/** Opens, does something with the file, and closes it. */
function opened(name: string, flags: string | number, use: (fs: NodeFs, fd: number) => unknown = () => null): Step {
  return (fs, at) => {
    const fd = fs.openSync(at(name), flags, 0o640);
    try {
      return use(fs, fd);
    } finally {
      fs.closeSync(fd);
    }
  };
}

posix('what open makes, empties, and refuses', [
  opened('file', O_RDONLY),
  opened('file', O_CREAT | O_WRONLY),
  opened('file', O_CREAT | O_EXCL | O_WRONLY),
  opened('file', O_WRONLY | O_TRUNC, (fs, fd) => fs.writeSync(fd, 'content')),
  opened('file', O_RDWR | O_APPEND, (fs, fd) => fs.writeSync(fd, ' and more', 0)),
  opened('file', O_RDONLY, (fs, fd) => fs.writeSync(fd, 'not for writing')),
  opened('file', O_WRONLY, (fs, fd) => fs.readSync(fd, Buffer.alloc(3))),
  opened('file', O_RDONLY | O_TRUNC),
  opened('file', O_RDONLY | O_DIRECTORY),
  opened('file/', O_RDONLY),
  opened('file/', O_CREAT | O_WRONLY),
  opened('file/x', O_CREAT | O_WRONLY),
  opened('none/x', O_CREAT | O_WRONLY),
  ['mkdir', './dir'],
  opened('dir', O_RDONLY, (fs, fd) => fs.fstatSync(fd).isDirectory()),
  opened('dir', O_RDONLY, (fs, fd) => fs.readSync(fd, Buffer.alloc(3))),
  opened('dir', O_RDWR),
  opened('dir', O_RDONLY | O_CREAT),
  opened('dir/new/', O_CREAT | O_WRONLY),
]);

posix('open by links', [
  ['symlink', 'file', './link'],
  opened('link', O_RDONLY),
  opened('link', O_CREAT | O_EXCL | O_WRONLY),
  opened('link', O_CREAT | O_WRONLY, (fs, fd) => fs.writeSync(fd, 'by a link')),
  opened('link', O_RDONLY | O_NOFOLLOW),
  opened('link', O_WRONLY | O_TRUNC),
  ['symlink', 'loop', './loop'],
  opened('loop', O_CREAT | O_WRONLY),
  ['mkdir', './dir'],
  ['symlink', 'dir', './to-dir'],
  opened('to-dir/file', 'wx'),
  opened('to-dir', O_RDONLY | O_NOFOLLOW),
  opened('to-dir/', O_RDONLY | O_DIRECTORY),
]);

posix('a file that loses its name while it is open', [
  ['writeFile', './file', 'content'],
  (fs, at) => {
    const fd = fs.openSync(at('file'), 'r+');
    fs.unlinkSync(at('file'));
    fs.writeSync(fd, 'still there');
    const { nlink, size } = fs.fstatSync(fd);
    const content = fs.readFileSync(fd, 'utf8');
    fs.writeFileSync(at('file'), 'another');
    fs.ftruncateSync(fd, 2);
    fs.closeSync(fd);
    return [nlink, size, content];
  },
  (fs, at) => {
    const fd = fs.openSync(at('file'), 'a');
    fs.renameSync(at('file'), at('moved'));
    fs.writeFileSync(at('file'), 'third');
    fs.writeSync(fd, ' and more');
    fs.closeSync(fd);
    return [fs.readFileSync(at('file'), 'utf8'), fs.readFileSync(at('moved'), 'utf8')];
  },
]);
