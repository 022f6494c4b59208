import { checkOptionNames } from '@core/base';
import type { Zone } from '@core/shrinker';

export interface DerivedKindOptions<T> {
  /** Bytes of memory that a value takes, 0 or more. Asked once for each value that is kept. */
  readonly sizeOf: (value: T) => number;
  /** What kind of memory it is in. Default `heap`. */
  readonly zone?: Zone;
  /**
   * Milliseconds for which a value is believed without a look at the file after its maker. The next look, whoever makes
   * it, then shows whether the value is good for longer. Saves a look for each value that is needed only once, or soon
   * again. Where the policy is strict it is 0, as by default: a look follows each maker.
   */
  readonly trustMs?: number;
  /**
   * Called once for every value that was made, after it has left the cache, or was not taken, and a grace period has
   * passed.
   */
  readonly dispose?: (value: T) => void;
}

const OPTION_NAMES = ['sizeOf', 'zone', 'trustMs', 'dispose'];
const ZONES: readonly unknown[] = ['heap', 'external', 'shared'];

/**
 * Names one sort of values that are derived from files: parsed JSON, a hash, decoded text. The object is the key: make
 * it once, as a constant.
 */
export class DerivedKind<T> {
  readonly name: string;
  readonly sizeOf: (value: T) => number;
  readonly zone: Zone;
  readonly trustMs: number;
  readonly dispose: ((value: T) => void) | null;

  /**
   * @param name for reports
   * @throws {TypeError} the name is no string, or empty; an option is of the wrong type, or unknown
   * @throws {RangeError} the zone is none; `trustMs` is no number of 0 or more
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
    const { trustMs = 0 } = options;
    if (!(typeof trustMs === 'number' && trustMs >= 0)) {
      throw new RangeError(
        `Cannot create the kind "${name}" with values believed for ${String(trustMs)} ms: trustMs must be a number of 0 or more`,
      );
    }
    this.name = name;
    this.sizeOf = options.sizeOf;
    this.zone = options.zone ?? 'heap';
    this.trustMs = trustMs;
    this.dispose = options.dispose ?? null;
  }
}
