import { recordChecksum } from './checksum.js';
import { FRAME_HEADER, type FrameHeader, readUint64, RECORD_HEADER } from './format.js';

const NOTHING = new Uint8Array(0);

/** Steps through the records of one frame, and stops where one is not as it was written. */
export class RecordCursor {
  sequence = 0;
  payload: Uint8Array = NOTHING;
  private readonly bytes: Buffer;
  private readonly end: number;
  private readonly life: number;
  private offset: number;
  private left: number;
  private expected: number;

  /** @param start of the frame in `bytes`; its body may end behind them */
  constructor(bytes: Buffer, start: number, frame: FrameHeader) {
    this.bytes = bytes;
    this.offset = start + FRAME_HEADER;
    this.end = this.offset + frame.bodyBytes;
    this.left = frame.count;
    this.expected = frame.firstSequence;
    this.life = frame.life;
  }

  /** Whether every record was stepped over, and nothing else is in the frame. */
  get whole(): boolean {
    return this.left === 0 && this.offset === this.end;
  }

  /** @returns false at the end of the frame, and at a record that is damaged */
  next(): boolean {
    const { bytes, offset } = this;
    const start = offset + RECORD_HEADER;
    if (this.left === 0 || start > this.end || start > bytes.length) {
      return false;
    }
    const length = bytes.readUInt32LE(offset);
    const sequence = readUint64(bytes, offset + 4);
    if (sequence !== this.expected || start + length > this.end || start + length > bytes.length) {
      return false;
    }
    const payload = bytes.subarray(start, start + length);
    if (bytes.readUInt32LE(offset + 12) !== recordChecksum(payload, this.life, sequence)) {
      return false;
    }
    this.sequence = sequence;
    this.payload = payload;
    this.offset = start + length;
    this.expected++;
    this.left--;
    return true;
  }
}
