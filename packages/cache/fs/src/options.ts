import nodeFs from 'node:fs';
import { checkOptionNames, type Clock, type Scheduler } from '@core/base';
import type { ServiceSource } from '@core/framework';
import type { RcuFlavor } from '@core/rcu';
import type { MemoryGroup, ShrinkerRegistry } from '@core/shrinker';

/**
 * How changes by others are seen: those that are made on the façade are seen at once, and so are all after `invalidate`.
 *
 * - `'always'`: nothing is believed without a look, and a look is a call: every call goes through.
 * - `{ ageMs }`: what is cached is believed for so many milliseconds.
 * - `'watch'`: directories are watched, and what changes there is forgotten. Events get lost, so all is looked at again
 *   after a minute at the latest.
 *
 * Default: files are believed for 3 seconds, and longer, up to a minute, while they do not change; names for 30 seconds.
 */
export type Revalidate = 'always' | 'watch' | { readonly ageMs: number };

export interface CachedFsOptions {
  /**
   * The file system below: node:fs, which is the default, or anything of its shape. What it lacks, the façade lacks; its
   * functions are called as methods, and looked up anew for each call.
   */
  readonly fs?: object;
  readonly revalidate?: Revalidate;
  /** Bytes of contents that are kept: of files, their text, and parsed JSON. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Names that are kept, those that lead to nothing included. Default 65,536. */
  readonly maxNames?: number;
  /** False where `A` and `a` name the same entry. Default: false on macOS, true elsewhere. */
  readonly caseSensitive?: boolean;
  /** For reports, and the name of the shrinker. Default `'fs'`. */
  readonly name?: string;
  /** A host to live in: its registry, its root group and its grace periods are used, unless others are given. */
  readonly host?: ServiceSource;
  /** Where its shrinker is registered, so that it gives way under memory pressure. Default: nowhere. */
  readonly shrinkers?: ShrinkerRegistry;
  /** Whose memory it takes. Default that of the host; without one, and null: nobody's. */
  readonly group?: MemoryGroup | null;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  /** Whose grace periods what has left waits for. Default: one that all such caches share. */
  readonly rcu?: RcuFlavor;
  /** Where errors go that are nobody's. Default: an uncaught exception. */
  readonly onError?: (error: unknown) => void;
}

const OPTION_NAMES = Object.keys({
  fs: true,
  host: true,
  revalidate: true,
  maxBytes: true,
  maxNames: true,
  caseSensitive: true,
  name: true,
  shrinkers: true,
  group: true,
  clock: true,
  scheduler: true,
  rcu: true,
  onError: true,
} satisfies Record<keyof CachedFsOptions, true>);

export const DEFAULT_MAX_BYTES: number = 64 * 1024 * 1024;
export const DEFAULT_MAX_NAMES = 65_536;

/** @throws {TypeError | RangeError} an option is nothing of its kind, or has a name that is none */
export function checkOptions(options: CachedFsOptions): void {
  checkOptionNames(options, OPTION_NAMES, 'a cached file system');
  const { fs = nodeFs, revalidate, maxBytes, maxNames } = options;
  if ((typeof fs !== 'object' && typeof fs !== 'function') || fs === null) {
    throw new TypeError(`Cannot create a cached file system over ${String(fs)}: fs must be of the shape of node:fs`);
  }
  checkRevalidate(revalidate);
  if (maxBytes !== undefined && !(typeof maxBytes === 'number' && maxBytes > 0)) {
    throw new RangeError(`Cannot keep contents of ${String(maxBytes)} bytes: maxBytes must be a number above 0`);
  }
  if (maxNames !== undefined && !(Number.isInteger(maxNames) && maxNames > 0)) {
    throw new RangeError(`Cannot keep ${String(maxNames)} names: maxNames must be an integer above 0`);
  }
}

function checkRevalidate(revalidate: unknown): void {
  if (revalidate === undefined || revalidate === 'always' || revalidate === 'watch') {
    return;
  }
  const ageMs: unknown =
    typeof revalidate === 'object' && revalidate !== null ? (revalidate as { ageMs?: unknown }).ageMs : undefined;
  if (typeof ageMs !== 'number') {
    throw new TypeError(
      `Cannot revalidate by ${JSON.stringify(revalidate)}: pass 'always', 'watch', or { ageMs } with a number`,
    );
  }
  if (!(ageMs >= 0)) {
    throw new RangeError(`Cannot believe what is cached for ${ageMs} ms: ageMs must be 0 or more`);
  }
}
