import { constants } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../src/index.js';

const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } = constants;

function codeOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return (error as { code: unknown }).code;
  }
  return null;
}

describe('inodes', () => {
  it('an inode number is used again at once, with a new time of birth', () => {
    let ms = 1000;
    const source = memorySource({ clock: { now: () => ms } });
    source.writeFileSync('/a');
    const old = source.lstatSync('/a');
    source.unlinkSync('/a');
    ms = 2000;
    source.writeFileSync('/b');
    const fresh = source.lstatSync('/b');
    expect(fresh.ino).toBe(old.ino);
    expect([old.birthtimeNs, fresh.birthtimeNs]).toEqual([1_000_000_000n, 2_000_000_000n]);
  });

  it('keep their number while a file is open, or a name is left', () => {
    const source = memorySource();
    source.writeFileSync('/a', 'kept');
    source.linkSync('/a', '/b');
    const file = source.openSync('/a', O_RDONLY);
    source.unlinkSync('/a');
    source.unlinkSync('/b');
    source.writeFileSync('/c');
    expect(source.lstatSync('/c').ino).not.toBe(file.statSync().ino);
    expect(file.statSync().nlink).toBe(0n);
    const bytes = Buffer.alloc(4);
    expect(file.readSync([bytes], 0)).toBe(4);
    expect(bytes.toString()).toBe('kept');
    const { ino } = file.statSync();
    file.closeSync();
    source.writeFileSync('/d');
    expect(source.lstatSync('/d').ino).toBe(ino);
    expect(source.openFiles).toBe(0);
  });

  it('are counted: none is left behind', () => {
    const source = memorySource();
    source.mkdirSync('/a/b/c', { recursive: true });
    source.writeFileSync('/a/x');
    source.renameSync('/a/x', '/a/b/y');
    source.writeFileSync('/a/b/c/y');
    source.renameSync('/a/b/y', '/a/b/c/y');
    expect(source.inodes).toBe(5);
    source.rmSync('/a');
    expect(source.inodes).toBe(1);
  });

  it('have times of the clock: of contents, of the inode, of the directory', () => {
    let ms = 1;
    const source = memorySource({ clock: { now: () => ms } });
    source.mkdirSync('/d');
    ms = 2;
    source.writeFileSync('/d/f', 'a');
    ms = 3;
    source.chmodSync('/d/f', 0o600);
    const file = source.lstatSync('/d/f');
    expect([file.birthtimeNs, file.mtimeNs, file.ctimeNs]).toEqual([2_000_000n, 2_000_000n, 3_000_000n]);
    expect(file.mtime.getTime()).toBe(2);
    expect(source.lstatSync('/d').mtimeNs).toBe(2_000_000n);
    ms = 4;
    source.renameSync('/d/f', '/f');
    expect(source.lstatSync('/d').mtimeNs).toBe(4_000_000n);
    expect(source.lstatSync('/f').mtimeNs).toBe(2_000_000n);
    source.utimesSync('/f', 9, 10.5);
    expect(source.lstatSync('/f').mtimeNs).toBe(10_500_000n);
  });

  it('of directories count what is below', () => {
    const source = memorySource();
    source.mkdirSync('/a');
    source.mkdirSync('/a/b');
    source.mkdirSync('/c');
    expect(source.lstatSync('/a').nlink).toBe(3n);
    source.renameSync('/a/b', '/c/b');
    expect([source.lstatSync('/a').nlink, source.lstatSync('/c').nlink]).toEqual([2n, 3n]);
    expect(source.realpathSync('/c/b/..')).toBe('/c');
  });
});

describe('permissions', () => {
  it('of directories on the way, of listings, of files', () => {
    const source = memorySource();
    source.mkdirSync('/d/e', { recursive: true });
    source.writeFileSync('/d/e/f', 'x');
    source.chmodSync('/d/e', 0o400);
    expect(codeOf(() => source.lstatSync('/d/e/f'))).toBe('EACCES');
    expect(codeOf(() => source.lstatSync('/d/e/nothing'))).toBe('EACCES');
    expect(source.readdirSync('/d/e')).toHaveLength(1);
    source.chmodSync('/d/e', 0o100);
    expect(source.lstatSync('/d/e/f').isFile()).toBe(true);
    expect(codeOf(() => source.readdirSync('/d/e'))).toBe('EACCES');
    source.chmodSync('/d/e', 0o500);
    expect(codeOf(() => source.unlinkSync('/d/e/f'))).toBe('EACCES');
    expect(codeOf(() => source.writeFileSync('/d/e/g'))).toBe('EACCES');
    source.chmodSync('/d/e/f', 0o200);
    expect(codeOf(() => source.openSync('/d/e/f', O_RDONLY))).toBe('EACCES');
    expect(codeOf(() => source.openSync('/d/e/f', O_WRONLY))).toBe(null);
  });
});

describe('names', () => {
  it('are one whatever their case, where the source says so, and stay as they were made', () => {
    const source = memorySource({ caseSensitive: false });
    source.mkdirSync('/Dir');
    source.writeFileSync('/DIR/Readme', 'x');
    expect(source.readFileSync('/dir/README').toString()).toBe('x');
    expect(source.realpathSync('/dir/readme')).toBe('/Dir/Readme');
    expect(codeOf(() => source.mkdirSync('/dir'))).toBe('EEXIST');
    source.renameSync('/dir/readme', '/dir/README');
    expect(source.readdirSync('/Dir')).toEqual([{ name: 'README', kind: 'file' }]);
    expect(source.caseSensitive).toBe(false);
  });

  it('that are no UTF-8 are listed with U+FFFD, and found by no path', () => {
    const source = memorySource();
    source.writeFileSync('/a\uDC80');
    expect(source.readdirSync('/')).toEqual([{ name: 'a\uFFFD', kind: 'file' }]);
    expect(codeOf(() => source.lstatSync('/a\uFFFD'))).toBe('ENOENT');
    expect(codeOf(() => source.lstatSync('/a\uDC80'))).toBe('ENOENT');
    source.unlinkSync('/a\uDC80');
    expect(source.readdirSync('/')).toEqual([]);
  });

  it('have kinds, unless the source tells none', () => {
    const kinds = ['file', 'fifo', 'socket', 'block-device', 'character-device', 'directory', 'symlink'] as const;
    const source = memorySource();
    const silent = memorySource({ tellsKinds: false });
    for (const kind of kinds) {
      source.mknodSync(`/${kind}`, kind);
      silent.mknodSync(`/${kind}`, kind);
    }
    expect(source.readdirSync('/').map(({ kind }) => kind)).toEqual(kinds);
    expect(new Set(silent.readdirSync('/').map(({ kind }) => kind))).toEqual(new Set(['unknown']));
    expect(source.lstatSync('/fifo').isFIFO()).toBe(true);
    expect(source.lstatSync('/socket').isSocket()).toBe(true);
    expect(source.lstatSync('/block-device').isBlockDevice()).toBe(true);
    expect(source.lstatSync('/character-device').isCharacterDevice()).toBe(true);
  });

  it('change places', () => {
    const source = memorySource();
    source.mkdirSync('/a/in', { recursive: true });
    source.writeFileSync('/f', 'x');
    source.renameSync('/a/in', '/f', { exchange: true });
    expect([source.lstatSync('/f').isDirectory(), source.readFileSync('/a/in').toString()]).toEqual([true, 'x']);
    expect(codeOf(() => source.renameSync('/a', '/nothing', { exchange: true }))).toBe('ENOENT');
    expect(codeOf(() => source.renameSync('/a', '/a/in', { exchange: true }))).toBe('EINVAL');
    expect(codeOf(() => source.renameSync('/a/in', '/a', { exchange: true }))).toBe('EINVAL');
  });
});

describe('open files', () => {
  it('read and write at positions, over several buffers, and past the end', () => {
    const source = memorySource();
    const file = source.openSync('/f', O_RDWR | O_CREAT, 0o600);
    expect(file.writeSync([Buffer.from('ab'), Buffer.from('cd')], 2)).toBe(4);
    const [first, second] = [Buffer.alloc(3, 'x'), Buffer.alloc(9, 'x')];
    expect(file.readSync([first, second], 0)).toBe(6);
    expect([first.toString(), second.toString()]).toEqual(['\0\0a', 'bcdxxxxxx']);
    expect(file.readSync([first], 6)).toBe(0);
    file.truncateSync(3);
    file.truncateSync(5);
    expect(source.readFileSync('/f').toString()).toBe('\0\0a\0\0');
    expect(file.writeSync([], 100)).toBe(0);
    expect(file.statSync().size).toBe(5n);
    file.datasyncSync();
    expect(Number(file.statSync().mode) & 0o777).toBe(0o600);
    file.closeSync();
  });

  it('append where they are opened so', () => {
    const source = memorySource();
    source.writeFileSync('/f', 'ab');
    source.openSync('/f', O_WRONLY | O_APPEND).writeSync([Buffer.from('c')], 0);
    expect(source.readFileSync('/f').toString()).toBe('abc');
  });

  it('refuse what they were not opened for, and everything once closed', async () => {
    const source = memorySource();
    source.writeFileSync('/f', 'ab');
    const reader = await source.open('/f', O_RDONLY);
    const writer = source.openSync('/f', O_WRONLY);
    expect(writer.fd).not.toBe(reader.fd);
    await expect(reader.write([Buffer.from('x')], 0)).rejects.toMatchObject({ code: 'EBADF', syscall: 'write' });
    await expect(reader.truncate(1)).rejects.toMatchObject({ code: 'EINVAL' });
    await expect(writer.read([Buffer.alloc(1)], 0)).rejects.toMatchObject({ code: 'EBADF', syscall: 'read' });
    await reader.close();
    for (const call of [
      () => reader.stat(),
      () => reader.read([], 0),
      () => reader.write([], 0),
      () => reader.datasync(),
      () => reader.truncate(0),
      () => reader.close(),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'EBADF' });
    }
    expect(codeOf(() => source.openSync('/', O_RDONLY).readSync([Buffer.alloc(1)], 0))).toBe('EISDIR');
    source.truncateSync('/f', 1);
    expect(source.readFileSync('/f').toString()).toBe('a');
  });

  it('answer as promises too', async () => {
    const source = memorySource();
    source.writeFileSync('/f', 'ab');
    source.symlinkSync('f', '/l');
    expect((await source.lstat('/f')).size).toBe(2n);
    expect(await source.readlink('/l')).toBe('f');
    expect(await source.readdir('/')).toHaveLength(2);
    await expect(source.lstat('/nothing')).rejects.toMatchObject({ code: 'ENOENT', path: '/nothing' });
  });
});

it('an option that is none is refused', () => {
  expect(() => memorySource({ casesensitive: true } as never)).toThrow('did you mean "caseSensitive"?');
});
