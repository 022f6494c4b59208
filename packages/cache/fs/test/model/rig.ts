import nodeFs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { SeededRng } from '@core/base';
import type { CachedFs, NodeFs } from '@cache/fs';
import { type Form, FORMS, hasForm, type Outcome, outcomeOf } from '../support/outcome.js';
import type { FaultyFs, Strike } from './faulty-fs.js';
import type { Op, Paths } from './random-op.js';

const SLASH = Buffer.from('/');

/** What random calls are made of. */
export interface Rig {
  readonly rng: SeededRng;
  readonly paths: Paths;
  /** Changed through node:fs alone. */
  readonly theirs: string;
  /** Changed through the façade, and now and then behind its back. */
  readonly ours: string;
  readonly cached: CachedFs;
  /** What is called: the façade, but in a broken variant. */
  readonly subject: NodeFs;
  readonly below: FaultyFs;
  /** Share of calls that fail while calls are made that may fail. */
  readonly faultRate: number;
  /** Evicts something. */
  readonly shrink: () => void;
  /** Lets more time go by than anything is believed for. */
  readonly age: () => void;
  /** Throws when any books do not balance. */
  readonly check: () => void;
  /** The last changes, to be told with what went wrong. */
  readonly history: string[];
}

const HISTORY_MAX = 8;

export function note({ history, ours }: Rig, how: string, [name, args]: Op): void {
  if (history.length === HISTORY_MAX) {
    history.shift();
  }
  history.push(`${how} ${name} ${JSON.stringify(args).replaceAll(ours, '')}`);
}

/** What was not as on node:fs, or null. */
export type Fault = string | null;

export function someForm(rng: SeededRng, name: string): Form {
  const form = rng.pick(FORMS);
  return hasForm(nodeFs, name, form) ? form : 'sync';
}

/** Asks node:fs and the façade about the same file: the answers must be equal to the last nanosecond. */
export async function question(rig: Rig, op: Op): Promise<Fault> {
  const fault = await ask(rig, op, rig.rng.next() < 0.5 ? rig.faultRate : 0);
  // What has failed must have left nothing behind.
  return fault ?? (rig.below.strikes.length > 0 ? ask(rig, op, 0) : null);
}

async function ask({ rng, subject, below }: Rig, [name, args]: Op, rate: number): Promise<Fault> {
  const form = someForm(rng, name);
  const expected = await outcomeOf(nodeFs, name, form, args);
  const actual = await struck(below, rate, () => outcomeOf(subject, name, form, args, '', spoil));
  return isDeepStrictEqual(actual, expected) || below.strikes.some((strike) => isOutcome(strike, name, actual))
    ? null
    : difference(`${form} ${name}`, args, actual, expected);
}

/** What a caller is given is the caller's own: nobody else ever sees what becomes of it. */
function spoil(value: unknown): void {
  if (value instanceof Uint8Array) {
    value.fill(0xee);
  } else if (Array.isArray(value)) {
    value.length = 0;
  } else if (typeof value === 'object' && value !== null && 'size' in value) {
    (value as { size: unknown }).size = -1;
  }
}

/** Makes calls of which a share fails. */
export async function struck<T>(below: FaultyFs, rate: number, run: () => Promise<T>): Promise<T> {
  below.reset();
  below.rate = rate;
  try {
    return await run();
  } finally {
    below.rate = 0;
  }
}

/** Whether a call ended as this call below did: by no other error, and by none of a call that nobody asked for. */
export function isOutcome({ name, error }: Strike, asked: string, outcome: Outcome): boolean {
  const base = asked.split('.')[0];
  // A file that is open is read by reads, on node:fs as well.
  const isRead = name === 'read' && (base === 'readFile' || base === 'readv');
  if (name !== base && !(name === 'native' && base === 'realpath') && !isRead) {
    return false;
  }
  const value =
    'told' in outcome ? (outcome.told as unknown[])[0] : 'thrown' in outcome ? outcome.thrown : outcome.value;
  return value === false || (value as { message?: unknown } | null)?.message === error.message;
}

/** As the trees' roots are written in outcomes. */
export function inRoot(strike: Strike, root: string): Strike {
  return { ...strike, error: new Error(strike.error.message.replaceAll(root, 'ROOT')) };
}

export function difference(what: string, args: unknown, actual: unknown, expected: unknown): string {
  const brief = (value: unknown): string => String(JSON.stringify(value)).slice(0, 500);
  return `${what} ${brief(args)}: ${brief(actual)} instead of ${brief(expected)}`;
}

/**
 * Whether any file below has several names. Maybe, where a folder goes meanwhile: a recursive removal that has failed at
 * one file may still be about others.
 */
export function hasLinks(folder: Buffer): boolean {
  try {
    return nodeFs.readdirSync(folder, { encoding: 'buffer', withFileTypes: true }).some((entry) => {
      const path = Buffer.concat([folder, SLASH, entry.name as unknown as Buffer]);
      return entry.isDirectory() ? hasLinks(path) : nodeFs.lstatSync(path).nlink > 1;
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return true;
    }
    throw error;
  }
}
