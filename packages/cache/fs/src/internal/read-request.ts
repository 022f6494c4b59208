import { OWN_POSITION } from './open-file.js';

/** Of a buffer that is made for a caller who gives none. */
const BUFFER_BYTES = 16_384;
/** What reads more at a time is for the system to judge. */
const LENGTH_MAX = 0x7fff_ffff;

/** In the place of a position: it is none, or none for the cache. */
export const NO_POSITION = -2;

/** What a call asks to read, in whatever form it does. Nothing is checked. */
export interface ReadRequest {
  readonly buffer: unknown;
  readonly offset: unknown;
  readonly length: unknown;
  readonly position: unknown;
}

/** What a descriptor is asked for: of the buffer a range that is not empty, and a position as {@link positionOf} says. */
export interface ReadRange {
  readonly target: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly position: number;
}

interface ReadOptions {
  readonly buffer?: unknown;
  readonly offset?: unknown;
  readonly length?: unknown;
  readonly position?: unknown;
}

/** Whether there is anything to read, and a place for it. */
export function isRange(buffer: unknown, offset: unknown, length: unknown): boolean {
  return (
    buffer instanceof Uint8Array &&
    typeof offset === 'number' &&
    typeof length === 'number' &&
    Number.isInteger(offset) &&
    Number.isInteger(length) &&
    offset >= 0 &&
    length > 0 &&
    length <= LENGTH_MAX &&
    offset + length <= buffer.length
  );
}

/** The position that is meant, in bytes from 0, or {@link OWN_POSITION}; {@link NO_POSITION} where it is no good. */
export function positionOf(position: unknown, length: number): number {
  if (position === null || position === undefined) {
    return OWN_POSITION;
  }
  if (typeof position === 'bigint') {
    return position >= -1n && position <= BigInt(Number.MAX_SAFE_INTEGER - length) ? Number(position) : NO_POSITION;
  }
  const isGood =
    typeof position === 'number' &&
    Number.isInteger(position) &&
    position >= OWN_POSITION &&
    position <= Number.MAX_SAFE_INTEGER - length;
  return isGood ? position : NO_POSITION;
}

/** Undefined where the system has to say what is wrong, or that there is nothing to do. */
export function rangeOf({ buffer, offset, length, position }: ReadRequest): ReadRange | undefined {
  const target = bytesOf(buffer);
  const from = offset ?? 0;
  // As node takes it; what cannot be taken so is no good.
  const bytes = typeof length === 'bigint' || typeof length === 'symbol' ? undefined : Number(length) | 0;
  if (bytes === undefined || !isRange(target, from, bytes)) {
    return undefined;
  }
  const at = positionOf(position, bytes);
  return at === NO_POSITION
    ? undefined
    : { target: target as Uint8Array, offset: from as number, length: bytes, position: at };
}

/** Of `read(fd, buffer, options)`. Undefined where the options are none. */
export function requestOf(buffer: unknown, options: unknown): ReadRequest | undefined {
  if ((options !== undefined && typeof options !== 'object') || Array.isArray(options)) {
    return undefined;
  }
  const { offset = 0, length = restOf(buffer, offset), position = null } = (options ?? {}) as ReadOptions;
  return { buffer, offset, length, position };
}

/** Of `read(fd, options)`: the buffer is among them, or a new one. */
export function requestWithBuffer(options: unknown): ReadRequest | undefined {
  const request = requestOf(undefined, options);
  if (request === undefined) {
    return undefined;
  }
  const { buffer = Buffer.alloc(BUFFER_BYTES) } = (options ?? {}) as ReadOptions;
  return requestOf(buffer, options);
}

/** The buffers that are to be filled one after the other. Undefined where one is none, or there is nothing to fill. */
export function targetsOf(buffers: unknown): Uint8Array[] | undefined {
  if (!Array.isArray(buffers)) {
    return undefined;
  }
  const targets = buffers.map(bytesOf);
  const isGood = targets.every((target) => isRange(target, 0, (target as Uint8Array | null)?.length));
  return isGood && targets.length > 0 ? (targets as Uint8Array[]) : undefined;
}

/** Of `readv`, which takes all that is no good as the descriptor's own position. */
export function positionOfVector(position: unknown): number {
  return typeof position === 'number' && Number.isSafeInteger(position) && position >= 0 ? position : OWN_POSITION;
}

/** Bytes of any view, such as a `DataView`: offsets are in bytes for all of them. */
function bytesOf(buffer: unknown): unknown {
  return ArrayBuffer.isView(buffer) && !(buffer instanceof Uint8Array)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : buffer;
}

function restOf(buffer: unknown, offset: unknown): unknown {
  return ArrayBuffer.isView(buffer) && typeof offset === 'number' ? buffer.byteLength - offset : undefined;
}
