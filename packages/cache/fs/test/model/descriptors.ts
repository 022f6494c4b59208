import nodeFs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { NodeFs } from '@cache/fs';
import { type Form, hasForm, type Outcome, outcomeOf } from '../support/outcome.js';
import { someContent } from './random-op.js';
import { difference, type Fault, inRoot, isOutcome, note, question, type Rig, struck } from './rig.js';

/** A file that is open on both trees: by descriptors, or by handles. */
interface Pair {
  readonly ours: unknown;
  readonly theirs: unknown;
  /** By which ours was opened. */
  readonly path: string;
}

const MAX_OPEN = 4;
const FLAGS = ['r', 'r', 'r', 'r+', 'w', 'w+', 'a', 'a+', 'wx'];

/** Files that stay open while others are changed, moved and removed. */
export class Descriptors {
  private readonly pairs: Pair[] = [];

  get count(): number {
    return this.pairs.length;
  }

  async step(rig: Rig): Promise<Fault> {
    const { rng } = rig;
    if (this.pairs.length === 0 || (this.pairs.length < MAX_OPEN && rng.next() < 0.3)) {
      return this.open(rig);
    }
    const index = rng.below(this.pairs.length);
    const pair = this.pairs[index] as Pair;
    if (rng.next() < 0.15) {
      this.pairs.splice(index, 1);
      return this.close(rig, pair);
    }
    const { path } = pair;
    note(rig, 'descriptor', ['of', [path]]);
    return (
      (await (typeof pair.ours === 'number' ? byNumber(rig, pair) : byHandle(rig, pair))) ??
      (await question(rig, rng.next() < 0.5 ? ['stat', [path, { bigint: true }]] : ['readFile', [path]]))
    );
  }

  async closeAll(subject: NodeFs): Promise<void> {
    for (const { ours, theirs } of this.pairs.splice(0)) {
      for (const [fs, file] of [
        [subject, ours],
        [nodeFs, theirs],
      ] as const) {
        await (typeof file === 'number' ? fs.closeSync(file) : (file as nodeFs.promises.FileHandle).close());
      }
    }
  }

  private async open(rig: Rig): Promise<Fault> {
    const { rng, ours, theirs } = rig;
    const path = `/${rig.paths.tail()}`;
    const flags = rng.pick(FLAGS);
    const opened: unknown[] = [];
    const keep = (value: unknown): void => void opened.push(value);
    const form = rng.next() < 0.5 ? 'promise' : rng.pick(['sync', 'callback'] as const);
    const actual = await struck(rig.below, rig.faultRate, () =>
      outcomeOf(rig.subject, 'open', form, [ours + path, flags], ours, keep),
    );
    if (rig.below.strikes.some((strike) => isOutcome(inRoot(strike, ours), 'open', actual))) {
      return null;
    }
    const expected = await outcomeOf(nodeFs, 'open', form, [theirs + path, flags], theirs, keep);
    if (opened.length === 2) {
      this.pairs.push({ ours: opened[0], theirs: opened[1], path: ours + path });
      return null;
    }
    await Promise.all(opened.map((file) => (typeof file === 'number' ? nodeFs.closeSync(file) : close(file))));
    return isDeepStrictEqual(actual, expected) ? null : difference(`${form} open`, [path, flags], actual, expected);
  }

  private async close(rig: Rig, { ours, theirs }: Pair): Promise<Fault> {
    if (typeof ours !== 'number') {
      await Promise.all([close(ours), close(theirs)]);
      return null;
    }
    const form = rig.rng.pick(['sync', 'callback'] as const);
    return both(rig, 'close', form, [ours], [theirs], rig.faultRate);
  }
}

function close(handle: unknown): Promise<void> {
  return (handle as nodeFs.promises.FileHandle).close();
}

async function byNumber(rig: Rig, { ours, theirs }: Pair): Promise<Fault> {
  const { rng } = rig;
  const position = rng.next() < 0.4 ? null : rng.below(60);
  const [content, bytes, mode] = [someContent(rng), rng.below(80), rng.pick([0o600, 0o644, 0o755])];
  const seconds = 1_500_000_000 + rng.below(1_000_000);
  const form = rng.pick(['sync', 'callback'] as const);
  const op = rng.below(12);
  const [name, argsOf] = ((): [string, (fd: unknown) => unknown[]] => {
    switch (op) {
      case 0:
      case 1:
      case 2:
      case 3:
        return ['read', (fd) => [fd, Buffer.alloc(bytes + 1), 0, bytes + 1, position]];
      case 4:
        return ['readv', (fd) => [fd, [Buffer.alloc(10), Buffer.alloc(bytes + 1)], position]];
      case 5:
        return ['write', (fd) => [fd, Buffer.from(content), 0, Buffer.byteLength(content), position]];
      case 6:
        return ['write', (fd) => [fd, content, position]];
      case 7:
        return ['ftruncate', (fd) => [fd, bytes]];
      case 8:
        return ['futimes', (fd) => [fd, seconds, seconds]];
      case 9:
        return ['fchmod', (fd) => [fd, mode]];
      case 10:
        return ['readFile', (fd) => [fd, 'utf8']];
      default:
        return ['writeFile', (fd) => [fd, content]];
    }
  })();
  return both(rig, name, form, argsOf(ours), argsOf(theirs), rig.rng.next() < 0.5 ? rig.faultRate : 0);
}

async function byHandle(rig: Rig, pair: Pair): Promise<Fault> {
  const { rng } = rig;
  const position = rng.next() < 0.4 ? null : rng.below(60);
  const [content, bytes] = [someContent(rng), rng.below(80)];
  const op = rng.below(7);
  const [name, argsOf] = ((): [string, () => unknown[]] => {
    switch (op) {
      case 0:
      case 1:
      case 2:
        return ['read', () => [Buffer.alloc(bytes + 1), 0, bytes + 1, position]];
      case 3:
        return ['readFile', () => ['utf8']];
      case 4:
        return ['write', () => [content, position]];
      case 5:
        return ['truncate', () => [bytes]];
      default:
        return ['appendFile', () => [content]];
    }
  })();
  // As a file system of which the handle is all there is.
  const as = (handle: unknown): NodeFs => {
    const file = handle as Record<string, (...args: unknown[]) => unknown>;
    return { promises: { [name]: (...args: unknown[]) => file[name]?.(...args) } } as unknown as NodeFs;
  };
  return both(
    rig,
    name,
    'promise',
    argsOf(),
    argsOf(),
    rng.next() < 0.5 ? rig.faultRate : 0,
    as(pair.ours),
    as(pair.theirs),
  );
}

/** On ours first: what has failed there, and was not made, is not made on theirs, whose positions must be the same. */
async function both(
  rig: Rig,
  name: string,
  form: Form,
  ours: readonly unknown[],
  theirs: readonly unknown[],
  rate: number,
  subject: NodeFs = rig.subject,
  plain: NodeFs = nodeFs,
): Promise<Fault> {
  if (!hasForm(nodeFs, name, form) && form !== 'promise') {
    return null;
  }
  const actual = await struck(rig.below, rate, () => outcomeOf(subject, name, form, ours));
  const strike = rig.below.strikes.find((one) => isOutcome(one, name, actual));
  if (strike !== undefined && !strike.after) {
    return null;
  }
  const expected: Outcome = await outcomeOf(plain, name, form, theirs);
  const isSame = isDeepStrictEqual(actual, expected) && isDeepStrictEqual(ours.slice(1), theirs.slice(1));
  if (strike !== undefined || isSame) {
    return null;
  }
  return difference(`${form} ${name}`, [ours.slice(1), theirs.slice(1)], actual, expected);
}
