import type { BigIntStats } from 'node:fs';
import { checkOptionNames } from '@core/base';
import type { InodeCacheOptions } from '../options.js';

const OPTION_NAMES = Object.keys({
  source: true,
  policy: true,
  contents: true,
  name: true,
  maxUnused: true,
  maxDerivedBytes: true,
  racyMs: true,
  group: true,
  rcu: true,
  clock: true,
  wallClock: true,
  scheduler: true,
  onError: true,
} satisfies Record<keyof InodeCacheOptions, true>);

/** What ports must be able to do. */
const PORTS = [
  ['source', ['lstat', 'lstatSync']],
  ['policy', ['trustMs']],
  ['contents', ['has', 'drop']],
  ['group', ['charge', 'uncharge']],
  ['rcu', ['getState', 'call']],
  ['clock', ['now']],
  ['wallClock', ['now']],
  ['scheduler', ['nextTurn', 'after']],
] as const;
const NUMBERS = ['maxUnused', 'maxDerivedBytes', 'racyMs'] as const;

export function checkOptions(options: InodeCacheOptions): void {
  checkOptionNames(options, OPTION_NAMES, 'an InodeCache');
  if (options?.source === undefined) {
    throw new TypeError(
      'Cannot create an InodeCache: source is missing; give a FileSystemSource, such as nodeSource()',
    );
  }
  for (const [name, methods] of PORTS) {
    const port: unknown = options[name];
    if (port === undefined || (port === null && name === 'group')) {
      continue;
    }
    for (const method of methods) {
      if (typeof (port as Record<string, unknown> | null)?.[method] !== 'function') {
        throw new TypeError(`Cannot create an InodeCache: ${name} has no ${method}()`);
      }
    }
  }
  for (const name of NUMBERS) {
    const value: unknown = options[name];
    if (value !== undefined && !(typeof value === 'number' && value >= 0)) {
      throw new RangeError(
        `Cannot create an InodeCache: ${name} is ${String(value)}; it must be a number of 0 or more`,
      );
    }
  }
  if (options.name !== undefined && (typeof options.name !== 'string' || options.name === '')) {
    throw new TypeError('Cannot create an InodeCache: its name must be a string, and not empty');
  }
  if (options.onError !== undefined && typeof options.onError !== 'function') {
    throw new TypeError('Cannot create an InodeCache: onError must be a function');
  }
}

/** @throws {TypeError} no bigint stats */
export function checkStats(stats: BigIntStats): void {
  if (
    typeof stats?.ino !== 'bigint' ||
    typeof stats.dev !== 'bigint' ||
    typeof stats.mode !== 'bigint' ||
    typeof stats.ctimeNs !== 'bigint'
  ) {
    throw new TypeError('Cannot use the stats of a file: they are no bigint stats; ask for them with { bigint: true }');
  }
}
