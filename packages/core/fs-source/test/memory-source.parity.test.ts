import nodeFs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SeededRng } from '@core/base';
import { afterEach, describe, expect, it } from 'vitest';
import { type MemorySource, memorySource, nodeSource, type SystemError } from '../src/index.js';

/** The same calls on a directory of the real file system and on one in memory. */
interface Twin {
  readonly real: string;
  readonly memory: MemorySource;
}

const folders: string[] = [];

function twin(): Twin {
  const real = nodeFs.realpathSync(nodeFs.mkdtempSync(path.join(os.tmpdir(), 'fs-source-')));
  folders.push(real);
  const memory = memorySource();
  // Below the same number of directories, so that `..` at the top does the same in both.
  memory.mkdirSync(real, { recursive: true });
  return { real, memory };
}

afterEach(() => {
  for (const folder of folders.splice(0)) {
    nodeFs.rmSync(folder, { recursive: true, force: true });
  }
});

type Outcome = { value: unknown } | { error: Record<string, unknown> };

function outcomeOf(call: () => unknown): Outcome {
  try {
    return { value: call() };
  } catch (error) {
    const { code, errno, syscall, path, dest, message } = error as SystemError;
    return { error: { code, errno, syscall, path, dest, message } };
  }
}

const source = nodeSource();

/** The calls of the port, and of another process, by number of paths: real, in memory. */
const CALLS: Readonly<
  Record<
    string,
    readonly [real: (a: string, b: string) => unknown, memory: (m: MemorySource, a: string, b: string) => unknown]
  >
> = {
  lstat: [(a) => view(source.lstatSync(a)), (m, a) => view(m.lstatSync(a))],
  stat: [(a) => view(nodeFs.statSync(a, { bigint: true })), (m, a) => view(m.statSync(a))],
  realpath: [(a) => nodeFs.realpathSync.native(a), (m, a) => m.realpathSync(a)],
  readdir: [(a) => sorted(source.readdirSync(a)), (m, a) => sorted(m.readdirSync(a))],
  readlink: [(a) => source.readlinkSync(a), (m, a) => m.readlinkSync(a)],
  readFile: [(a) => readAll(source.openSync(a, 0)), (m, a) => readAll(m.openSync(a, 0))],
  create: [
    (a) => source.openSync(a, nodeFs.constants.O_CREAT | nodeFs.constants.O_EXCL | 1).closeSync(),
    (m, a) => m.openSync(a, nodeFs.constants.O_CREAT | nodeFs.constants.O_EXCL | 1).closeSync(),
  ],
  noFollow: [
    (a) => source.openSync(a, nodeFs.constants.O_NOFOLLOW).closeSync(),
    (m, a) => m.openSync(a, nodeFs.constants.O_NOFOLLOW).closeSync(),
  ],
  openDirectory: [
    (a) => source.openSync(a, nodeFs.constants.O_DIRECTORY).closeSync(),
    (m, a) => m.openSync(a, nodeFs.constants.O_DIRECTORY).closeSync(),
  ],
  writeFile: [(a, b) => nodeFs.writeFileSync(a, b.slice(-3)), (m, a, b) => m.writeFileSync(a, b.slice(-3))],
  mkdir: [(a) => nodeFs.mkdirSync(a), (m, a) => m.mkdirSync(a)],
  unlink: [(a) => nodeFs.unlinkSync(a), (m, a) => m.unlinkSync(a)],
  rmdir: [(a) => nodeFs.rmdirSync(a), (m, a) => m.rmdirSync(a)],
  rename: [(a, b) => nodeFs.renameSync(a, b), (m, a, b) => m.renameSync(a, b)],
  link: [(a, b) => nodeFs.linkSync(a, b), (m, a, b) => m.linkSync(a, b)],
};

function view(stats: nodeFs.BigIntStats): unknown {
  const size = stats.isDirectory() ? 'any' : stats.size;
  const kinds = [stats.isFile(), stats.isDirectory(), stats.isSymbolicLink(), stats.isFIFO(), stats.isSocket()];
  return { kinds, size, nlink: stats.isDirectory() ? 'any' : stats.nlink, type: Number(stats.mode) & 0o170000 };
}

function sorted(entries: readonly { name: string }[]): unknown {
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function readAll(file: ReturnType<MemorySource['openSync']>): string {
  try {
    const buffer = Buffer.alloc(64);
    return buffer.toString('utf8', 0, file.readSync([buffer.subarray(0, 1), buffer.subarray(1)], 0));
  } finally {
    file.closeSync();
  }
}

function both({ real, memory }: Twin, name: string, a: string, b: string = a): Outcome {
  const [onReal, onMemory] = CALLS[name]!;
  const from = a.startsWith('/') ? a : `${real}/${a}`;
  const to = b.startsWith('/') ? b : `${real}/${b}`;
  const expected = outcomeOf(() => onReal(from, to));
  const what = `${name} ${a} ${b}`;
  expect([what, outcomeOf(() => onMemory(memory, from, to))]).toEqual([what, expected]);
  return expected;
}

function symlink({ real, memory }: Twin, target: string, name: string): void {
  const expected = outcomeOf(() => nodeFs.symlinkSync(target, `${real}/${name}`));
  expect(outcomeOf(() => memory.symlinkSync(target, `${real}/${name}`))).toEqual(expected);
}

function furnish(): Twin {
  const pair = twin();
  for (const name of ['d', 'd/e', 'empty']) {
    both(pair, 'mkdir', name);
  }
  for (const name of ['f', 'd/g', 'd/e/h']) {
    both(pair, 'writeFile', name, `x/${name}`);
  }
  symlink(pair, 'd', 'to-d');
  symlink(pair, 'f', 'to-f');
  symlink(pair, 'f/', 'to-f-slash');
  symlink(pair, 'nothing', 'dangling');
  symlink(pair, 'loop-b', 'loop-a');
  symlink(pair, 'loop-a', 'loop-b');
  symlink(pair, '../d/./e//h', 'd/up');
  symlink(pair, `${pair.real}/d/e`, 'd/e/absolute');
  symlink(pair, 'to-d', 'to-to-d');
  return pair;
}

const PATHS = [
  '',
  '/',
  '.',
  'd',
  'd/',
  'd//e',
  'd/./e/h',
  'd/../f',
  'd/..',
  'd/.',
  'f',
  'f/',
  'f/.',
  'f/x',
  'f/..',
  'nothing',
  'nothing/',
  'nothing/x',
  'nothing/..',
  'to-d',
  'to-d/',
  'to-d/e',
  'to-d/../f',
  'to-f',
  'to-f/',
  'to-f/..',
  'to-f-slash',
  'to-f-slash/x',
  'dangling',
  'dangling/',
  'dangling/x',
  'loop-a',
  'loop-a/',
  'loop-a/x',
  'd/up',
  'd/e/absolute',
  'd/e/absolute/absolute/h',
  'to-to-d/e/absolute/..',
  'x'.repeat(255),
  'x'.repeat(256),
  `d/${'x'.repeat(256)}/y`,
  'x/'.repeat(2100),
];

describe('a file system in memory answers as the real one', () => {
  it.each(['lstat', 'stat', 'realpath', 'readdir', 'readlink', 'readFile', 'noFollow', 'openDirectory'])(
    '%s of every path',
    (name) => {
      const pair = furnish();
      for (const each of PATHS) {
        // The root has other things in it here; the C library walks by itself, name by name.
        if (name === 'realpath' ? each.length < 1000 : each !== '/') {
          both(pair, name, each);
        }
      }
    },
  );

  it.each(['create', 'writeFile', 'mkdir', 'unlink', 'rmdir'])('%s of every path, each time anew', (name) => {
    for (const each of PATHS) {
      if (each !== '/' && each !== '' && !(name === 'rmdir' && /(^|\/)\.\.?$/.test(each))) {
        const pair = furnish();
        both(pair, name, each);
        both(pair, 'readdir', '.');
        both(pair, 'readdir', 'd');
      }
    }
  });

  it.each([
    ['f', 'g'],
    ['f', 'd/g'],
    ['f', 'd'],
    ['f', 'g/'],
    ['d', 'f'],
    ['d', 'empty'],
    ['empty', 'd'],
    ['d', 'd/e/below'],
    ['d/e', 'd'],
    ['d', 'd'],
    ['nothing', 'f'],
    ['f', 'nothing/x'],
    ['to-f', 'f'],
    ['to-d', 'd/e/h'],
    ['f', 'f/x'],
  ])('rename %s to %s', (from, to) => {
    const pair = furnish();
    both(pair, 'rename', from, to);
    for (const each of ['.', 'd', 'empty', 'd/e', 'empty/e']) {
      both(pair, 'readdir', each);
    }
  });

  it('two names of one file', () => {
    const pair = furnish();
    both(pair, 'link', 'f', 'second');
    both(pair, 'lstat', 'f');
    both(pair, 'rename', 'f', 'second');
    both(pair, 'readdir', '.');
    both(pair, 'link', 'd', 'no');
    both(pair, 'link', 'f', 'd');
    both(pair, 'link', 'nothing', 'no');
    both(pair, 'unlink', 'f');
    both(pair, 'lstat', 'second');
  });

  it('calls at random', () => {
    const seed = 20_260_117;
    const rng = new SeededRng(seed);
    const pair = twin();
    const names = ['a', 'b', 'c', '.', '..', ''];
    const calls = Object.keys(CALLS).filter((name) => name !== 'create');
    const randomPath = (): string =>
      // Never above the directory of the test: it begins with two names.
      ['p', 'q', ...Array.from({ length: 1 + rng.below(3) }, () => rng.pick(names))].join('/');
    for (const name of ['p', 'p/q']) {
      both(pair, 'mkdir', name);
    }
    let failed = 0;
    for (let turn = 0; turn < 2500; turn++) {
      if (rng.below(12) === 0) {
        // Only relative targets that stay inside.
        symlink(pair, rng.pick(['a', 'b', 'a/b', './c', 'b/']), `p/q/${rng.pick(['a', 'b', 'c', 'a/b', 'b/a'])}`);
        continue;
      }
      const name = rng.pick(calls);
      const from = randomPath();
      // What ends in dots or slashes is refused by the system in the order of its own checks.
      const changes = ['mkdir', 'unlink', 'rmdir', 'rename', 'link', 'writeFile'].includes(name);
      if (changes && /(^|\/)(\.\.?)?(\/|$)/.test(from.slice(4))) {
        continue;
      }
      const to = `p/q/${rng.pick(['a', 'b', 'c', 'a/b', 'b/c', 'c/a'])}`;
      failed += 'error' in both(pair, name, from, to) ? 1 : 0;
    }
    expect(failed, `seed ${seed}`).toBeGreaterThan(100);
    expect(failed).toBeLessThan(2400);
  });
});
