import nodeFs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FsSourceError, type NodeFsLike, nodeSource } from '../src/index.js';

let folder = '';

beforeEach(() => {
  folder = nodeFs.mkdtempSync(path.join(os.tmpdir(), 'fs-source-'));
  nodeFs.writeFileSync(`${folder}/f`, 'contents');
  nodeFs.symlinkSync('f', `${folder}/l`);
  nodeFs.mkdirSync(`${folder}/d`);
});

afterEach(() => {
  nodeFs.rmSync(folder, { recursive: true });
});

/** Names of functions that a module of node's shape is left with. */
function only(pick: (name: string) => boolean): NodeFsLike {
  return Object.fromEntries(Object.entries(nodeFs).filter(([name]) => pick(name))) as NodeFsLike;
}

const isSync = (name: string): boolean => name.endsWith('Sync');
const FORMS: readonly (readonly [string, NodeFsLike])[] = [
  ['node:fs', nodeFs],
  ['with callbacks alone', only((name) => !isSync(name) && name !== 'promises')],
  ['with promises alone', { promises: nodeFs.promises } as NodeFsLike],
  ['with synchronous functions alone', only(isSync)],
  ['without vectors', only((name) => !/^(readv|writev|fdatasync)/.test(name))],
];

describe.each(FORMS)('a file system %s', (_, fs) => {
  it('answers by promises', async () => {
    const source = nodeSource(fs);
    expect((await source.lstat(`${folder}/f`)).ino).toBe(nodeFs.statSync(`${folder}/f`, { bigint: true }).ino);
    expect(await source.readlink(`${folder}/l`)).toBe('f');
    const entries = await source.readdir(folder);
    expect(entries.map(({ name, kind }) => `${name}:${kind}`).toSorted()).toEqual([
      'd:directory',
      'f:file',
      'l:symlink',
    ]);
    const nothing = `${folder}/nothing`;
    const calls: Promise<unknown>[] = [
      source.lstat(nothing),
      source.readdir(nothing),
      source.readlink(nothing),
      source.open(nothing, 0),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ENOENT' } });
    }
  });

  it('has files', async () => {
    const source = nodeSource(fs);
    const file = await source.open(`${folder}/new`, nodeFs.constants.O_RDWR | nodeFs.constants.O_CREAT);
    expect(await file.write([Buffer.from('ab'), Buffer.from('cde')], 1)).toBe(5);
    await file.datasync();
    await file.truncate(5);
    const [first, second] = [Buffer.alloc(2), Buffer.alloc(8)];
    expect(await file.read([first, second], 0)).toBe(5);
    expect(Buffer.concat([first, second.subarray(0, 3)]).toString()).toBe('\0abcd');
    expect((await file.stat()).size).toBe(5n);
    expect(file.fd).toBeGreaterThan(2);
    await file.close();
    // The number may be another file's by now.
    for (const outcome of await Promise.allSettled<unknown>([file.stat(), file.datasync(), file.close()])) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'EBADF' } });
    }
    await expect(file.read([first], 0)).rejects.toMatchObject({ code: 'EBADF', syscall: 'read' });
    await expect(file.write([first], 0)).rejects.toMatchObject({ code: 'EBADF' });
    await expect(file.truncate(0)).rejects.toMatchObject({ code: 'EBADF' });
  });
});

describe.each(FORMS.filter(([, fs]) => fs.lstatSync !== undefined))('a file system %s', (_, fs) => {
  it('answers synchronously', () => {
    const source = nodeSource(fs);
    expect(source.lstatSync(`${folder}/l`).isSymbolicLink()).toBe(true);
    expect(source.readlinkSync(`${folder}/l`)).toBe('f');
    expect(source.readdirSync(folder)).toHaveLength(3);
    const file = source.openSync(`${folder}/new`, nodeFs.constants.O_RDWR | nodeFs.constants.O_CREAT, 0o600);
    expect(file.writeSync([Buffer.from('ab'), Buffer.from('cde')], 1)).toBe(5);
    file.datasyncSync();
    file.truncateSync(5);
    const [first, second] = [Buffer.alloc(2), Buffer.alloc(8)];
    expect(file.readSync([first, second], 0)).toBe(5);
    expect(file.statSync().mode & 0o777n).toBe(0o600n);
    file.closeSync();
    expect(() => file.statSync()).toThrow(expect.objectContaining({ code: 'EBADF' }));
    expect(() => file.closeSync()).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });
});

describe('what is missing', () => {
  it('is told for each call', async () => {
    const source = nodeSource({});
    const calls: (() => unknown)[] = [
      () => source.lstatSync('/f'),
      () => source.readdirSync('/f'),
      () => source.readlinkSync('/f'),
      () => source.openSync('/f', 0),
      () => source.lstat('/f'),
      () => source.readdir('/f'),
      () => source.readlink('/f'),
      () => source.open('/f', 0),
    ];
    for (const call of calls) {
      const error: unknown = await Promise.resolve()
        .then(call)
        .catch((reason: unknown) => reason);
      expect(FsSourceError.is(error)).toBe(true);
      expect(error).toMatchObject({
        code: 'ERR_FS_SOURCE_UNSUPPORTED',
        message: expect.stringMatching(/^Cannot .*'\/f': the file system has no \w+Sync; pass one that has/),
      });
    }
  });

  it('is told for each call of a file that has promises alone', async () => {
    const file = await nodeSource({ promises: nodeFs.promises } as NodeFsLike).open(`${folder}/f`, 0);
    const calls = [
      () => file.statSync(),
      () => file.readSync([], 0),
      () => file.writeSync([], 0),
      () => file.datasyncSync(),
      () => file.truncateSync(0),
      () => file.closeSync(),
    ];
    for (const call of calls) {
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_FS_SOURCE_UNSUPPORTED' }));
    }
    await file.close();
  });
});

describe('a file system that knows less than node', () => {
  it('has numbers made bigints, and entries of unknown kind', () => {
    const source = nodeSource({
      lstatSync: () =>
        ({
          mode: 0,
          size: 7,
          mtime: new Date(5),
          ctimeMs: 1.5,
          isFile: () => true,
          isDirectory: () => false,
        }) as unknown as nodeFs.Stats,
      readdirSync: () => ['a'],
    });
    const stats = source.lstatSync('/f');
    expect([stats.isFile(), stats.size, stats.ino, stats.mtimeNs, stats.ctimeNs]).toEqual([
      true,
      7n,
      0n,
      5_000_000n,
      1_500_000n,
    ]);
    expect(stats.mtime).toEqual(new Date(5));
    expect(source.readdirSync('/')).toEqual([{ name: 'a', kind: 'unknown' }]);
  });
});

it('errors pass through untouched', async () => {
  const error = new Error('mine');
  const source = nodeSource({
    lstat: (_, __, callback) => callback(error, undefined as never),
    readdir: () => {
      throw error;
    },
  });
  await expect(source.lstat('/')).rejects.toBe(error);
  await expect(source.readdir('/')).rejects.toBe(error);
});

it('functions that are replaced later are the ones called', () => {
  const fs: NodeFsLike = { ...only(isSync) };
  const source = nodeSource(fs);
  fs.readlinkSync = () => 'replaced';
  expect(source.readlinkSync('/')).toBe('replaced');
});

it('the case of names counts by platform, or as told', () => {
  expect(nodeSource().caseSensitive).toBe(!['darwin', 'win32'].includes(process.platform));
  expect(nodeSource(nodeFs, { caseSensitive: false }).caseSensitive).toBe(false);
});
