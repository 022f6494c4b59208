import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SeededRng } from '@core/base';

export type Op = readonly [name: string, args: readonly unknown[]];
/** An op as it is made below a root. */
export type RootedOp = (root: string) => Op;

const NAMES = ['a', 'b', 'c', 'd', 'e'];
/** No UTF-8. */
const ODD = Buffer.from([0x61, 0xff]);

/** So many paths are asked for again and again. */
const RECENT_MAX = 12;
const RECENT_SHARE = 0.65;

/** Paths to make random calls about, most of them not for the first time. */
export class Paths {
  private readonly rng: SeededRng;
  private readonly recent: string[] = [];

  constructor(rng: SeededRng) {
    this.rng = rng;
  }

  /** One to four names, now and then with dots and slashes that mean something. */
  tail(): string {
    const { rng, recent } = this;
    if (recent.length > 0 && rng.next() < RECENT_SHARE) {
      return rng.pick(recent);
    }
    const names = Array.from({ length: 1 + rng.below(4) }, () => rng.pick(NAMES));
    if (rng.next() < 0.1) {
      names.splice(1 + rng.below(names.length), 0, rng.pick(['..', '.', '']));
    }
    const tail = names.join('/') + (rng.next() < 0.05 ? '/' : '');
    if (recent.length < RECENT_MAX) {
      recent.push(tail);
    } else {
      recent[rng.below(RECENT_MAX)] = tail;
    }
    return tail;
  }

  /** In any form. */
  some(): (root: string) => string | Uint8Array | URL {
    const tail = this.tail();
    const form = this.rng.next();
    return (root) => {
      const path = `${root}/${tail}`;
      if (form < 0.04) {
        return Buffer.from(path);
      }
      if (form < 0.06) {
        return Buffer.concat([Buffer.from(path.endsWith('/') ? path : `${path}/`), ODD]);
      }
      return form < 0.1 ? pathToFileURL(path) : path;
    };
  }
}

/** Where a symlink leads: some are absolute, and some lead nowhere. */
function someTarget(rng: SeededRng): (root: string) => string {
  const names = rng.next() < 0.5 ? [rng.pick(['.', '..', 'a', 'b/c'])] : [rng.pick(NAMES), rng.pick(NAMES)];
  const target = names.join('/');
  return (root) => (target.startsWith('a') ? join(root, target) : target);
}

export function someContent(rng: SeededRng): string {
  return rng.next() < 0.3
    ? JSON.stringify({ value: rng.below(1000) })
    : `content ${rng.below(1000)} ${'x'.repeat(rng.below(300))}`;
}

/** Each as often as it is named. */
const CHANGES = (
  'writeFile writeFile writeFile appendFile truncate mkdir mkdir mkdir mkdirs unlink unlink rmdir rename rename rename ' +
  'symlink symlink link rm chmod utimes lutimes copyFile readToMake'
).split(' ');
/** What cannot be seen half done. */
export const ATOMIC: ReadonlySet<string> = new Set(['mkdir', 'unlink', 'rmdir', 'rename', 'symlink', 'link']);

export function someChange(rng: SeededRng, paths: Paths): RootedOp {
  const [from, to, target, content] = [paths.some(), paths.some(), someTarget(rng), someContent(rng)];
  const mode = rng.pick([0o600, 0o644, 0o755]);
  const seconds = 1_500_000_000 + rng.below(1_000_000);
  const bytes = rng.below(40);
  const name = rng.pick(CHANGES);
  return (root) => {
    const [path, other] = [from(root), to(root)];
    switch (name) {
      case 'writeFile':
      case 'appendFile':
        return [name, [path, content]];
      case 'truncate':
        return [name, [path, bytes]];
      case 'mkdirs':
        return ['mkdir', [path, { recursive: true }]];
      case 'rename':
      case 'link':
      case 'copyFile':
        return [name, [path, other]];
      case 'symlink':
        return [name, [target(root), path]];
      case 'rm':
        // Through `..` it would take away the way that it goes, and what is left then is a matter of chance.
        return [name, [String(path).includes('..') ? join(root, 'a') : path, { recursive: true, force: true }]];
      case 'chmod':
        return [name, [path, mode]];
      case 'utimes':
      case 'lutimes':
        return [name, [path, seconds, seconds]];
      case 'readToMake':
        return ['readFile', [path, { flag: 'a+' }]];
      default:
        return [name, [path]];
    }
  };
}

const QUESTIONS: readonly (readonly [name: string, ...options: readonly unknown[]])[] = [
  ['stat'],
  ['stat', { bigint: true }],
  ['stat', { throwIfNoEntry: false }],
  ['lstat'],
  ['lstat', { bigint: true }],
  ['readdir'],
  ['readdir', { withFileTypes: true }],
  ['readFile'],
  ['readFile', 'utf8'],
  ['readFile', { encoding: 'latin1' }],
  ['readlink'],
  ['realpath'],
  ['realpath.native'],
  ['access'],
  ['access', 4],
  ['exists'],
  ['exists'],
];

/** @param root `.` for a relative path */
export function someQuestion(rng: SeededRng, paths: Paths, root: string): Op {
  return questionAbout(rng, paths.some()(root));
}

export function questionAbout(rng: SeededRng, path: unknown): Op {
  const [name, ...options] = rng.pick(QUESTIONS);
  return [name, [path, ...options]];
}
