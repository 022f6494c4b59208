import { once } from 'node:events';
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { createCachedFs } from '@cache/fs';
import { describe, expect, it } from 'vitest';
import { countedFs } from './support/counted-fs.js';
import { outcomeOf } from './support/outcome.js';
import { rootedFs } from './support/rooted-fs.js';
import { scratch } from './support/scratch.js';

/** So that nothing is too young to be cached. */
const LONG_AGO = new Date(1_600_000_000_000);

describe('a read', () => {
  it('changes when the file was accessed last, as the file system sees it', async () => {
    using area = scratch();
    const fs = createCachedFs();
    const file = join(area.path, 'file');
    for (const read of [() => fs.readFileSync(file), () => fs.promises.readFile(file, 'utf8')]) {
      fs.writeFileSync(file, 'content');
      fs.utimesSync(file, LONG_AGO, LONG_AGO);
      expect(fs.statSync(file)).toEqual(nodeFs.statSync(file));
      await read();
      expect(fs.statSync(file)).toEqual(nodeFs.statSync(file));
      expect((await fs.promises.lstat(file)).atimeMs).toBe(nodeFs.statSync(file).atimeMs);
    }
  });

  it('by a flag that makes the file, or empties it, is a change', async () => {
    using area = scratch();
    const fs = createCachedFs();
    const at = (name: string): string => join(area.path, name);
    const sizes = (name: string): number | undefined => fs.statSync(at(name), { throwIfNoEntry: false })?.size;
    expect(['sync', 'callback', 'promise'].map(sizes)).toEqual([undefined, undefined, undefined]);
    fs.readFileSync(at('sync'), { flag: 'a+' });
    await new Promise((resolve) => void fs.readFile(at('callback'), { flag: 'a+' }, resolve));
    await fs.promises.readFile(at('promise'), { flag: 'a+', encoding: 'utf8' });
    expect(['sync', 'callback', 'promise'].map(sizes)).toEqual([0, 0, 0]);
    fs.writeFileSync(at('sync'), 'content');
    expect(sizes('sync')).toBe(7);
    fs.readFileSync(at('sync'), { flag: 'w+' });
    expect(sizes('sync')).toBe(0);
  });

  it('of what is not known is made in the form that it is asked in', async () => {
    using area = scratch();
    const below = countedFs();
    const fs = createCachedFs({ fs: below.fs });
    for (const name of ['callback', 'promise']) {
      nodeFs.writeFileSync(join(area.path, name), name);
    }
    await fs.promises.readFile(join(area.path, 'promise'));
    await new Promise((resolve) => void fs.readFile(join(area.path, 'callback'), resolve));
    expect(below.promiseCalls()).toEqual(['readFile']);
    expect(below.calls()).toEqual(['readFile', 'readFile']);
    await fs.promises.writeFile(join(area.path, 'promise'), 'written');
    below.reset();
    await fs.promises.readFile(join(area.path, 'promise'));
    expect(below.promiseCalls()).toEqual(['readFile']);
  });
});

it('a promise that is rejected tells who awaits it, but for a flood of them', async () => {
  using area = scratch();
  const fs = createCachedFs();
  const path = join(area.path, 'nothing');
  async function whoAwaits(): Promise<void> {
    await fs.promises.access(path);
  }
  const stackOf = (error: Error): string => error.stack ?? '';
  fs.existsSync(path);
  expect(await whoAwaits().catch(stackOf)).toMatch(/at (async )?whoAwaits/);
  const stacks = await Promise.all(Array.from({ length: 100 }, () => whoAwaits().catch(stackOf)));
  expect(stacks.at(-1)).not.toContain('\n    at ');
});

describe('over a file system with paths of its own', () => {
  it('streams open the file that is meant', async () => {
    using area = scratch();
    const fs = createCachedFs({ fs: rootedFs(nodeFs, area.path) });
    await once(fs.createWriteStream('/file').end('written'), 'close');
    expect(nodeFs.readFileSync(join(area.path, 'file'), 'utf8')).toBe('written');
    const read = await fs.createReadStream('/file').toArray();
    expect(Buffer.concat(read as Buffer[]).toString()).toBe('written');
  });

  it('relative paths begin where it says', () => {
    using area = scratch();
    const fs = createCachedFs({ fs: rootedFs(nodeFs, area.path) });
    nodeFs.writeFileSync(join(area.path, 'file'), 'content');
    expect(fs.existsSync('file')).toBe(true);
    expect(fs.statSync('file').size).toBe(7);
    fs.writeFileSync('/file', 'more content');
    expect(fs.statSync('file').size).toBe(12);
  });

  it('of which it does not say where they begin, changes are known anyway', () => {
    using area = scratch();
    const { realpathSync, ...rest } = rootedFs(nodeFs, area.path);
    const fs = createCachedFs({ fs: rest });
    fs.writeFileSync('/file', 'content');
    expect(fs.statSync('/file').size).toBe(7);
    fs.writeFileSync('file', 'more content');
    expect([fs.statSync('file').size, fs.statSync('/file').size]).toEqual([12, 12]);
    expect(realpathSync('/file')).toBe('/file');
  });
});

describe('the working directory', () => {
  it('may be moved, removed and made again, with the process in it', async () => {
    using area = scratch();
    const before = process.cwd();
    const at = (name: string): string => join(area.path, name);
    const fs = createCachedFs();
    const expectSame = async (): Promise<void> => {
      for (const form of ['sync', 'callback', 'promise'] as const) {
        for (const name of ['stat', 'readFile', 'access', 'readdir']) {
          for (const path of ['file', '.', '..', '../other']) {
            const theirs = await outcomeOf(nodeFs, name, form, [path]);
            expect(await outcomeOf(fs, name, form, [path]), `${form} ${name} ${path}`).toEqual(theirs);
          }
        }
      }
    };
    fs.mkdirSync(at('above/here'), { recursive: true });
    fs.writeFileSync(at('above/here/file'), 'content');
    fs.mkdirSync(at('above/other'));
    try {
      process.chdir(at('above/here'));
      await expectSame();
      fs.renameSync(at('above'), at('moved'));
      await expectSame();
      fs.mkdirSync(at('above/here'), { recursive: true });
      await expectSame();
      process.chdir(at('above'));
      await expectSame();
      process.chdir(at('above/here'));
      await expectSame();
      await fs.promises.rm(at('above'), { recursive: true });
      fs.mkdirSync(at('above/here'), { recursive: true });
      fs.writeFileSync(at('above/here/file'), 'another');
      await expectSame();
    } finally {
      process.chdir(before);
    }
  });
});

describe('a change by a path that the cache does not keep', () => {
  it('of bytes that are no UTF-8', async () => {
    using area = scratch();
    const fs = createCachedFs();
    const odd = Buffer.concat([Buffer.from(`${area.path}/`), Buffer.from([0xff, 0xfe])]);
    const even = join(area.path, 'even');
    const look = (): unknown => [
      fs.readdirSync(area.path),
      fs.existsSync(odd),
      fs.statSync(even, { throwIfNoEntry: false })?.nlink,
      fs.existsSync(even) ? fs.readFileSync(even, 'utf8') : null,
    ];
    expect(look()).toEqual([[], false, undefined, null]);
    fs.writeFileSync(odd, 'content');
    expect(look()).toEqual([['\u{fffd}\u{fffd}'], true, undefined, null]);
    fs.linkSync(odd, even);
    fs.utimesSync(odd, LONG_AGO, LONG_AGO);
    expect(look()).toEqual([['even', '\u{fffd}\u{fffd}'], true, 2, 'content']);
    fs.appendFileSync(odd, ' and more');
    fs.utimesSync(odd, LONG_AGO, LONG_AGO);
    expect(look()).toEqual([['even', '\u{fffd}\u{fffd}'], true, 2, 'content and more']);
    const fd = fs.openSync(odd, 'r+');
    fs.writeSync(fd, 'CONTENT');
    expect(look()).toEqual([['even', '\u{fffd}\u{fffd}'], true, 2, 'CONTENT and more']);
    fs.closeSync(fd);
    const handle = await fs.promises.open(odd, 'r+');
    await handle.write('By handle');
    expect(look()).toEqual([['even', '\u{fffd}\u{fffd}'], true, 2, 'By handlend more']);
    await handle.close();
    fs.closeSync(fs.openSync(odd, 'w'));
    expect(look()).toEqual([['even', '\u{fffd}\u{fffd}'], true, 2, '']);
    fs.unlinkSync(odd);
    expect(look()).toEqual([['even'], false, 1, '']);
    nodeFs.linkSync(even, odd);
    fs.invalidate(odd);
    expect(look()).toEqual([['even', '\u{fffd}\u{fffd}'], true, 2, '']);
  });

  it.runIf(process.platform === 'linux')('of the process', () => {
    using area = scratch();
    const fs = createCachedFs();
    const file = join(area.path, 'file');
    fs.writeFileSync(file, 'content');
    fs.utimesSync(file, LONG_AGO, LONG_AGO);
    expect([fs.statSync(file).size, fs.readFileSync(file, 'utf8')]).toEqual([7, 'content']);
    const fd = fs.openSync(file, 'r+');
    fs.writeFileSync(`/proc/self/fd/${fd}`, 'more content');
    expect([fs.statSync(file).size, fs.readFileSync(file, 'utf8')]).toEqual([12, 'more content']);
    fs.truncateSync(`/dev/fd/${fd}`, 4);
    expect([fs.statSync(file).size, fs.readFileSync(file, 'utf8')]).toEqual([4, 'more']);
    fs.closeSync(fd);
  });
});

describe('a change by a descriptor', () => {
  it('that was opened elsewhere', async () => {
    using area = scratch();
    const fs = createCachedFs();
    const file = join(area.path, 'file');
    fs.writeFileSync(file, 'content');
    fs.utimesSync(file, LONG_AGO, LONG_AGO);
    const look = (): unknown => [fs.statSync(file).size, fs.readFileSync(file, 'utf8')];
    expect(look()).toEqual([7, 'content']);
    const fd = nodeFs.openSync(file, 'r+');
    fs.writeSync(fd, 'CONTENT!');
    expect(look()).toEqual([8, 'CONTENT!']);
    fs.closeSync(fd);
    const handle = await nodeFs.promises.open(file, 'w');
    await fs.promises.writeFile(handle, 'by a handle');
    expect(look()).toEqual([11, 'by a handle']);
    await handle.close();
  });

  it('whose file was moved by another path than it was opened by', () => {
    using area = scratch();
    const fs = createCachedFs();
    const at = (name: string): string => join(area.path, name);
    fs.mkdirSync(at('real'));
    fs.symlinkSync('real', at('link'));
    fs.writeFileSync(at('real/file'), 'content');
    fs.utimesSync(at('real/file'), LONG_AGO, LONG_AGO);
    const fd = fs.openSync(at('link/file'), 'r+');
    fs.renameSync(at('real/file'), at('real/moved'));
    fs.readdirSync(at('real'));
    expect([fs.readFileSync(at('real/moved'), 'utf8'), fs.statSync(at('real/moved')).size]).toEqual(['content', 7]);
    fs.writeSync(fd, 'by descriptor');
    expect([fs.readFileSync(at('real/moved'), 'utf8'), fs.statSync(at('real/moved')).size]).toEqual([
      'by descriptor',
      13,
    ]);
    fs.closeSync(fd);
  });
});

it('a change of a file of two names of which nobody has seen that there are two', () => {
  using area = scratch();
  const fs = createCachedFs();
  const [one, two] = [join(area.path, 'one'), join(area.path, 'two')];
  nodeFs.writeFileSync(one, 'content');
  nodeFs.linkSync(one, two);
  expect([fs.existsSync(one), fs.existsSync(two)]).toEqual([true, true]);
  expect(fs.readFileSync(two, 'utf8')).toBe('content');
  fs.appendFileSync(one, ' and more');
  expect(fs.readFileSync(two, 'utf8')).toBe('content and more');
  const fd = fs.openSync(one, 'r+');
  fs.writeSync(fd, 'CONTENT');
  expect(fs.readFileSync(two, 'utf8')).toBe('CONTENT and more');
  fs.closeSync(fd);
});

it('a change by a descriptor, whatever became of the way to its file', () => {
  using area = scratch();
  const fs = createCachedFs();
  const at = (name: string): string => join(area.path, name);
  fs.mkdirSync(at('real'));
  fs.mkdirSync(at('other'));
  fs.symlinkSync('real', at('link'));
  fs.writeFileSync(at('real/file'), 'content');
  fs.utimesSync(at('real/file'), LONG_AGO, LONG_AGO);
  fs.writeFileSync(at('other/file'), 'other');
  const fd = fs.openSync(at('link/file'), 'r+');
  fs.unlinkSync(at('link'));
  fs.symlinkSync('other', at('link'));
  const look = (): unknown => [fs.statSync(at('real/file')).size, fs.readFileSync(at('real/file'), 'utf8')];
  expect(look()).toEqual([7, 'content']);
  fs.writeSync(fd, 'by descriptor');
  expect(look()).toEqual([13, 'by descriptor']);
  fs.closeSync(fd);
});

it('a file that has grown too large to be kept since it was looked at is the caller’s own', () => {
  using area = scratch();
  const fs = createCachedFs({ maxBytes: 4000 });
  const file = join(area.path, 'file');
  const write = (content: string): void => {
    fs.writeFileSync(file, content);
    fs.utimesSync(file, LONG_AGO, LONG_AGO);
  };
  write('small');
  fs.statSync(file);
  fs.readFileSync(file);
  write('x'.repeat(2000));
  for (let times = 0; times < 3; times++) {
    expect(fs.readFileSync(file).toString()).toBe('x'.repeat(2000));
    fs.readFileSync(file).fill(0);
  }
});
