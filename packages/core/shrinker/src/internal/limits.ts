import type { GroupLimit, GroupLimits } from '../group-limits.js';
import type { Zone } from '../spec.js';
import { ZONES } from './zones.js';

/** Under which a limit or a usage of all zones together is, beside those of the zones. */
export const ALL_ZONES = 3;

const KINDS = ['min', 'low', 'high', 'max'] as const;
type Kind = (typeof KINDS)[number];

const NONE: readonly number[] = [0, 0, 0, 0];
const ENDLESS: readonly number[] = [Infinity, Infinity, Infinity, Infinity];

/** The limits of one group: as they were given, and spread over the zones and all of them together. */
export class Limits implements GroupLimits {
  /** @internal */
  mins: readonly number[] = NONE;
  /** @internal */
  lows: readonly number[] = NONE;
  /** @internal */
  highs: readonly number[] = ENDLESS;
  /** @internal */
  maxes: readonly number[] = ENDLESS;
  readonly #path: string;
  readonly #changed: () => void;
  #given: GroupLimits = { min: 0, low: 0, high: Infinity, max: Infinity };

  constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#changed = changed;
  }

  get min(): GroupLimit {
    return this.#given.min;
  }
  set min(limit: GroupLimit) {
    this.assign({ ...this.#given, min: limit });
  }
  get low(): GroupLimit {
    return this.#given.low;
  }
  set low(limit: GroupLimit) {
    this.assign({ ...this.#given, low: limit });
  }
  get high(): GroupLimit {
    return this.#given.high;
  }
  set high(limit: GroupLimit) {
    this.assign({ ...this.#given, high: limit });
  }
  get max(): GroupLimit {
    return this.#given.max;
  }
  set max(limit: GroupLimit) {
    this.assign({ ...this.#given, max: limit });
  }

  /** All at once; what is absent has its default. */
  assign(limits: Readonly<Partial<GroupLimits>>): void {
    if (typeof limits !== 'object' || limits === null) {
      throw new TypeError(`Cannot limit group ${this.#path}: the limits are ${String(limits)}, not an object`);
    }
    const { min = 0, low = 0, high = Infinity, max = Infinity } = limits;
    const mins = this.#spread('min', min, 0);
    const lows = this.#spread('low', low, 0);
    const highs = this.#spread('high', high, Infinity);
    const maxes = this.#spread('max', max, Infinity);
    // All of them are valid: only now anything changes.
    this.mins = mins;
    this.lows = lows;
    this.highs = highs;
    this.maxes = maxes;
    this.#given = { min, low, high, max };
    this.#changed();
  }

  /** Whether `high` or `max` limits anything. */
  get isLimited(): boolean {
    return this.highs !== ENDLESS || this.maxes !== ENDLESS;
  }

  /** Whether `min` or `low` protects anything. */
  get isProtecting(): boolean {
    return this.mins !== NONE || this.lows !== NONE;
  }

  /** As it was given. */
  plain(): GroupLimits {
    return { ...this.#given };
  }

  #spread(kind: Kind, limit: GroupLimit, none: number): readonly number[] {
    const spread = [none, none, none, none];
    if (typeof limit === 'object' && limit !== null) {
      for (const [zone, value] of Object.entries(limit)) {
        const index = ZONES.indexOf(zone as Zone);
        if (index < 0) {
          throw new RangeError(
            `Cannot limit group ${this.#path}: its ${kind} names zone ${zone}, the zones are ${ZONES.join(', ')}`,
          );
        }
        if (value !== undefined) {
          spread[index] = this.#check(kind, value);
        }
      }
    } else {
      spread[ALL_ZONES] = this.#check(kind, limit);
    }
    return spread.every((value) => value === none) ? (none === 0 ? NONE : ENDLESS) : spread;
  }

  #check(kind: Kind, value: unknown): number {
    if (typeof value !== 'number') {
      throw new TypeError(`Cannot limit group ${this.#path}: its ${kind} is ${String(value)}, not a number of bytes`);
    }
    if (!(value >= 0)) {
      throw new RangeError(`Cannot limit group ${this.#path}: its ${kind} is ${value}, give bytes from 0 on`);
    }
    return value;
  }
}
