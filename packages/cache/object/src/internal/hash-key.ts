/** Characters of a string that count: all, of one that is no longer; else these at each end, and as many in between. */
const HASHED_CHARS = 256;
const END_CHARS = 32;
const GOLDEN = 0x9e3779b1;
// Far from the small integers, which are common keys.
const NULL = 0x5bd1e995;
const TRUE = 0x6c8e9cf5;
const FALSE = 0x7b1c3d57;
const UNDEFINED = 0x4f2a8b13;
const BIGINT = 0x1b873593;
const STRING = 0x2545f491;
const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

/**
 * 32 bits, signed, that are the same for keys which a `Map` takes as the same; or 0 for one that has no such number: an
 * object, a function, or a symbol. To number these, in a WeakMap, made a set take eight times as long.
 *
 * O(1): of a long string, a part of it counts.
 */
export function hashKey(key: unknown): number {
  switch (typeof key) {
    case 'number':
      return (key | 0) === key ? mix(key) : hashDouble(key);
    case 'string':
      return hashString(key);
    case 'object':
      return key === null ? mix(NULL) : 0;
    case 'bigint':
      return mix(hashDouble(Number(BigInt.asIntN(53, key ^ (key >> 53n)))) ^ BIGINT);
    case 'boolean':
      return mix(key ? TRUE : FALSE);
    case 'undefined':
      return mix(UNDEFINED);
    default:
      return 0;
  }
}

/** Whether a key is known again when it comes back. */
export function isKnowable(key: unknown): boolean {
  switch (typeof key) {
    case 'object':
      return key === null;
    case 'function':
    case 'symbol':
      return false;
    default:
      return true;
  }
}

function mix(value: number): number {
  let hash = Math.imul(value ^ GOLDEN, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16) || 1;
}

function hashDouble(value: number): number {
  // -0 is an integer to the operators above, and so is as 0.
  double[0] = value;
  return mix((words[0] as number) ^ Math.imul(words[1] as number, GOLDEN));
}

function hashString(text: string): number {
  const { length } = text;
  let hash = length ^ STRING;
  // Every other character goes to another sum: two can be under way at once, which saves a third of the time.
  let other = 0;
  if (length <= HASHED_CHARS) {
    const pairs = length & ~1;
    for (let at = 0; at < pairs; at += 2) {
      hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
      other = (Math.imul(other, 37) + text.charCodeAt(at + 1)) | 0;
    }
    if (pairs < length) {
      hash = (Math.imul(hash, 31) + text.charCodeAt(pairs)) | 0;
    }
    return mix(hash ^ Math.imul(other, GOLDEN));
  }
  for (let at = 0; at < END_CHARS; at++) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
    other = (Math.imul(other, 37) + text.charCodeAt(length - 1 - at)) | 0;
  }
  const step = Math.max(1, Math.floor((length - 2 * END_CHARS) / (HASHED_CHARS - 2 * END_CHARS)));
  for (let at = END_CHARS; at < length - END_CHARS; at += step) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  }
  return mix(hash ^ Math.imul(other, GOLDEN));
}
