import { join } from 'node:path';
import type nodeFs from 'node:fs';
import * as git from 'isomorphic-git';
import { git as gitCommand, nameOfFile } from '../git-repository.js';

type Fs = typeof nodeFs;

/** One command of isomorphic-git, on a working tree. */
export interface GitCommand {
  readonly name: string;
  /** Whether it changes the repository, so that it is run once. */
  readonly changes: boolean;
  readonly run: (fs: Fs, dir: string) => Promise<unknown>;
  /** Brings a cache to know what is needed, for a command that can be run only once. */
  readonly warm?: (fs: Fs, dir: string) => Promise<unknown>;
  /** Whether it must take less CPU than on node:fs, on the local disk too. */
  readonly savesCpu?: boolean;
}

const author = { name: 'Example', email: 'example@example.org', timestamp: 1_700_000_000, timezoneOffset: 0 };

export function gitCommands(files: number, statuses: number): readonly GitCommand[] {
  const several = Array.from({ length: statuses }, (_, index) => nameOfFile((index * 7) % files));
  const edited = Array.from({ length: 20 }, (_, index) => nameOfFile(index * 3 + 2));
  return [
    { name: 'statusMatrix', changes: false, savesCpu: true, run: (fs, dir) => git.statusMatrix({ fs, dir }) },
    {
      name: `${statuses} × status`,
      changes: false,
      run: async (fs, dir) => {
        const states: string[] = [];
        for (const filepath of several) {
          states.push(await git.status({ fs, dir, filepath }));
        }
        return states;
      },
    },
    {
      name: 'log',
      changes: false,
      savesCpu: true,
      run: async (fs, dir) => (await git.log({ fs, dir })).map(({ oid }) => oid),
    },
    {
      name: 'log of a file',
      changes: false,
      run: async (fs, dir) => (await git.log({ fs, dir, filepath: nameOfFile(1) })).map(({ oid }) => oid),
    },
    {
      name: 'add',
      changes: true,
      run: async (fs, dir) => {
        await git.add({ fs, dir, filepath: edited });
        return gitCommand(dir, 'status', '--porcelain');
      },
    },
    {
      name: 'commit',
      changes: true,
      run: (fs, dir) => git.commit({ fs, dir, message: 'by isomorphic-git', author }),
    },
    {
      name: 'checkout',
      changes: true,
      warm: (fs, dir) => git.checkout({ fs, dir, ref: 'other', force: true, dryRun: true }),
      run: async (fs, dir) => {
        await git.checkout({ fs, dir, ref: 'other', force: true });
        return gitCommand(dir, 'status', '--porcelain');
      },
    },
  ];
}

type Row = readonly [path: string, head: number, workdir: number, stage: number];

/** `git status --porcelain -uall` in the words of isomorphic-git's status matrix. */
export function porcelainOf(matrix: unknown): string[] {
  return (matrix as Row[])
    .map(([path, head, workdir, stage]) => {
      if (stage === 0 && head === 0) {
        return `?? ${path}`;
      }
      const staged = head === 0 ? 'A' : stage === 0 ? 'D' : stage === 1 ? ' ' : 'M';
      const unstaged = stage === 0 || workdir === stage ? ' ' : workdir === 0 ? 'D' : 'M';
      const untracked = stage === 0 && workdir > 0 ? [`?? ${path}`] : [];
      return [`${staged}${unstaged} ${path}`, ...untracked].join('\n');
    })
    .flatMap((lines) => lines.split('\n'))
    .filter((line) => !line.startsWith('   '))
    .sort();
}

/** What git says, in the same words. */
export function gitStatus(dir: string): string[] {
  return gitCommand(dir, 'status', '--porcelain', '-uall')
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** What somebody else does to the working tree. */
export function editsOf(round: number, dir: string): { script: string; paths: string[] } {
  const file = (index: number): string => join(dir, nameOfFile(index));
  const edited = [file(round + 200), file(round + 201)];
  const removed = file(round + 240);
  const made = join(dir, `area-3/made-${round}.txt`);
  const moved = [file(round + 280), join(dir, `area-4/moved-${round}.txt`)] as const;
  const script = [
    ...edited.map((path) => `echo edited-${round} >> '${path}'`),
    `rm -f '${removed}'`,
    `echo made > '${made}'`,
    `mv '${moved[0]}' '${moved[1]}'`,
  ].join('\n');
  return { script, paths: [...edited, removed, made, ...moved] };
}
