/** @throws {RangeError} the block is no integer from 0, or its end is above 2^53 */
export function checkBlock(block: number, blockBytes: number): void {
  if (!Number.isSafeInteger(block) || block < 0 || (block + 1) * blockBytes > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(`Cannot use block ${String(block)}: it must be an integer from 0, and end below 2^53 bytes`);
  }
}

/** @throws {RangeError} the position is none of a file */
export function checkPosition(position: number): void {
  if (!Number.isSafeInteger(position) || position < 0) {
    throw new RangeError(`Cannot use position ${String(position)}: it must be an integer from 0 to 2^53 - 1`);
  }
}

/** @throws {TypeError | RangeError} the range is none of the buffer, or none of a file */
export function checkTarget(buffer: Uint8Array, offset: number, length: number, position: number): void {
  if (!(buffer instanceof Uint8Array)) {
    throw new TypeError(`Cannot copy from or to ${String(buffer)}: it must be a Uint8Array`);
  }
  if (!Number.isSafeInteger(offset) || !(offset >= 0 && length >= 0 && offset + length <= buffer.length)) {
    throw new RangeError(
      `Cannot copy ${String(length)} bytes at ${String(offset)} of a buffer: it has ${buffer.length} bytes`,
    );
  }
  checkPosition(position);
  if (!Number.isSafeInteger(length) || !Number.isSafeInteger(position + length)) {
    throw new RangeError(`Cannot use ${String(length)} bytes at ${position}: the end must be below 2^53`);
  }
}
