import { join } from 'node:path';

import type { JournalDamage } from '../journal-error.js';
import type { JournalFiles } from '../journal-files.js';
import { decodeClosedMark } from './closed-mark.js';
import { readPath } from './file-calls.js';
import {
  decodeFrameHeader,
  decodeSegmentHeader,
  FLAG_GAP,
  FRAME_HEADER,
  FRAME_MAGIC,
  type FrameHeader,
  SEGMENT_HEADER,
} from './format.js';
import { CLOSED, segmentNumbers, segmentPath } from './names.js';
import { RecordCursor } from './record-cursor.js';
import { contentEnd } from './scan-segment.js';

/** Where the header of a frame names the CRC of the header before it. */
const PREVIOUS_OFFSET = 36;

type Take = (sequence: number, payload: Uint8Array) => Promise<void>;

/** Reads what can be read of a journal, and notes what can not. */
export class DamagedReader {
  readonly damages: JournalDamage[] = [];
  /** The highest sequence that any readable header names. */
  highest = 0;
  /** What the first record there was comes after, as far as it can be told; it is known before the first is handed out. */
  base = -1;
  private readonly files: JournalFiles;
  private readonly folder: string;
  private readonly pastDamage: boolean;
  /** Whether a record may be missing before the next one. */
  private damaged = false;
  private last = 0;

  /** @param pastDamage whether to hand out what comes after the first damage */
  constructor(files: JournalFiles, folder: string, pastDamage: boolean) {
    this.files = files;
    this.folder = folder;
    this.pastDamage = pastDamage;
  }

  /** Hands out records, each once and in order. Reads all in any case, to know how far the sequences had come. */
  async read(take: Take): Promise<void> {
    const names = await this.files.list(this.folder);
    if (names.includes(CLOSED)) {
      this.readMark(join(this.folder, CLOSED), await readPath(this.files, join(this.folder, CLOSED)));
    }
    let before: number | null = null;
    for (const number of segmentNumbers(names)) {
      if (before !== null && number !== before + 1) {
        this.note(segmentPath(this.folder, before + 1), 0);
      }
      before = number;
      const path = segmentPath(this.folder, number);
      await this.readSegment(path, await readPath(this.files, path), take);
    }
  }

  private readMark(path: string, bytes: Buffer): void {
    const mark = decodeClosedMark(bytes);
    if (mark === null || mark === 'newer') {
      // It says only what is known of the records, and stands for none.
      this.damages.push({ segment: path, offset: 0 });
    } else {
      this.highest = mark.lastSequence;
    }
  }

  private async readSegment(path: string, bytes: Buffer, take: Take): Promise<void> {
    const crc = this.seedOf(path, bytes);
    let offset = SEGMENT_HEADER;
    // Zeros at the end are room that was kept in reserve.
    const end = contentEnd(bytes, 0);
    while (offset < end) {
      const frame = decodeFrameHeader(bytes, offset, crc);
      if (frame !== null && (await this.readFrame(path, bytes, offset, frame, take))) {
        offset += FRAME_HEADER + frame.bodyBytes;
        continue;
      }
      this.note(path, offset);
      offset = nextFrame(bytes, offset + 1, crc);
    }
  }

  /** What the CRCs of the segment's frames start from. */
  private seedOf(path: string, bytes: Buffer): number {
    const header = decodeSegmentHeader(bytes);
    if (header !== null && header !== 'newer') {
      this.highest = Math.max(this.highest, header.base);
      this.base = this.base < 0 ? header.base : this.base;
      return header.crc;
    }
    this.note(path, 0);
    // The first frame names it too, and so stands in for a header that is damaged.
    return bytes.length < SEGMENT_HEADER + FRAME_HEADER ? 0 : bytes.readUInt32LE(SEGMENT_HEADER + PREVIOUS_OFFSET);
  }

  /** @returns whether all of it could be read */
  private async readFrame(
    path: string,
    bytes: Buffer,
    offset: number,
    frame: FrameHeader,
    take: Take,
  ): Promise<boolean> {
    if (frame.firstSequence <= this.last) {
      return false;
    }
    this.highest = Math.max(this.highest, frame.firstSequence + frame.count - 1, frame.syncedSequence);
    this.base = this.base < 0 ? frame.firstSequence - 1 : this.base;
    const jumps = this.last > 0 && frame.firstSequence !== this.last + 1 && (frame.flags & FLAG_GAP) === 0;
    if (jumps && !this.damaged) {
      this.note(path, offset);
    }
    const records = new RecordCursor(bytes, offset, frame);
    while (records.next()) {
      this.last = records.sequence;
      if (!this.damaged || this.pastDamage) {
        await take(records.sequence, records.payload);
      }
    }
    return records.whole;
  }

  private note(segment: string, offset: number): void {
    this.damages.push({ segment, offset });
    this.damaged = true;
  }
}

/** The next place from which on a header can be read, or the end. */
function nextFrame(bytes: Buffer, from: number, crc: number): number {
  for (let at = bytes.indexOf(FRAME_MAGIC, from); at >= 0; at = bytes.indexOf(FRAME_MAGIC, at + 1)) {
    if (decodeFrameHeader(bytes, at, crc) !== null) {
      return at;
    }
  }
  return bytes.length;
}
