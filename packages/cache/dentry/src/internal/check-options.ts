import { checkOptionNames } from '@core/base';
import type { DentryCacheOptions } from '../options.js';

const OPTION_NAMES: readonly string[] = Object.keys({
  name: true,
  source: true,
  inodes: true,
  max: true,
  maxNegative: true,
  maxListed: true,
  maxListedTotal: true,
  listAfter: true,
  trustListings: true,
  maxPaths: true,
  policy: true,
  clock: true,
  rcu: true,
  group: true,
  seeks: true,
  onError: true,
} satisfies Record<keyof DentryCacheOptions<object>, true>);

const DEFAULTS = {
  max: 65_536,
  maxNegative: 8_192,
  maxListed: 4_096,
  maxListedTotal: 262_144,
  listAfter: 1,
  maxPaths: 32_768,
} as const;

const MINIMA: Readonly<Record<keyof typeof DEFAULTS, number>> = {
  max: 1,
  maxNegative: 0,
  maxListed: 0,
  maxListedTotal: 0,
  listAfter: 1,
  maxPaths: 0,
};

export type Limits = Record<keyof typeof DEFAULTS, number>;

/**
 * The limits that the options set, or their defaults.
 *
 * @throws {TypeError} there is no source, or a name that is none
 * @throws {RangeError} a limit is out of range
 */
export function checkOptions<I extends object>(options: DentryCacheOptions<I>): Limits {
  checkOptionNames(options, OPTION_NAMES, 'a DentryCache');
  if (typeof (options as Partial<DentryCacheOptions<I>> | undefined)?.source?.lstatSync !== 'function') {
    throw new TypeError('Cannot create a DentryCache without a source: pass nodeSource() or another as "source"');
  }
  const limits: Limits = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof Limits)[]) {
    const value = options[name] ?? DEFAULTS[name];
    if (!(Number.isInteger(value) || value === Infinity) || value < MINIMA[name]) {
      throw new RangeError(
        `Cannot create a DentryCache with ${name} ${value}: it must be an integer from ${MINIMA[name]}, or Infinity`,
      );
    }
    limits[name] = value;
  }
  return limits;
}
