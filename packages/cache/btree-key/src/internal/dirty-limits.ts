/** Keys that a flush takes at least. */
export const MIN_FLUSH = 128;
/** Clean keys that the shrinker never asks for: a nearly empty cache is left alone. */
export const KEPT_KEYS = 128;

const WANTED_KEYS = 1024;
const WAIT_KEYS = 4096;
const DONE_KEYS = 2048;

/** So many keys may be dirty before a flush is wanted. @see fs/bcachefs/btree_key_cache.h, the three marks */
export function flushMark(keys: number): number {
  return WANTED_KEYS + Math.floor(keys / 2);
}

/**
 * How much of what becomes dirty is flushed at the same time, from 0 where a flush is wanted to 1 half-way between where
 * waiting writers would go on and where writers wait: the longer a key may stay dirty, the more of its updates one write
 * of the store stands for.
 */
export function flushRate(dirty: number, keys: number): number {
  const from = flushMark(keys);
  const to = (doneMark(keys) + waitMark(keys)) / 2;
  return Math.min(1, Math.max(0, (dirty - from) / (to - from)));
}

export function mustWait(dirty: number, keys: number): boolean {
  return dirty > waitMark(keys);
}

export function waitDone(dirty: number, keys: number): boolean {
  return dirty <= doneMark(keys);
}

function waitMark(keys: number): number {
  return WAIT_KEYS + Math.floor((keys * 3) / 4);
}

function doneMark(keys: number): number {
  return DONE_KEYS + Math.floor((keys * 5) / 8);
}

/** The same by bytes, for caches that hold few keys: with all of them dirty there would be nothing to evict. */
export function flushWantedBytes(dirtyBytes: number, maxBytes: number): boolean {
  return dirtyBytes > maxBytes / 2;
}

export function mustWaitBytes(dirtyBytes: number, maxBytes: number): boolean {
  return dirtyBytes > (maxBytes * 3) / 4;
}

export function waitDoneBytes(dirtyBytes: number, maxBytes: number): boolean {
  return dirtyBytes <= (maxBytes * 5) / 8;
}
