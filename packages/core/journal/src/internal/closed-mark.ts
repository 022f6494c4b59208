import { headerChecksum } from './checksum.js';
import { readPreamble, readUint64, writePreamble, writeUint64 } from './format.js';

/**
 * The file `closed`: written when a journal is closed, after all else is on disk, and removed before anything is written
 * again. While it is there, no byte of the journal may differ from what it says.
 *
 *   0 magic (8), 8 format version (4), 12 CRC of 0..12: as in segments, these stay in every format
 *  16 identity (16), 32 number of the first segment (8), 40 of the last, a spare one included (8), 48 last sequence (8)
 *  56 CRC of 0..56
 */
export interface ClosedMark {
  readonly identity: Buffer;
  readonly firstNumber: number;
  readonly lastNumber: number;
  readonly lastSequence: number;
}

const MAGIC = 'RCLMEND\n';
const BYTES = 60;

export function encodeClosedMark(mark: ClosedMark): Buffer {
  const bytes = Buffer.alloc(BYTES);
  writePreamble(bytes, MAGIC);
  mark.identity.copy(bytes, 16);
  writeUint64(bytes, mark.firstNumber, 32);
  writeUint64(bytes, mark.lastNumber, 40);
  writeUint64(bytes, mark.lastSequence, 48);
  bytes.writeUInt32LE(headerChecksum(bytes.subarray(0, 56), 0), 56);
  return bytes;
}

/** @returns 'newer' for a format that this code does not know, null for a mark that is damaged */
export function decodeClosedMark(bytes: Buffer): ClosedMark | 'newer' | null {
  const preamble = readPreamble(bytes, MAGIC);
  if (preamble !== 'known') {
    return preamble;
  }
  if (bytes.length !== BYTES || bytes.readUInt32LE(56) !== headerChecksum(bytes.subarray(0, 56), 0)) {
    return null;
  }
  return {
    identity: Buffer.from(bytes.subarray(16, 32)),
    firstNumber: readUint64(bytes, 32),
    lastNumber: readUint64(bytes, 40),
    lastSequence: readUint64(bytes, 48),
  };
}
