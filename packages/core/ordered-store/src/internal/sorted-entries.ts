import { assert } from '@core/base';
import type { StoreEntry } from '../ordered-store.js';
import { compareBytes } from './bytes.js';

/** A chunk has 1 to so many entries: enough that few chunks are copied for each version, few enough to copy one. */
const MAX_CHUNK = 64;

type Chunk = readonly StoreEntry[];

/** A key with its new value, or undefined: it goes. */
export type Change = readonly [key: Uint8Array, value: Uint8Array | undefined];

/**
 * Entries sorted by key that never change: a change makes another version, which shares all chunks but the touched
 * ones. Keeping a version is a snapshot, and to forget the new one is to undo it.
 *
 * `get` and `seek` take O(log n), a version of m changes O(m × 64 + n / 64).
 */
export class SortedEntries {
  static readonly EMPTY: SortedEntries = new SortedEntries([], 0);

  readonly length: number;
  readonly #chunks: readonly Chunk[];

  private constructor(chunks: readonly Chunk[], length: number) {
    this.#chunks = chunks;
    this.length = length;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk === undefined) {
      return undefined;
    }
    const entry = chunk[lowerBound(chunk, key)];
    return entry !== undefined && compareBytes(entry[0], key) === 0 ? entry[1] : undefined;
  }

  /** @param changes by key, each key at most once */
  with(changes: readonly Change[]): SortedEntries {
    const chunks: Chunk[] = [];
    let length = this.length;
    let from = 0;
    let at = 0;
    while (at < changes.length) {
      const index = Math.max(0, this.#chunkOf((changes[at] as Change)[0]));
      for (; from < index; from++) {
        chunks.push(this.#chunks[from] as Chunk);
      }
      const first = at;
      at = endOfChunk(changes, at, this.#chunks[index + 1]);
      const old = this.#chunks[index] ?? [];
      const merged = merge(old, changes, first, at);
      length += merged.length - old.length;
      pushChunks(chunks, merged);
      from = index + 1;
    }
    for (; from < this.#chunks.length; from++) {
      chunks.push(this.#chunks[from] as Chunk);
    }
    return new SortedEntries(chunks, length);
  }

  /** Entries from `key` on (from the first where there is none), as many as are asked for each time. */
  walk(key: Uint8Array | undefined): Walk {
    const chunk = key === undefined ? 0 : Math.max(0, this.#chunkOf(key));
    const index = key === undefined ? 0 : lowerBound(this.#chunks[chunk] ?? [], key);
    return new Walk(this.#chunks, chunk, index, 1);
  }

  /** Entries from `key` downwards (from the last where there is none). */
  walkBack(key: Uint8Array | undefined): Walk {
    const chunk = key === undefined ? this.#chunks.length - 1 : this.#chunkOf(key);
    const entries = this.#chunks[chunk] ?? [];
    let index = key === undefined ? entries.length : lowerBound(entries, key);
    const found = entries[index];
    if (key === undefined || found === undefined || compareBytes(found[0], key) > 0) {
      index--;
    }
    return new Walk(this.#chunks, chunk, index, -1);
  }

  checkInvariants(): void {
    let last: Uint8Array | null = null;
    let count = 0;
    for (const chunk of this.#chunks) {
      assert(chunk.length > 0 && chunk.length <= MAX_CHUNK, `a chunk has ${chunk.length} entries`);
      for (const [key] of chunk) {
        assert(last === null || compareBytes(last, key) < 0, 'keys are out of order');
        last = key;
      }
      count += chunk.length;
    }
    assert(count === this.length, `${count} entries are counted as ${this.length}`);
  }

  /** The last chunk whose first key is not above `key`; -1: there is none. */
  #chunkOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes((this.#chunks[middle] as readonly [StoreEntry])[0][0], key) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }
}

/** A place in one version. */
class Walk {
  readonly #chunks: readonly Chunk[];
  readonly #step: 1 | -1;
  #chunk: number;
  #index: number;

  constructor(chunks: readonly Chunk[], chunk: number, index: number, step: 1 | -1) {
    this.#chunks = chunks;
    this.#chunk = chunk;
    this.#index = index;
    this.#step = step;
  }

  next(): StoreEntry | undefined {
    let entry = this.#chunks[this.#chunk]?.[this.#index];
    if (entry === undefined) {
      this.#chunk += this.#step;
      const chunk = this.#chunks[this.#chunk];
      if (chunk === undefined) {
        return undefined;
      }
      this.#index = this.#step > 0 ? 0 : chunk.length - 1;
      entry = chunk[this.#index];
    }
    this.#index += this.#step;
    return entry;
  }
}

export type { Walk };

/** The index of the first entry that is not below `key`. */
function lowerBound(chunk: Chunk, key: Uint8Array): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes((chunk[middle] as StoreEntry)[0], key) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** The index after the last change that comes before the chunk `next`. */
function endOfChunk(changes: readonly Change[], from: number, next: Chunk | undefined): number {
  const bound = next?.[0]?.[0];
  if (bound === undefined) {
    return changes.length;
  }
  let at = from;
  while (at < changes.length && compareBytes((changes[at] as Change)[0], bound) < 0) {
    at++;
  }
  return at;
}

function merge(chunk: Chunk, changes: readonly Change[], from: number, to: number): StoreEntry[] {
  const merged: StoreEntry[] = [];
  let old = 0;
  for (let at = from; at < to; at++) {
    const [key, value] = changes[at] as Change;
    let order = -1;
    while (old < chunk.length && (order = compareBytes((chunk[old] as StoreEntry)[0], key)) < 0) {
      merged.push(chunk[old++] as StoreEntry);
    }
    if (old < chunk.length && order === 0) {
      old++;
    }
    if (value !== undefined) {
      merged.push([key, value]);
    }
  }
  while (old < chunk.length) {
    merged.push(chunk[old++] as StoreEntry);
  }
  return merged;
}

/** Adds entries as chunks of even size; few are put to the chunk before them. */
function pushChunks(chunks: Chunk[], entries: readonly StoreEntry[]): void {
  const before = chunks.at(-1);
  const together = before !== undefined && before.length + entries.length <= MAX_CHUNK / 2;
  const all = together ? [...before, ...entries] : entries;
  if (together) {
    chunks.pop();
  }
  const count = Math.ceil(all.length / MAX_CHUNK);
  for (let index = 0; index < count; index++) {
    chunks.push(all.slice(Math.floor((index * all.length) / count), Math.floor(((index + 1) * all.length) / count)));
  }
}
