import type { StoreEntry, StoreRange } from '../ordered-store.js';
import { compareBytes, copyOf } from './bytes.js';

/** A range with its bounds sorted out. Undefined bounds are none; bounds are never empty. */
export interface KeyRange {
  readonly lower: Uint8Array | undefined;
  /** Whether `lower` itself is outside. */
  readonly lowerOpen: boolean;
  readonly upper: Uint8Array | undefined;
  readonly upperOpen: boolean;
  readonly reverse: boolean;
  readonly limit: number;
}

const NAMES: readonly string[] = ['gte', 'gt', 'lte', 'lt', 'reverse', 'limit'];

/**
 * Copies the bounds, and takes the narrower of two that are at the same end.
 *
 * @returns null when no key can be inside
 * @throws {TypeError} a bound is no `Uint8Array`, `reverse` no boolean, or a name unknown
 * @throws {RangeError} `limit` is no whole number ≥0
 */
export function toKeyRange(range: StoreRange): KeyRange | null {
  checkRange(range);
  const { gte, gt, lte, lt, reverse = false, limit = Infinity } = range;
  const lowerOpen = gt !== undefined && (gte === undefined || compareBytes(gt, gte) >= 0);
  const upperOpen = lt !== undefined && (lte === undefined || compareBytes(lt, lte) <= 0);
  const lower = lowerOpen ? gt : gte;
  const upper = upperOpen ? lt : lte;
  // There is no empty key, so that nothing is below an empty bound, and all above it.
  if (limit === 0 || upper?.length === 0 || isCrossed(lower, upper, lowerOpen || upperOpen)) {
    return null;
  }
  const bounded = lower !== undefined && lower.length > 0;
  return {
    lower: bounded ? copyOf(lower) : undefined,
    lowerOpen: bounded && lowerOpen,
    upper: upper === undefined ? undefined : copyOf(upper),
    upperOpen,
    reverse,
    limit,
  };
}

function isCrossed(lower: Uint8Array | undefined, upper: Uint8Array | undefined, open: boolean): boolean {
  if (lower === undefined || upper === undefined) {
    return false;
  }
  const order = compareBytes(lower, upper);
  return order > 0 || (order === 0 && open);
}

/**
 * Takes up to `count` entries that are inside. The first may be one that the source began at and the range leaves out;
 * at the first one past the far bound it ends.
 *
 * @param next entries in the range's direction; undefined at the end
 */
export function takeInside(range: KeyRange, count: number, next: () => StoreEntry | undefined): StoreEntry[] {
  const isBefore = range.reverse ? isAbove : isBelow;
  const isPast = range.reverse ? isBelow : isAbove;
  const taken: StoreEntry[] = [];
  while (taken.length < count) {
    const entry = next();
    if (entry === undefined || isPast(range, entry[0])) {
      break;
    }
    if (!isBefore(range, entry[0])) {
      taken.push(entry);
    }
  }
  return taken;
}

function isBelow(range: KeyRange, key: Uint8Array): boolean {
  if (range.lower === undefined) {
    return false;
  }
  const order = compareBytes(key, range.lower);
  return order < 0 || (order === 0 && range.lowerOpen);
}

function isAbove(range: KeyRange, key: Uint8Array): boolean {
  if (range.upper === undefined) {
    return false;
  }
  const order = compareBytes(key, range.upper);
  return order > 0 || (order === 0 && range.upperOpen);
}

function checkRange(range: StoreRange): void {
  if (typeof range !== 'object' || range === null || range instanceof Uint8Array) {
    throw new TypeError('Cannot read a range: it is no object; pass bounds as gte, gt, lte and lt');
  }
  for (const name of Object.keys(range)) {
    if (!NAMES.includes(name)) {
      throw new TypeError(`Cannot read a range: it has no "${name}"; use ${NAMES.join(', ')}`);
    }
  }
  for (const name of ['gte', 'gt', 'lte', 'lt'] as const) {
    if (range[name] !== undefined && !(range[name] instanceof Uint8Array)) {
      throw new TypeError(`Cannot read a range: "${name}" is no Uint8Array; encode it`);
    }
  }
  if (range.reverse !== undefined && typeof range.reverse !== 'boolean') {
    throw new TypeError('Cannot read a range: "reverse" is no boolean');
  }
  const { limit } = range;
  if (limit !== undefined && limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new RangeError(`Cannot read a range: a limit of ${String(limit)} is no whole number ≥0`);
  }
}
