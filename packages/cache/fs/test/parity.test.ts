import nodeFs, { constants } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { createCachedFs } from '@cache/fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMS, hasForm, outcomeOf } from './support/outcome.js';
import { plant, scratch } from './support/scratch.js';

const LONG = 'n'.repeat(256);

/** Below the scratch directory, unless they are absolute or not to be joined. */
const NAMES = [
  'file.txt',
  'empty',
  'bytes.bin',
  'dir',
  'dir/',
  'dir//below///deep/two',
  'dir/.',
  'dir/..',
  'dir/../file.txt',
  'dir/./one',
  'dir/grüße €',
  'hollow',
  'hard.txt',
  'to-file',
  'to-file/',
  'to-dir',
  'to-dir/',
  'to-dir/one',
  'to-dir/..',
  'to-below/../one',
  'dir/through/deep/two',
  'dir/through/../one',
  'dangling',
  'dangling/',
  'dangling/x',
  'loop-a',
  'loop-a/x',
  'itself',
  'chain-39',
  'chain-40',
  'nothing',
  'nothing/',
  'nothing/below',
  'nothing/..',
  'nothing/../file.txt',
  'file.txt/',
  'file.txt/.',
  'file.txt/..',
  'file.txt/below',
  'file.txt/below/deeper',
  'dir/FILE.TXT',
  LONG,
  `dir/${LONG}`,
  `${LONG}/x`,
  'x/'.repeat(2100),
];

const BAD_PATHS: readonly unknown[] = ['', '\0', 'a\0b', undefined, null, 5.5, {}, [], true, Buffer.from('a\0b')];

const READS: readonly (readonly [name: string, ...options: readonly unknown[][]])[] = [
  ['stat', [], [{ bigint: true }], [{ bigint: false }], [{ throwIfNoEntry: false }], [{ bigint: 1 }], [undefined]],
  ['lstat', [], [{ bigint: true }], [{ throwIfNoEntry: false }], [{ throwIfNoEntry: false, bigint: true }]],
  ['access', [], [constants.F_OK], [constants.R_OK], [constants.X_OK], [8], ['r'], [null]],
  ['exists', []],
  [
    'readdir',
    [],
    ['utf8'],
    ['buffer'],
    ['latin1'],
    ['bogus'],
    [null],
    [{}],
    [{ withFileTypes: true }],
    [{ withFileTypes: true, encoding: 'buffer' }],
    [{ recursive: true }],
    [{ recursive: true, withFileTypes: true }],
    [{ encoding: 'utf-8' }],
    [{ encoding: 'bogus' }],
    [5],
  ],
  ['readlink', [], ['utf8'], ['buffer'], ['hex'], [{ encoding: 'buffer' }], [{ encoding: 'bogus' }], [null]],
  ['realpath', [], ['utf8'], ['buffer'], [{ encoding: 'buffer' }], [{ encoding: 'bogus' }], [null]],
  ['realpath.native', [], ['buffer'], [{ encoding: 'utf8' }]],
  [
    'readFile',
    [],
    ['utf8'],
    ['latin1'],
    ['base64'],
    ['bogus'],
    [null],
    [{}],
    [{ encoding: 'utf-8' }],
    [{ encoding: 'hex', flag: 'r' }],
    [{ encoding: 'bogus' }],
    [{ flag: 'bogus' }],
    [{ flag: 'r+' }],
    [{ signal: AbortSignal.abort() }],
    [{ signal: new AbortController().signal }],
    [5],
  ],
  ['opendir', [{ encoding: 'bogus' }]],
];

describe('what is read is what node:fs gives', () => {
  const area = scratch();
  // A level down, so that `..` leads to nothing of others.
  const root = join(area.path, 'tree');
  const cached = createCachedFs();
  const before = process.cwd();

  beforeAll(() => {
    nodeFs.mkdirSync(root);
    plant(root);
  });
  afterAll(async () => {
    await cached.close();
    area[Symbol.dispose]();
  });

  const pathsOf = (name: string): unknown[] => [
    name.endsWith('/') || name.includes('//') ? `${root}/${name}` : join(root, '/') + name,
    Buffer.from(join(root, '/') + name),
    ...(name.includes('€') ? [] : [pathToFileURL(`${root}/${name}`)]),
  ];

  for (const [name, ...variants] of READS) {
    for (const form of FORMS.filter((one) => hasForm(nodeFs, name, one))) {
      it(`${name}, ${form}`, async () => {
        for (const path of [...NAMES.flatMap(pathsOf), ...BAD_PATHS]) {
          for (const options of variants) {
            const args = [path, ...options];
            const theirs = await outcomeOf(nodeFs, name, form, args);
            // Cold, or known from another call; then warm.
            for (const run of [1, 2]) {
              const ours = await outcomeOf(cached, name, form, args);
              if (!isDeepStrictEqual(ours, theirs)) {
                expect.soft(brief(ours), `${brief(path)} ${JSON.stringify(options)}, run ${run}`).toBe(brief(theirs));
              }
            }
          }
        }
      });
    }
  }

  it('relative paths, from the directory that the process is in', async () => {
    try {
      for (const directory of [root, join(root, 'dir')]) {
        process.chdir(directory);
        for (const path of ['.', '..', 'one', 'file.txt', './dir/one', '../file.txt', 'dir', 'nothing']) {
          for (const name of ['stat', 'lstat', 'readFile', 'readdir', 'realpath', 'readlink', 'access']) {
            for (const form of FORMS) {
              const theirs = await outcomeOf(nodeFs, name, form, [path]);
              expect(await outcomeOf(cached, name, form, [path]), `${name} ${form} ${path}`).toEqual(theirs);
            }
          }
        }
      }
    } finally {
      process.chdir(before);
    }
  });

  it('a missing callback is a mistake at once', () => {
    for (const name of ['stat', 'readFile', 'readdir', 'exists', 'access', 'writeFile', 'mkdir', 'rename'] as const) {
      const theirs = nodeFs[name] as (...args: unknown[]) => unknown;
      const ours = cached[name] as (...args: unknown[]) => unknown;
      expect(() => ours(root), name).toThrow(errorOf(() => theirs(root)));
    }
  });
});

/** What differs, short enough to be read. */
function brief(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 600);
}

function errorOf(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not throw');
}
