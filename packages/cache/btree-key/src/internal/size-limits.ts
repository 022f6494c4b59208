import { BtreeKeyError } from '../btree-key-error.js';
import { KEY_BYTES, roomFor } from './allocator.js';

/** A share of the cache that one batch, and so one value, may take: else there might never be room for it. */
const MAX_SHARE = 4;

/** What may be stored at all, told before anything is locked for it. */
export class SizeLimits {
  private readonly maxBytes: number;
  private readonly maxValueBytes: number;

  /** @param maxValueBytes of the store */
  constructor(maxBytes: number, maxValueBytes: number) {
    this.maxBytes = maxBytes;
    this.maxValueBytes = maxValueBytes;
  }

  /** @throws {TypeError | BtreeKeyError} it is no value, or too large */
  checkValue(value: unknown): void {
    if (value === undefined) {
      return;
    }
    if (!(value instanceof Uint8Array)) {
      throw new TypeError('Cannot store this value: it must be a Uint8Array, or undefined for none');
    }
    const { maxBytes, maxValueBytes } = this;
    if (value.length > maxValueBytes) {
      throw tooLarge(`a value of ${value.length} bytes: the store takes ${maxValueBytes}`);
    }
    if (KEY_BYTES + roomFor(value.length) > maxBytes / MAX_SHARE) {
      throw tooLarge(`a value of ${value.length} bytes: it takes more than a quarter of the cache's ${maxBytes}`);
    }
  }

  /** @throws {BtreeKeyError} keys with these values are too many for one batch */
  checkBatch(keys: readonly { readonly key: string }[], values: readonly (Uint8Array | undefined)[]): void {
    let bytes = 0;
    for (const [at, { key }] of keys.entries()) {
      bytes += KEY_BYTES + key.length + roomFor(values[at]?.length ?? 0);
    }
    if (bytes > this.maxBytes / MAX_SHARE) {
      throw tooLarge(
        `${keys.length} keys at once: they take ${bytes} bytes, more than a quarter of the cache's ${this.maxBytes}`,
      );
    }
  }
}

export function tooLarge(what: string): BtreeKeyError {
  return new BtreeKeyError('ERR_BTREE_KEY_TOO_LARGE', `Cannot store ${what}`);
}
