import { checkOptionNames } from '@core/base';
import type { Zone } from '@core/shrinker';

export interface DerivedKindOptions<T> {
  /** Bytes of memory that a value takes, 0 or more. Asked once for each value that is kept. */
  readonly sizeOf: (value: T) => number;
  /** What kind of memory it is in. Default `heap`. */
  readonly zone?: Zone;
  /**
   * Called once for every value that was made, after it has left the cache, or was not taken, and a grace period has
   * passed.
   */
  readonly dispose?: (value: T) => void;
}

const OPTION_NAMES = ['sizeOf', 'zone', 'dispose'];
const ZONES: readonly unknown[] = ['heap', 'external', 'shared'];

/**
 * Names one sort of values that are derived from files: parsed JSON, a hash, decoded text. The object is the key: make
 * it once, as a constant.
 */
export class DerivedKind<T> {
  readonly name: string;
  readonly sizeOf: (value: T) => number;
  readonly zone: Zone;
  readonly dispose: ((value: T) => void) | null;

  /**
   * @param name for reports
   * @throws {TypeError} the name is no string, or empty; an option is of the wrong type, or unknown
   * @throws {RangeError} the zone is none
   */
  constructor(name: string, options: DerivedKindOptions<T>) {
    if (typeof name !== 'string' || name === '') {
      throw new TypeError('Cannot create a kind of derived values: its name must be a string, and not empty');
    }
    checkOptionNames(options, OPTION_NAMES, 'a kind of derived values');
    if (typeof options?.sizeOf !== 'function') {
      throw new TypeError(`Cannot create the kind "${name}": sizeOf must be a function`);
    }
    if (options.dispose !== undefined && typeof options.dispose !== 'function') {
      throw new TypeError(`Cannot create the kind "${name}": dispose must be a function`);
    }
    if (options.zone !== undefined && !ZONES.includes(options.zone)) {
      throw new RangeError(
        `Cannot create the kind "${name}" in zone ${String(options.zone)}: the zones are ${ZONES.join(', ')}`,
      );
    }
    this.name = name;
    this.sizeOf = options.sizeOf;
    this.zone = options.zone ?? 'heap';
    this.dispose = options.dispose ?? null;
  }
}
