import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IDENTITY = ['-c', 'user.name=Example', '-c', 'user.email=example@example.org', '-c', 'commit.gpgsign=false'];

/** The git command line: what it says is what is so. */
export function git(dir: string, ...args: string[]): string {
  return execFileSync('git', [...IDENTITY, ...args], {
    cwd: dir,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
  });
}

export function nameOfFile(index: number): string {
  return `area-${index % 12}/part-${index % 60}/file-${index}.txt`;
}

export function write(dir: string, name: string, content: string): void {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** A repository with a history, its objects packed as after a clone, and a branch `other` that differs in some files. */
export function makeRepository(dir: string, files: number, commits: number): void {
  mkdirSync(dir, { recursive: true });
  git(dir, 'init', '-q', '-b', 'main');
  for (let index = 0; index < files; index++) {
    write(dir, nameOfFile(index), `file ${index}\n${'line\n'.repeat(index % 40)}`);
  }
  git(dir, 'add', '-A');
  git(dir, 'commit', '-q', '-m', 'first');
  for (let commit = 1; commit < commits; commit++) {
    write(dir, nameOfFile((commit * 37) % files), `changed in ${commit}\n`);
    write(dir, nameOfFile(1), `changed in ${commit} too\n`);
    git(dir, 'commit', '-q', '-a', '-m', `change ${commit}`);
  }
  git(dir, 'checkout', '-q', '-b', 'other');
  for (let index = 0; index < files; index += 25) {
    write(dir, nameOfFile(index), `other ${index}\n`);
  }
  git(dir, 'commit', '-q', '-a', '-m', 'other');
  git(dir, 'checkout', '-q', 'main');
  git(dir, 'gc', '-q');
}

/** A copy whose index knows its files. Some are then changed, added and removed, as in any working tree. */
export function cloneOf(template: string, dir: string): string {
  git(dirname(dir), 'clone', '-q', '--no-hardlinks', template, dir);
  git(dir, 'branch', '-q', 'other', 'origin/other');
  for (let index = 0; index < 20; index++) {
    write(dir, nameOfFile(index * 3 + 2), `edited ${index}\n`);
  }
  write(dir, 'area-1/new.txt', 'new\n');
  git(dir, 'rm', '-q', nameOfFile(100));
  return dir;
}
