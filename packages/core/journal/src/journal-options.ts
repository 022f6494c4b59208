import { randomBytes } from 'node:crypto';

import { checkOptionNames, type Rng, type Scheduler, systemScheduler } from '@core/base';

import type { JournalError } from './journal-error.js';
import type { JournalFiles } from './journal-files.js';
import type { Durability } from './journal-port.js';
import { NodeFiles } from './node-files.js';

/** The largest payload: 64 MiB. */
export const MAX_RECORD_BYTES: number = 64 * 2 ** 20;

const MIN_SEGMENT_BYTES = 256;
const MAX_SEGMENT_BYTES = 2 ** 30;
const MAX_INTERVAL_MS = 3_600_000;
const DURABILITIES: readonly unknown[] = ['every', 'interval', 'none'] satisfies Durability[];

export interface JournalOptions {
  /** Holds nothing but this journal; made, with those above it, if it is not there. */
  readonly directory: string;
  /** When `committed` resolves. Default `every`. */
  readonly durability?: Durability;
  /** With `interval`: what was written is on disk so many milliseconds later. 1 to 3,600,000; default 100. */
  readonly intervalMs?: number;
  /**
   * A segment is dropped as a whole, so smaller ones free space earlier and cost a few syncs more. A frame is never
   * split: one that is larger has a segment of its own. 256 to 2^30 bytes; default 16 MiB. `open` and `replay` read a
   * segment into memory at a time.
   */
  readonly segmentBytes?: number;
  /** Told once when the journal dies of a failed write or sync. The next `append`, and `close`, tell of it too. */
  readonly onError?: (error: JournalError) => void;
  /** The file calls. Default: node's. */
  readonly files?: JournalFiles;
  /** Turns of the event loop, and the timer of `interval`. */
  readonly scheduler?: Scheduler;
  /** Names the journal and each `open` of it. Default: the system's randomness. */
  readonly rng?: Rng;
}

const NAMES = [
  'directory',
  'durability',
  'intervalMs',
  'segmentBytes',
  'onError',
  'files',
  'scheduler',
  'rng',
] as const satisfies (keyof JournalOptions)[];

/** Randomness that no other journal has, whatever is seeded. */
export const systemRng: Rng = { next: () => randomBytes(4).readUInt32LE() / 2 ** 32 };

/** The options with every default in its place. */
export interface CheckedOptions extends Required<Omit<JournalOptions, 'onError'>> {
  readonly onError: ((error: JournalError) => void) | null;
}

/** @throws {TypeError} @throws {RangeError} */
export function checkJournalOptions(options: JournalOptions): CheckedOptions {
  checkOptionNames(options, NAMES, 'a Journal');
  const {
    directory,
    durability = 'every',
    intervalMs = 100,
    segmentBytes = 16 * 2 ** 20,
    onError = null,
    files = new NodeFiles(),
    scheduler = systemScheduler,
    rng = systemRng,
  } = options ?? {};
  checkDirectory(directory);
  if (!DURABILITIES.includes(durability)) {
    throw new RangeError(`Cannot use the durability ${String(durability)}: it is "every", "interval" or "none"`);
  }
  checkRange('intervalMs', intervalMs, 1, MAX_INTERVAL_MS);
  checkRange('segmentBytes', segmentBytes, MIN_SEGMENT_BYTES, MAX_SEGMENT_BYTES);
  if (onError !== null && typeof onError !== 'function') {
    throw new TypeError('Cannot use this onError: pass a function');
  }
  return { directory, durability, intervalMs, segmentBytes, onError, files, scheduler, rng };
}

export function checkDirectory(directory: unknown): asserts directory is string {
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError('Cannot use this directory for a journal: pass the path of one');
  }
}

function checkRange(name: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number') {
    throw new TypeError(`Cannot use ${name} of type ${typeof value}: pass a number`);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`Cannot use ${name} ${value}: it must be an integer from ${least} to ${most}`);
  }
}
