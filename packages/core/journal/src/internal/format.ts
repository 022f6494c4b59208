import { headerChecksum } from './checksum.js';

/**
 * The bytes of a journal; numbers are little endian, sequences and segment numbers 64 bits wide.
 *
 * Segment: a header, then frames without a gap. Behind them, while it is written to, zeros: room in reserve.
 *    0 magic (8), 8 format version (4), 12 CRC of 0..12: these stay in every format
 *   16 identity of the journal (16), 32 number of the segment (8), 40 base: every record in it is later (8)
 *   48 CRC of 0..48
 *
 * Frame: what one commit wrote with one call: a header, then records.
 *    0 magic (4), 4 bytes of the records (4), 8 number of records (4), 12 flags (4), 16 first sequence (8)
 *   24 every record up to this sequence was on disk when the frame was written (8)
 *   32 life: a random number of the `open` that wrote it, so that no record of another one passes for its own (4)
 *   36 CRC of the header before it, of the frame or else of the segment (4)
 *   40 CRC of 0..40, seeded with the segment's CRC
 *
 * Record: 0 length (4), 4 sequence (8), 12 CRC of all, seeded with the life; then the payload.
 */
export const FORMAT = 1;
export const SEGMENT_HEADER = 52;
export const FRAME_HEADER = 44;
export const RECORD_HEADER = 16;

/** The sequences between the frame before and this one are lost: a salvage left them out. */
export const FLAG_GAP = 1;

const SEGMENT_MAGIC = 'RCLMJNL\n';
/** What every file of a journal begins with: see {@link writePreamble}. */
const PREAMBLE = 16;
/** Starts with a byte that no UTF-8 text has, and is no small number in either byte order. */
export const FRAME_MAGIC: Buffer = Buffer.from([0xf5, 0x6a, 0xe1, 0x9c]);
const IDENTITY_BYTES = 16;

export interface SegmentHeader {
  readonly identity: Buffer;
  readonly number: number;
  readonly base: number;
  /** Of the whole header: what the CRCs of the frames start from. */
  readonly crc: number;
}

export interface FrameHeader {
  readonly bodyBytes: number;
  readonly count: number;
  readonly flags: number;
  readonly firstSequence: number;
  readonly syncedSequence: number;
  readonly life: number;
  readonly previous: number;
  readonly crc: number;
}

export function writeUint64(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32LE(value >>> 0, offset);
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), offset + 4);
}

/** @returns above 2^53 not exact, so that it is no sequence that was ever written */
export function readUint64(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 2 ** 32;
}

/** Magic, format version and their CRC, which stay where they are in every format. @param magic 8 letters */
export function writePreamble(bytes: Buffer, magic: string): void {
  bytes.write(magic, 'latin1');
  bytes.writeUInt32LE(FORMAT, 8);
  bytes.writeUInt32LE(headerChecksum(bytes.subarray(0, 12), 0), 12);
}

/** @returns 'newer' for a format that this code does not know, null for none, or one that is damaged */
export function readPreamble(bytes: Buffer, magic: string): 'known' | 'newer' | null {
  if (
    bytes.length < PREAMBLE ||
    bytes.toString('latin1', 0, 8) !== magic ||
    bytes.readUInt32LE(12) !== headerChecksum(bytes.subarray(0, 12), 0)
  ) {
    return null;
  }
  return bytes.readUInt32LE(8) === FORMAT ? 'known' : 'newer';
}

export function encodeSegmentHeader(identity: Buffer, number: number, base: number): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER);
  writePreamble(bytes, SEGMENT_MAGIC);
  identity.copy(bytes, 16);
  writeUint64(bytes, number, 32);
  writeUint64(bytes, base, 40);
  bytes.writeUInt32LE(headerChecksum(bytes.subarray(0, 48), 0), 48);
  return bytes;
}

/** @returns 'newer' for a format that this code does not know, null for no header at all, or one that is damaged */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | 'newer' | null {
  const preamble = readPreamble(bytes, SEGMENT_MAGIC);
  if (preamble !== 'known') {
    return preamble;
  }
  if (bytes.length < SEGMENT_HEADER) {
    return null;
  }
  const crc = bytes.readUInt32LE(48);
  if (crc !== headerChecksum(bytes.subarray(0, 48), 0)) {
    return null;
  }
  return {
    identity: Buffer.from(bytes.subarray(16, 16 + IDENTITY_BYTES)),
    number: readUint64(bytes, 32),
    base: readUint64(bytes, 40),
    crc,
  };
}

/** Writes the header of a frame to the start of `bytes`. @returns its CRC */
export function encodeFrameHeader(bytes: Buffer, frame: Omit<FrameHeader, 'crc'>, segmentCrc: number): number {
  FRAME_MAGIC.copy(bytes);
  bytes.writeUInt32LE(frame.bodyBytes, 4);
  bytes.writeUInt32LE(frame.count, 8);
  bytes.writeUInt32LE(frame.flags, 12);
  writeUint64(bytes, frame.firstSequence, 16);
  writeUint64(bytes, frame.syncedSequence, 24);
  bytes.writeUInt32LE(frame.life, 32);
  bytes.writeUInt32LE(frame.previous, 36);
  const crc = headerChecksum(bytes.subarray(0, 40), segmentCrc);
  bytes.writeUInt32LE(crc, 40);
  return crc;
}

/** @returns null where there is no whole header with the right CRC; what follows it has not been looked at */
export function decodeFrameHeader(bytes: Buffer, offset: number, segmentCrc: number): FrameHeader | null {
  if (offset + FRAME_HEADER > bytes.length || bytes.compare(FRAME_MAGIC, 0, 4, offset, offset + 4) !== 0) {
    return null;
  }
  const crc = bytes.readUInt32LE(offset + 40);
  if (crc !== headerChecksum(bytes.subarray(offset, offset + 40), segmentCrc)) {
    return null;
  }
  return {
    bodyBytes: bytes.readUInt32LE(offset + 4),
    count: bytes.readUInt32LE(offset + 8),
    flags: bytes.readUInt32LE(offset + 12),
    firstSequence: readUint64(bytes, offset + 16),
    syncedSequence: readUint64(bytes, offset + 24),
    life: bytes.readUInt32LE(offset + 32),
    previous: bytes.readUInt32LE(offset + 36),
    crc,
  };
}
