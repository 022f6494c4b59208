import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { memorySource, nodeSource } from '@core/fs-source';
import { describe, expect, it } from 'vitest';
import { DentryCache, KIND_DIRECTORY, KIND_FILE, KIND_OTHER, KIND_SYMLINK } from '../src/index.js';
import { check } from './support/insides.js';
import { cacheOutcome, cacheOutcomeLater, codeOf, outcomeOf, sourceOutcome } from './support/outcome.js';

const PATHS = [
  '',
  '/',
  '//',
  '/.',
  '/..',
  '/../d',
  '/d',
  '/d/',
  '//d///e',
  '/d/./e/h',
  '/d/../f',
  '/d/..',
  '/d/.',
  '/f',
  '/f/',
  '/f//',
  '/f/.',
  '/f/x',
  '/f/..',
  '/nothing',
  '/nothing/',
  '/nothing/x',
  '/nothing/..',
  '/to-d',
  '/to-d/',
  '/to-d/e',
  '/to-d/../f',
  '/to-d/up',
  '/to-f',
  '/to-f/',
  '/to-f/..',
  '/to-f-slash',
  '/to-f-slash/x',
  '/to-e/..',
  '/to-e/../g',
  '/dangling',
  '/dangling/',
  '/dangling/x',
  '/loop-a',
  '/loop-a/',
  '/loop-a/x',
  '/d/up',
  '/d/e/absolute',
  '/d/e/absolute/absolute/h',
  '/to-to-d/e/absolute/..',
  '/closed',
  '/closed/x',
  '/closed/in',
  '/closed/..',
  '/listed',
  '/listed/in',
  '/listed/x',
  '/listed/in/x',
  '/listed/..',
  '/searched/in',
  '/searched/x',
  '/fifo',
  '/fifo/x',
  '/l40',
  '/l41',
  '/\uFFFD',
  '/b\uDC80',
  '/\u{1F600}',
  '/__proto__',
  '/constructor',
  `/${'x'.repeat(255)}`,
  `/${'x'.repeat(256)}`,
  `/${'\u20AC'.repeat(86)}`,
  `/d/${'x'.repeat(256)}/y`,
  `/nothing/${'x'.repeat(256)}`,
  `/${'d/../'.repeat(900)}`,
];

function furnished(): ReturnType<typeof memorySource> {
  let nowMs = 0;
  const memory = memorySource({ clock: { now: () => ++nowMs } });
  memory.mkdirSync('/d/e', { recursive: true });
  for (const name of ['/f', '/d/g', '/d/e/h', '/b\uDC80', '/\u{1F600}', '/__proto__']) {
    memory.writeFileSync(name, name);
  }
  memory.symlinkSync('d', '/to-d');
  memory.symlinkSync('f', '/to-f');
  memory.symlinkSync('f/', '/to-f-slash');
  memory.symlinkSync('d/e', '/to-e');
  memory.symlinkSync('nothing', '/dangling');
  memory.symlinkSync('loop-b', '/loop-a');
  memory.symlinkSync('loop-a', '/loop-b');
  memory.symlinkSync('../d/./e//h', '/d/up');
  memory.symlinkSync('/d/e', '/d/e/absolute');
  memory.symlinkSync('to-d', '/to-to-d');
  memory.mknodSync('/fifo', 'fifo');
  memory.symlinkSync('f', '/l1');
  for (let links = 2; links <= 41; links++) {
    memory.symlinkSync(`l${links - 1}`, `/l${links}`);
  }
  for (const [name, mode] of [
    ['closed', 0],
    ['listed', 0o400],
    ['searched', 0o100],
  ] as const) {
    memory.mkdirSync(`/${name}`);
    memory.writeFileSync(`/${name}/in`);
    memory.chmodSync(`/${name}`, mode);
  }
  return memory;
}

describe.each([
  ['with listings', {}],
  ['without', { maxListed: 0 }],
  ['with late ones', { listAfter: 3 }],
])('every path leads where the source says, %s', (_, options) => {
  it.each([true, false])('follow: %s', async (follow) => {
    const memory = furnished();
    const cache = new DentryCache({ source: memory, ...options });
    for (let round = 0; round < 3; round++) {
      for (const name of PATHS) {
        const expected = [name, sourceOutcome(memory, name, follow)];
        expect([name, cacheOutcome(cache, name, follow)]).toEqual(expected);
        expect([name, await cacheOutcomeLater(cache, name, follow)]).toEqual(expected);
        check(cache);
      }
    }
    // And each as the first of a cache of its own.
    for (const name of PATHS) {
      const alone = new DentryCache({ source: memory, ...options });
      expect([name, await cacheOutcomeLater(alone, name, follow)]).toEqual([name, sourceOutcome(memory, name, follow)]);
    }
  });

  it('has real paths and directories', async () => {
    const memory = furnished();
    const cache = new DentryCache({ source: memory, ...options });
    for (const name of PATHS) {
      const real = outcomeOf(() => memory.realpathSync(name));
      expect([name, outcomeOf(() => cache.realpathSync(name))]).toEqual([name, real]);
      expect([name, await cache.realpath(name).catch(codeOf)]).toEqual([name, real]);
      const entries = outcomeOf(() => JSON.stringify(memory.readdirSync(name)));
      expect([name, outcomeOf(() => JSON.stringify(cache.readdirSync(name)))]).toEqual([name, entries]);
      expect([name, await cache.readdir(name).then(JSON.stringify, codeOf)]).toEqual([name, entries]);
      const target = outcomeOf(() => memory.readlinkSync(name));
      expect([name, outcomeOf(() => cache.readlinkSync(name))]).toEqual([name, target]);
      expect([name, await cache.readlink(name).catch(codeOf)]).toEqual([name, target]);
      const alone = new DentryCache({ source: memory, ...options });
      expect([name, await alone.readlink(name).catch(codeOf)]).toEqual([name, target]);
    }
  });
});

it('walks of the real file system', async () => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dentry-')));
  try {
    fs.mkdirSync(`${folder}/d/e`, { recursive: true });
    fs.writeFileSync(`${folder}/d/f`, 'x');
    fs.symlinkSync('d', `${folder}/l`);
    const cache = new DentryCache({ source: nodeSource() });
    for (const name of ['/d/f', '/l/f', '/l/../d/e', '/nothing', '/d/f/', '/d/f/x', '/l']) {
      for (const follow of [true, false]) {
        const real = outcomeOf(() =>
          String((follow ? fs.statSync : fs.lstatSync)(folder + name, { bigint: true }).ino),
        );
        const inoOf = (dentry: ReturnType<typeof cache.walkSync>): string =>
          dentry.missing ?? String(dentry.inode?.stats.ino);
        expect([name, inoOf(cache.walkSync(folder + name, { follow }))]).toEqual([name, real]);
        expect([name, inoOf(await cache.walk(folder + name, { follow }))]).toEqual([name, real]);
      }
    }
    expect(cache.realpathSync(`${folder}/l/e`)).toBe(`${folder}/d/e`);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

describe('errors', () => {
  it('are like node’s', async () => {
    const cache = new DentryCache({ source: furnished() });
    const error = (call: () => unknown): unknown => {
      try {
        return call();
      } catch (reason) {
        return reason;
      }
    };
    const loop = { code: 'ELOOP', syscall: 'stat', path: '/loop-a', errno: -os.constants.errno.ELOOP };
    expect(error(() => cache.walkSync('/loop-a'))).toMatchObject(loop);
    await expect(cache.walk('/loop-a')).rejects.toMatchObject(loop);
    expect(cache.peek('/loop-a')).toBe(undefined);
    expect(error(() => cache.walkSync('/loop-a/', { follow: false }))).toMatchObject({ syscall: 'lstat' });
    expect(error(() => cache.walkSync('/closed/x'))).toMatchObject({ code: 'EACCES', path: '/closed/x' });
    expect(error(() => cache.readdirSync('/f'))).toMatchObject({
      code: 'ENOTDIR',
      message: "ENOTDIR: not a directory, scandir '/f'",
    });
    expect(error(() => cache.readdirSync('/nothing'))).toMatchObject({ code: 'ENOENT', syscall: 'scandir' });
    expect(error(() => cache.realpathSync('/nothing'))).toMatchObject({ code: 'ENOENT', syscall: 'realpath' });
    expect(error(() => cache.walkSync(`/${'x/'.repeat(2100)}`))).toMatchObject({ code: 'ENAMETOOLONG' });
  });

  it('of relative paths, without a base', async () => {
    const cache = new DentryCache({ source: furnished() });
    expect(() => cache.walkSync('d')).toThrow("Cannot walk 'd': it is relative; pass a base");
    expect(() => cache.peek('d')).toThrow(TypeError);
    await expect(cache.walk('d')).rejects.toThrow(TypeError);
    expect(() => cache.invalidate('d')).toThrow("Cannot take 'd' for a change: it is relative");
    // Nothing is left in a bad state.
    expect(cache.walkSync('/d').kind).toBe(KIND_DIRECTORY);
    check(cache);
  });
});

describe('a base', () => {
  it('is where relative paths begin, and absolute ones do not', async () => {
    const memory = furnished();
    const cache = new DentryCache({ source: memory });
    const base = cache.walkSync('/d');
    expect(cache.pathOf(cache.walkSync('e/h', { base }))).toBe('/d/e/h');
    expect(cache.pathOf(cache.walkSync('../to-d/e', { base }))).toBe('/d/e');
    expect(cache.pathOf(await cache.walk('up', { base }))).toBe('/d/e/h');
    expect(cache.pathOf(cache.walkSync('/f', { base }))).toBe('/f');
    expect(cache.walkSync('', { base }).missing).toBe('ENOENT');
    expect(cache.peek('e/h', { base })?.name).toBe('h');
    expect(cache.readdirSync('e', { base })).toEqual(memory.readdirSync('/d/e'));
    // Another base, another answer: paths from a base are not remembered as such.
    expect(cache.walkSync('e/h', { base: cache.walkSync('/') }).missing).toBe('ENOENT');
  });

  it('is not evicted by the walk that begins there', async () => {
    const cache = new DentryCache({ source: furnished(), max: 1 });
    cache.walkSync('/f');
    const base = cache.walkSync('/d');
    expect(cache.walkSync('e', { base }).name).toBe('e');
    cache.walkSync('/f');
    const other = cache.walkSync('/d');
    expect((await cache.walk('g', { base: other })).name).toBe('g');
    check(cache);
  });

  it('that has left the cache is refused', async () => {
    const cache = new DentryCache({ source: furnished() });
    const base = cache.walkSync('/d');
    cache.hold(base);
    cache.invalidate('/d');
    const stale = expect.objectContaining({ code: 'ERR_DENTRY_STALE' });
    expect(() => cache.walkSync('e', { base })).toThrow(stale);
    expect(() => cache.peek('e', { base })).toThrow(stale);
    await expect(cache.walk('e', { base })).rejects.toEqual(stale);
    cache.release(base);
    check(cache);
  });
});

it('a dentry tells its kind', () => {
  const cache = new DentryCache({ source: furnished() });
  const kindOf = (name: string, follow = false): number => cache.walkSync(name, { follow }).kind;
  expect([kindOf('/f'), kindOf('/d'), kindOf('/to-d'), kindOf('/fifo')]).toEqual([
    KIND_FILE,
    KIND_DIRECTORY,
    KIND_SYMLINK,
    KIND_OTHER,
  ]);
  expect(kindOf('/to-d', true)).toBe(KIND_DIRECTORY);
  const file = cache.walkSync('/d/g');
  expect([file.name, file.parent?.name, file.parent?.parent?.parent]).toEqual(['g', 'd', null]);
});
