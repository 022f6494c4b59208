import { Buffer } from 'node:buffer';

/** Below 0, 0 or above 0, as `a` comes before `b`, is equal, or comes after it: byte by byte, a prefix first. */
export const compareBytes: (a: Uint8Array, b: Uint8Array) => number = Buffer.compare;

/** Bytes of their own: `slice()` of a `Buffer` would share them. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** A mark as eight bytes. */
export function bytesOfMark(mark: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, mark);
  return bytes;
}

/** @param bytes of {@link bytesOfMark}, or undefined where no mark was stored */
export function markOfBytes(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? 0 : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(0);
}
