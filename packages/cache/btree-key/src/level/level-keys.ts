import type { LevelBackendRange } from './level-backend.js';

/**
 * Databases of abstract-level have an empty key, and backends have none. So a zero byte goes before the empty key, and
 * before all keys that begin with one; all others are as they are, and the order stays.
 */
export function toBackendKey(key: Uint8Array): Uint8Array {
  if (key.length > 0 && key[0] !== 0) {
    return key;
  }
  const backendKey = new Uint8Array(key.length + 1);
  backendKey.set(key, 1);
  return backendKey;
}

export function fromBackendKey(key: Uint8Array): Uint8Array {
  return key[0] === 0 ? key.subarray(1) : key;
}

/** A range as abstract-level hands it to implementations. */
export interface EncodedRange {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly reverse: boolean;
  /** -1: none. */
  readonly limit: number;
}

/** Of two bounds at one end abstract-level takes the inclusive one. */
export function toBackendRange({ gte, gt, lte, lt, reverse, limit }: EncodedRange): LevelBackendRange {
  return {
    ...(gte !== undefined ? { gte: toBackendKey(gte) } : gt !== undefined && { gt: toBackendKey(gt) }),
    ...(lte !== undefined ? { lte: toBackendKey(lte) } : lt !== undefined && { lt: toBackendKey(lt) }),
    reverse,
    ...(limit !== -1 && { limit }),
  };
}

/**
 * The range from a key on, in its direction.
 *
 * @returns null when the key is outside
 */
export function toSoughtRange(range: EncodedRange, target: Uint8Array): LevelBackendRange | null {
  // The limit is of the iterator, which goes on counting.
  const { gte, gt, lte, lt } = toBackendRange({ ...range, limit: -1 });
  const key = toBackendKey(target);
  if (
    (gte !== undefined && Buffer.compare(key, gte) < 0) ||
    (gt !== undefined && Buffer.compare(key, gt) <= 0) ||
    (lte !== undefined && Buffer.compare(key, lte) > 0) ||
    (lt !== undefined && Buffer.compare(key, lt) >= 0)
  ) {
    return null;
  }
  return range.reverse
    ? { reverse: true, lte: key, ...(gte !== undefined ? { gte } : gt !== undefined && { gt }) }
    : { reverse: false, gte: key, ...(lte !== undefined ? { lte } : lt !== undefined && { lt }) };
}
