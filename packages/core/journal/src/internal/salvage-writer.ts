import type { Rng } from '@core/base';

import type { JournalFile } from '../journal-files.js';
import type { SalvageReport, SequenceRange } from '../salvage.js';
import { Batch } from './batch.js';
import { writeAll } from './file-calls.js';
import { encodeFrameHeader, encodeSegmentHeader, FLAG_GAP, FRAME_HEADER } from './format.js';
import type { DamagedReader } from './read-damaged.js';

/** Frames are written when they are larger. */
const FRAME_BYTES = 2 ** 20;

/** Writes the records that were kept to one segment, and keeps the report. */
export class SalvageWriter {
  private readonly rng: Rng;
  private readonly number: number;
  private readonly reader: DamagedReader;
  private readonly life: number;
  private readonly batch = new Batch();
  private file: JournalFile | null = null;
  private segmentCrc = 0;
  private chain = 0;
  private position = 0;
  /** The sequence before the frame that is being filled, as a reader of the segment will see it. */
  private before = 0;
  private records = 0;
  private first = 0;
  private last = 0;
  private readonly lost: SequenceRange[] = [];

  /** @param reader hands out the records, and knows how far the sequences had come */
  constructor(rng: Rng, number: number, reader: DamagedReader) {
    this.rng = rng;
    this.number = number;
    this.reader = reader;
    this.life = Math.floor(rng.next() * 2 ** 32);
  }

  /** Called when all was read. */
  report(): Omit<SalvageReport, 'damages' | 'movedTo'> {
    const { highest } = this.reader;
    this.lose(highest + 1);
    return {
      records: this.records,
      firstSequence: this.first,
      lastSequence: this.last,
      nextSequence: Math.max(this.last, highest) + 1,
      lost: this.lost,
    };
  }

  async begin(file: JournalFile): Promise<void> {
    const identity = Buffer.from(Uint32Array.from({ length: 4 }, () => this.rng.next() * 2 ** 32).buffer);
    const header = encodeSegmentHeader(identity, this.number, 0);
    await writeAll(file, header, header.length, 0);
    this.file = file;
    this.position = header.length;
    this.segmentCrc = header.readUInt32LE(header.length - 4);
    this.chain = this.segmentCrc;
  }

  async take(sequence: number, payload: Uint8Array): Promise<void> {
    const { batch } = this;
    if (batch.count > 0 && (sequence !== batch.lastSequence + 1 || batch.used > FRAME_BYTES)) {
      await this.flush(batch.firstSequence);
    }
    batch.add(payload, sequence, this.life);
    this.count(sequence);
  }

  /** Writes what is left, and sees to it that no sequence that was there is given again. */
  async end(): Promise<void> {
    if (this.batch.count > 0) {
      await this.flush(this.batch.firstSequence);
    }
    if (this.reader.highest > this.before) {
      await this.flush(this.reader.highest + 1);
    }
  }

  /** Notes a record as kept. */
  count(sequence: number): void {
    this.lose(sequence);
    this.records++;
    this.first ||= sequence;
    this.last = sequence;
  }

  /** Notes as lost what is between the record that was kept last and `next`. */
  private lose(next: number): void {
    const from = (this.records > 0 ? this.last : Math.max(0, this.reader.base)) + 1;
    if (from < next) {
      this.lost.push({ from, to: next - 1 });
    }
  }

  private async flush(firstSequence: number): Promise<void> {
    const { batch } = this;
    const frame = {
      bodyBytes: batch.used - FRAME_HEADER,
      count: batch.count,
      flags: firstSequence === this.before + 1 ? 0 : FLAG_GAP,
      firstSequence,
      syncedSequence: 0,
      life: this.life,
      previous: this.chain,
    };
    this.chain = encodeFrameHeader(batch.buffer, frame, this.segmentCrc);
    await writeAll(this.file as JournalFile, batch.buffer, batch.used, this.position);
    this.position += batch.used;
    this.before = firstSequence + batch.count - 1;
    batch.clear();
  }
}
