import {
  decodeFrameHeader,
  FLAG_GAP,
  FRAME_HEADER,
  FRAME_MAGIC,
  type FrameHeader,
  SEGMENT_HEADER,
  type SegmentHeader,
} from './format.js';
import { RecordCursor } from './record-cursor.js';

/** What the bytes of a segment hold. */
export interface SegmentScan {
  /** Of the first record, 0 if there is none. */
  readonly firstSequence: number;
  /** Of the last whole frame; what came before the segment if there is none. */
  readonly lastSequence: number;
  /** Bytes up to the end of the last whole frame. */
  readonly end: number;
  /** The CRC that the next frame has to name. */
  readonly chain: number;
  /**
   * Every record up to this one was on disk once: the highest that any readable header says, also one after the damage.
   */
  readonly synced: number;
  /** The highest sequence that any readable header names. */
  readonly highest: number;
  /** Zeros behind the last whole frame, if there is nothing else: room that was kept in reserve. */
  readonly reserve: number;
  /** Where the first frame begins that is not whole. Null: there is nothing else in the segment. */
  readonly damage: { readonly offset: number; readonly reason: string } | null;
}

/** A frame that follows the one before it, with all of its records. */
export interface WholeFrame {
  readonly offset: number;
  readonly header: FrameHeader;
}

/**
 * Reads frame by frame, as long as each follows the one before: by its place, by the CRC it names, and by its sequence.
 *
 * @param before the sequence before the segment's first. Null: earlier segments were dropped, any sequence may be first
 * @param visit is told of each whole frame
 */
export function scanSegment(
  bytes: Buffer,
  segment: SegmentHeader,
  before: number | null,
  visit: (frame: WholeFrame) => void = () => {},
): SegmentScan {
  let last = before ?? segment.base;
  let anyFirst = before === null;
  let first = 0;
  let offset = SEGMENT_HEADER;
  let chain = segment.crc;
  let synced = segment.base;
  let reason: string | null = null;
  while (offset < bytes.length) {
    const header = decodeFrameHeader(bytes, offset, segment.crc);
    if (header === null && contentEnd(bytes, offset) === offset) {
      break;
    }
    reason = header === null ? 'no frame begins there' : faultOf(bytes, offset, header, chain, last, anyFirst);
    if (header === null || reason !== null) {
      break;
    }
    visit({ offset, header });
    first ||= header.count > 0 ? header.firstSequence : 0;
    last = header.firstSequence + header.count - 1;
    synced = Math.max(synced, header.syncedSequence);
    chain = header.crc;
    offset += FRAME_HEADER + header.bodyBytes;
    anyFirst = false;
  }
  const scan = { firstSequence: first, lastSequence: last, end: offset, chain };
  if (reason === null) {
    return { ...scan, synced, highest: last, reserve: bytes.length - offset, damage: null };
  }
  const beyond = lookBeyond(bytes, offset, segment);
  return {
    ...scan,
    synced: Math.max(synced, beyond.synced),
    highest: Math.max(last, beyond.highest),
    reserve: 0,
    damage: { offset, reason },
  };
}

/** Where the bytes from `offset` on end that are not zeros. */
export function contentEnd(bytes: Buffer, offset: number): number {
  let end = bytes.length;
  while (end > offset && bytes[end - 1] === 0) {
    end--;
  }
  return end;
}

function faultOf(
  bytes: Buffer,
  offset: number,
  header: FrameHeader,
  chain: number,
  last: number,
  anyFirst: boolean,
): string | null {
  if (header.previous !== chain) {
    // Whole, but written after another frame than the one that is before it now: left over from before a cut.
    return 'the frame there follows another one';
  }
  const jumps = anyFirst || (header.flags & FLAG_GAP) !== 0;
  if (jumps ? header.firstSequence <= last : header.firstSequence !== last + 1) {
    return `sequence ${header.firstSequence} comes after ${last}`;
  }
  if (offset + FRAME_HEADER + header.bodyBytes > bytes.length) {
    return 'the frame there ends after the file';
  }
  const records = new RecordCursor(bytes, offset, header);
  while (records.next());
  return records.whole ? null : 'a record of the frame there is damaged';
}

/** Every place after `offset` where a header can be read: what it says stays true, whatever became of its records. */
function lookBeyond(bytes: Buffer, offset: number, segment: SegmentHeader): { synced: number; highest: number } {
  let synced = 0;
  let highest = 0;
  for (let at = bytes.indexOf(FRAME_MAGIC, offset); at >= 0; at = bytes.indexOf(FRAME_MAGIC, at + 1)) {
    const header = decodeFrameHeader(bytes, at, segment.crc);
    if (header !== null) {
      synced = Math.max(synced, header.syncedSequence);
      highest = Math.max(highest, header.firstSequence + header.count - 1);
    }
  }
  return { synced, highest };
}
