import type { OrderedStore, StoreEntry, StoreRange } from '@core/ordered-store';
import type { Key, KeyEntry, KeyRange } from '../options.js';
import type { CachedKey } from './cached-key.js';
import type { Core } from './core.js';
import type { Bound } from './dirty-order.js';
import type { Flusher } from './flusher.js';
import { behind, type KeySpace, latinOf } from './key-space.js';

/** A key that was dirty when the range began, and its value then, or undefined: none. */
interface Dirty {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export interface RangePorts {
  readonly core: Core;
  readonly store: OrderedStore;
  readonly flusher: Flusher;
  readonly assertOpen: () => void;
}

/**
 * What the tree holds at the moment of the first `next()`, in order: the store's snapshot of that moment, and over it
 * copies of what was dirty.
 *
 * No flush begins until the store has taken its snapshot. One that is under way writes keys that are dirty until it has
 * ended, so they are among the copies, and it makes no difference whether the snapshot has them.
 */
export async function* range(
  { core, store, flusher, assertOpen }: RangePorts,
  space: KeySpace,
  options: KeyRange,
): AsyncGenerator<KeyEntry, void, undefined> {
  const limit = options.limit ?? Infinity;
  const reverse = options.reverse === true;
  const { lower, upper } = boundsOf(options);
  assertOpen();
  if (limit === 0) {
    return;
  }
  const dirty = dirtyIn(core, space, lower, upper, reverse, limit);
  const deleted = dirty.reduce((sum, { value }) => sum + (value === undefined ? 1 : 0), 0);
  const stored = store.range(storeRange(space, lower, upper, reverse, limit + deleted));
  let left = limit;
  try {
    let entry = await flusher.holdOff(() => stored.next());
    let at = 0;
    while (left > 0) {
      assertOpen();
      const next = dirty[at];
      const storedKey = entry.done === true ? null : keyIn(space, entry.value);
      if (next === undefined && storedKey === null) {
        return;
      }
      const order = next === undefined ? 1 : storedKey === null ? -1 : compare(next.key, storedKey, reverse);
      if (order <= 0) {
        const { key, value } = next as Dirty;
        at++;
        if (value !== undefined) {
          left--;
          yield [bytesOf(key), value];
        }
      } else {
        left--;
        const [key, value] = entry.value as StoreEntry;
        yield [key.subarray(space.prefix.length), value];
      }
      if (order >= 0 && left > 0) {
        entry = await stored.next();
      }
    }
  } finally {
    await stored.return?.();
  }
}

/** @throws {TypeError | RangeError} a bound is no key, or the limit is none */
export function checkRange(options: KeyRange): void {
  boundsOf(options);
  const { limit, reverse } = options;
  if (limit !== undefined && limit !== Infinity && !(Number.isInteger(limit) && limit >= 0)) {
    throw new RangeError(`Cannot read a range of ${String(limit)} entries: limit must be an integer from 0`);
  }
  if (reverse !== undefined && typeof reverse !== 'boolean') {
    throw new TypeError(`Cannot read a range with reverse ${String(reverse)}: it must be true or false`);
  }
}

function boundsOf({ gte, gt, lte, lt }: KeyRange): { lower: Bound | null; upper: Bound | null } {
  return { lower: boundOf(gt, gte), upper: boundOf(lt, lte) };
}

function boundOf(exclusive: Key | undefined, inclusive: Key | undefined): Bound | null {
  if (exclusive !== undefined) {
    return { key: latinOf(exclusive), exclusive: true };
  }
  return inclusive === undefined ? null : { key: latinOf(inclusive), exclusive: false };
}

/** As many as can matter: behind so many values the range has ended. */
function dirtyIn(
  core: Core,
  space: KeySpace,
  lower: Bound | null,
  upper: Bound | null,
  reverse: boolean,
  limit: number,
): Dirty[] {
  const dirty: Dirty[] = [];
  let values = 0;
  core.order(space).walk(lower, upper, reverse, (key: CachedKey) => {
    const value = key.copy();
    dirty.push({ key: key.key, value });
    values += value === undefined ? 0 : 1;
    return values < limit;
  });
  return dirty;
}

function storeRange(
  space: KeySpace,
  lower: Bound | null,
  upper: Bound | null,
  reverse: boolean,
  limit: number,
): StoreRange {
  const { prefix } = space;
  const end = behind(prefix);
  const first = prefix + (lower?.key ?? '');
  return {
    reverse,
    ...(limit === Infinity ? {} : { limit }),
    ...(first === '' ? {} : lower?.exclusive === true ? { gt: bytesOf(first) } : { gte: bytesOf(first) }),
    ...(upper === null
      ? end === null
        ? {}
        : { lt: bytesOf(end) }
      : prefix + upper.key === ''
        ? // No key is empty, so nothing is at an empty bound or below it.
          { lt: Uint8Array.of(0) }
        : upper.exclusive
          ? { lt: bytesOf(prefix + upper.key) }
          : { lte: bytesOf(prefix + upper.key) }),
  };
}

function keyIn(space: KeySpace, entry: StoreEntry): string {
  return latinOf(entry[0]).slice(space.prefix.length);
}

function bytesOf(latin: string): Uint8Array {
  return new Uint8Array(Buffer.from(latin, 'latin1'));
}

function compare(a: string, b: string, reverse: boolean): number {
  if (a === b) {
    return 0;
  }
  return a < b !== reverse ? -1 : 1;
}
