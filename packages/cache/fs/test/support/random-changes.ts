import nodeFs from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { SeededRng } from '@core/base';
import type { CachedFs, NodeFs } from '@cache/fs';
import { type Form, FORMS, hasForm, outcomeOf } from './outcome.js';

type Op = readonly [name: string, args: readonly unknown[]];

export interface Rig {
  readonly rng: SeededRng;
  /** Changed through node:fs alone. */
  readonly theirs: string;
  /** Changed through the cache, and now and then behind its back, of which it is told. */
  readonly ours: string;
  readonly cached: CachedFs;
  /** What the changes are made through: the cache, but in a broken variant. */
  readonly changer: NodeFs;
  /** Whether any file has several names. */
  readonly hasLinks: () => boolean;
  /** Evicts something. */
  readonly shrink: () => void;
}

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const CHANGE_SHARE = 0.45;

/** A path of one to four names, now and then with dots and slashes that mean something. */
function somePath(rng: SeededRng): string {
  const names = Array.from({ length: 1 + rng.below(4) }, () => rng.pick(NAMES));
  if (rng.next() < 0.1) {
    names.splice(1 + rng.below(names.length), 0, rng.pick(['..', '.', '']));
  }
  return names.join('/') + (rng.next() < 0.05 ? '/' : '');
}

/** A change, as it is made below `root`. */
function someChange(rng: SeededRng): (root: string) => Op {
  const [from, to] = [somePath(rng), somePath(rng)];
  const content = `content ${rng.below(1000)} ${'x'.repeat(rng.below(300))}`;
  const mode = rng.pick([0o600, 0o644, 0o755]);
  const seconds = 1_500_000_000 + rng.below(1_000_000);
  const pick = rng.below(17);
  const target = rng.next() < 0.5 ? somePath(rng) : rng.pick(['.', 'a', 'b/c']);
  return (root) => {
    const [path, other] = [join(root, '/') + from, join(root, '/') + to];
    switch (pick) {
      case 0:
      case 1:
      case 2:
        return ['writeFile', [path, content]];
      case 3:
        return ['appendFile', [path, content]];
      case 4:
      case 5:
      case 6:
        return ['mkdir', [path]];
      case 7:
        return ['mkdir', [path, { recursive: true }]];
      case 8:
        return ['unlink', [path]];
      case 9:
        return ['rmdir', [path]];
      case 10:
      case 11:
        return ['rename', [path, other]];
      case 12:
        return ['symlink', [rngTarget(target, root), path]];
      case 13:
        return ['link', [path, other]];
      case 14:
        // Through `..` it would take away the way that it goes, and what is left then is a matter of chance.
        return ['rm', [from.includes('..') ? join(root, 'a') : path, { recursive: true, force: true }]];
      case 15:
        return ['chmod', [path, mode]];
      default:
        return ['utimes', [path, seconds, seconds]];
    }
  };
}

/** Some links are absolute. */
function rngTarget(target: string, root: string): string {
  return target.startsWith('a') ? join(root, target) : target;
}

function someQuestion(rng: SeededRng, root: string): Op {
  const path = join(root, '/') + somePath(rng);
  switch (rng.below(10)) {
    case 0:
    case 1:
      return ['stat', [path, { bigint: true }]];
    case 2:
      return ['lstat', [path]];
    case 3:
      return ['readdir', [path, { withFileTypes: true }]];
    case 4:
      return ['readFile', [path]];
    case 5:
      return ['readFile', [path, 'utf8']];
    case 6:
      return ['readlink', [path]];
    case 7:
      return ['realpath', [path]];
    case 8:
      return ['access', [path]];
    default:
      return ['exists', [path]];
  }
}

function someForm(rng: SeededRng, name: string): Form {
  const form = rng.pick(FORMS);
  return hasForm(nodeFs, name, form) ? form : 'sync';
}

/**
 * Makes random calls, and tells what was not as on node:fs: first what went wrong, or null.
 *
 * A question is asked of the cache and of node:fs about the same files, so that all must be equal to the last
 * nanosecond. A change is made on both trees, of which results and errors must be equal.
 */
export async function runRandom(rig: Rig, steps: number): Promise<string | null> {
  const { rng } = rig;
  for (let step = 0; step < steps; step++) {
    const kind = rng.next();
    const fault =
      kind < CHANGE_SHARE
        ? await change(rig)
        : kind < 0.5
          ? await behindItsBack(rig)
          : kind < 0.55
            ? await allAtOnce(rig)
            : await question(rig, someQuestion(rng, rig.ours));
    if (rng.next() < 0.02) {
      rig.shrink();
    }
    if (fault !== null) {
      return `step ${step}: ${fault}`;
    }
  }
  return null;
}

async function change({ rng, theirs, ours, changer }: Rig): Promise<string | null> {
  const op = someChange(rng);
  const [name, args] = op(ours);
  const form = someForm(rng, name);
  const expected = await outcomeOf(nodeFs, name, form, op(theirs)[1], theirs);
  const actual = await outcomeOf(changer, name, form, args, ours);
  return difference(`${form} ${name} ${JSON.stringify(args)}`, actual, expected);
}

/** Somebody else changes a file. The cache is told which, but not what. */
async function behindItsBack(rig: Rig): Promise<string | null> {
  const { rng, theirs, ours, cached } = rig;
  const op = someChange(rng);
  await outcomeOf(nodeFs, op(theirs)[0], 'sync', op(theirs)[1], theirs);
  const [name, args] = op(ours);
  await outcomeOf(nodeFs, name, 'sync', args, ours);
  cached.invalidate(args.filter((arg) => typeof arg === 'string' && arg.startsWith(ours)) as string[]);
  if (
    ['link', 'unlink', 'rename', 'rm', 'writeFile', 'appendFile', 'chmod', 'utimes'].includes(name) &&
    rig.hasLinks()
  ) {
    // Other names of the same file are not to be told by this one.
    cached.invalidate();
  }
  return null;
}

/** Questions and a change under way at once: what is answered meanwhile may be of before or after, but not later. */
async function allAtOnce(rig: Rig): Promise<string | null> {
  const { rng, ours, cached } = rig;
  const asked: Op[] = Array.from({ length: 6 }, () => someQuestion(rng, ours));
  const forms: Form[] = asked.map(() => rng.pick(['callback', 'promise'] as const));
  const before = asked.slice(0, 3).map(([name, args], index) => ask(cached, name, forms[index] as Form, args));
  const changing = change(rig);
  const after = asked.slice(3).map(([name, args], index) => ask(cached, name, forms[index + 3] as Form, args));
  const fault = await changing;
  await Promise.all([...before, ...after]);
  if (fault !== null) {
    return fault;
  }
  for (const op of asked) {
    const wrong = await question(rig, op);
    if (wrong !== null) {
      return wrong;
    }
  }
  return null;
}

async function ask(fs: NodeFs, name: string, form: Form, args: readonly unknown[]): Promise<void> {
  await outcomeOf(fs, name, hasForm(fs, name, form) ? form : 'callback', args);
}

async function question({ rng, cached }: Rig, [name, args]: Op): Promise<string | null> {
  const form = someForm(rng, name);
  const expected = await outcomeOf(nodeFs, name, form, args);
  const actual = await outcomeOf(cached, name, form, args);
  return difference(`${form} ${name} ${JSON.stringify(args)}`, actual, expected);
}

function difference(what: string, actual: unknown, expected: unknown): string | null {
  return isDeepStrictEqual(actual, expected)
    ? null
    : `${what}: ${JSON.stringify(actual).slice(0, 500)} instead of ${JSON.stringify(expected).slice(0, 500)}`;
}
