import { crc32 } from 'node:zlib';

/** Of a header: `seed` ties it to where it belongs, so that the same bytes elsewhere do not pass. */
export function headerChecksum(bytes: Uint8Array, seed: number): number {
  return crc32(bytes, seed);
}

/**
 * Of a record. What comes before the payload goes into the seed by odd factors: no two sequences below 2^32 apart give
 * the same seed, and a CRC of equal bytes with another seed is another CRC. So one call is enough, and nothing needs a
 * view of the bytes as they will lie in the file.
 *
 * @param life of the `open` that wrote it
 */
export function recordChecksum(payload: Uint8Array, life: number, sequence: number): number {
  const { length } = payload;
  const seed =
    (life ^
      Math.imul(sequence >>> 0, 0x9e3779b1) ^
      Math.imul(Math.floor(sequence / 2 ** 32), 0x85ebca6b) ^
      Math.imul(length, 0xc2b2ae35)) >>>
    0;
  // zlib itself takes no bytes for "start anew", and would forget the seed.
  return length === 0 ? seed : crc32(payload, seed);
}
