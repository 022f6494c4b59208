import type { JournalFiles } from '../journal-files.js';
import type { JournalRecord } from '../journal-port.js';
import { fill } from './file-calls.js';
import { decodeFrameHeader, FRAME_HEADER, SEGMENT_HEADER } from './format.js';
import { corrupt } from './recover.js';
import { RecordCursor } from './record-cursor.js';
import type { Segment } from './segment-files.js';

/**
 * The records of a segment from `from` to `upTo`, all of which are written.
 *
 * @throws JournalError ERR_JOURNAL_CORRUPT the bytes have changed since the journal was opened
 */
export async function* replaySegment(
  files: JournalFiles,
  segment: Segment,
  from: number,
  upTo: number,
): AsyncGenerator<JournalRecord, void, undefined> {
  const bytes = await read(files, segment);
  let offset = SEGMENT_HEADER;
  while (offset < bytes.length) {
    const header = decodeFrameHeader(bytes, offset, segment.header.crc);
    if (header === null) {
      throw corrupt(segment.path, offset, 'no frame begins there');
    }
    if (header.firstSequence > upTo) {
      return;
    }
    const records = new RecordCursor(bytes, offset, header);
    while (records.next()) {
      if (records.sequence >= from && records.sequence <= upTo) {
        yield { sequence: records.sequence, payload: records.payload };
      }
    }
    if (!records.whole) {
      throw corrupt(segment.path, offset, 'a record of the frame there is damaged');
    }
    offset += FRAME_HEADER + header.bodyBytes;
  }
}

/** Not more than is known to be whole: another commit may be on its way behind it. */
async function read(files: JournalFiles, segment: Segment): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(segment.bytes);
  const file = await files.open(segment.path, 'read');
  try {
    const filled = await fill(file, bytes);
    if (filled < bytes.length) {
      throw corrupt(segment.path, filled, 'the file ends there');
    }
    return bytes;
  } finally {
    await file.close();
  }
}
