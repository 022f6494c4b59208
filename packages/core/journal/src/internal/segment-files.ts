import { join } from 'node:path';

import { assert } from '@core/base';

import type { JournalFile, JournalFiles } from '../journal-files.js';
import type { Batch } from './batch.js';
import { encodeClosedMark } from './closed-mark.js';
import { closeQuietly, makeFile, writeAll } from './file-calls.js';
import { encodeFrameHeader, encodeSegmentHeader, FRAME_HEADER, SEGMENT_HEADER, type SegmentHeader } from './format.js';
import { CLOSED, segmentPath } from './names.js';
import type { Recovered, RecoveredSegment } from './recover.js';

/** The next segment is made when the current one is fuller than this. */
const PREPARE_AT = 0.5;
/**
 * So many zeros are written behind a frame that comes to the end of the file. A sync of bytes that were there before takes
 * half as long as one of a file that has grown.
 */
const RESERVE_BYTES = 256 * 1024;

/** A segment that is there; `file` is open for writing if it is the current one or the spare one. */
export interface Segment {
  readonly path: string;
  readonly header: SegmentHeader;
  /** 0: it has no record yet. */
  firstSequence: number;
  lastSequence: number;
  bytes: number;
  /** Length of the file: behind the frames there are zeros, until it is left or closed. */
  fileBytes: number;
  /** The CRC that the next frame names. */
  chain: number;
  file: JournalFile | null;
}

export interface SegmentFilesOptions {
  readonly files: JournalFiles;
  readonly directory: string;
  readonly identity: Buffer;
  readonly segmentBytes: number;
  /** Whether each frame is on disk when it is written. */
  readonly synced: boolean;
  /** Names the frames of this `open`. */
  readonly life: number;
  /** Told of a failure of what is done ahead of its need, which nobody waits for. */
  readonly onError: (error: unknown) => void;
}

/**
 * The segments of a journal that is open: writes frames to the newest, makes the next one ahead, drops the oldest, and
 * marks the journal as closed.
 *
 * Its caller has one call at a time under way. Any that throws leaves the files in a state that only `recover` knows.
 */
export class SegmentFiles {
  /** Every record up to this one was handed to the system. */
  writtenSequence = 0;
  /** Every record up to this one is on disk. */
  syncedSequence = 0;
  commits = 0;
  syncs = 0;
  dropped = 0;
  private readonly options: SegmentFilesOptions;
  /** Oldest first; the last is the current one. */
  private readonly segments: Segment[] = [];
  private spare: Promise<Segment> | null = null;
  private closedMark = false;

  private constructor(options: SegmentFilesOptions) {
    this.options = options;
  }

  /** Puts right what `recover` found, and opens what is to be written. */
  static async open(options: SegmentFilesOptions, recovered: Recovered): Promise<SegmentFiles> {
    const { files, directory } = options;
    const { cut, tail, surplus } = recovered;
    const opened = new SegmentFiles(options);
    for (const path of surplus) {
      await files.unlink(path);
      await files.syncDirectory(directory);
    }
    if (cut !== null) {
      await withFile(files, cut.path, async (file) => {
        await file.truncate(cut.at);
        await file.sync();
      });
    }
    if (tail !== null) {
      // Written again, since a sync that failed leaves bytes that read well, are not on disk, and count as clean: the
      // next sync would not write them.
      await withFile(files, tail.path, async (file) => {
        await writeAll(file, tail.bytes, tail.bytes.length, tail.at);
        await file.datasync();
      });
    }
    if (!recovered.closed) {
      await files.syncDirectory(directory);
    }
    opened.closedMark = recovered.closed;
    opened.writtenSequence = recovered.lastSequence;
    opened.syncedSequence = recovered.lastSequence;
    opened.segments.push(...recovered.segments.map((segment) => segmentOf(segment, null)));
    const newest = opened.segments.at(-1);
    if (newest === undefined) {
      opened.segments.push(await opened.make(1));
    } else {
      newest.file = await files.open(newest.path, 'write');
    }
    try {
      opened.spare = recovered.spare === null ? null : Promise.resolve(await reopened(files, recovered.spare));
    } catch (error) {
      await closeQuietly(opened.current.file as JournalFile);
      throw error;
    }
    return opened;
  }

  /** The oldest sequence that is kept, or the next one when there is none. */
  get firstSequence(): number {
    return (this.segments[0] as Segment).firstSequence || this.writtenSequence + 1;
  }

  get count(): number {
    return this.segments.length;
  }

  /** Of all segments, without a spare one. */
  get bytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The segment that holds a sequence that was written, or null. */
  find(sequence: number): Segment | null {
    return this.segments.find((one) => one.firstSequence > 0 && sequence <= one.lastSequence) ?? null;
  }

  /** Writes a batch as one frame with one call, to the next segment if this one is full. */
  async write(batch: Batch): Promise<void> {
    await this.unmark();
    if (this.current.firstSequence > 0 && this.current.bytes + batch.used > this.options.segmentBytes) {
      await this.rotate();
    }
    const segment = this.current;
    const crc = encodeFrameHeader(
      batch.buffer,
      {
        bodyBytes: batch.used - FRAME_HEADER,
        count: batch.count,
        flags: 0,
        firstSequence: batch.firstSequence,
        syncedSequence: this.syncedSequence,
        life: this.options.life,
        previous: segment.chain,
      },
      segment.header.crc,
    );
    const reserve = this.reserveBehind(segment, batch);
    batch.fillBehind(reserve);
    await writeAll(segment.file as JournalFile, batch.buffer, batch.used + reserve, segment.bytes, this.options.synced);
    segment.firstSequence ||= batch.firstSequence;
    segment.lastSequence = batch.lastSequence;
    segment.bytes += batch.used;
    segment.fileBytes = Math.max(segment.fileBytes, segment.bytes + reserve);
    segment.chain = crc;
    this.writtenSequence = batch.lastSequence;
    this.commits++;
    if (this.options.synced) {
      // So were all before it.
      this.syncs++;
      this.syncedSequence = batch.lastSequence;
    }
    if (this.spare === null && segment.bytes > this.options.segmentBytes * PREPARE_AT) {
      void this.prepare();
    }
  }

  /** All that was written is on disk when this resolves. */
  async sync(): Promise<void> {
    if (this.syncedSequence === this.writtenSequence) {
      return;
    }
    const upTo = this.writtenSequence;
    await (this.current.file as JournalFile).datasync();
    this.syncs++;
    this.syncedSequence = upTo;
  }

  /**
   * Whether nobody needs the oldest segment any more. The one after it must have a record on disk: without any, nothing
   * would say how far the sequences had come.
   */
  droppable(oldestPinned: number): boolean {
    const [oldest, next] = this.segments;
    return (
      oldest !== undefined &&
      next !== undefined &&
      oldest.lastSequence < oldestPinned &&
      next.firstSequence > 0 &&
      next.firstSequence <= this.syncedSequence
    );
  }

  async dropOldest(): Promise<void> {
    // Off the list first: from here on no pin can be had for it.
    const oldest = this.segments.shift() as Segment;
    const { files, directory } = this.options;
    await this.unmark();
    await files.unlink(oldest.path);
    // Before the next one goes: a power loss may keep one name and lose another, and a gap reads as corruption.
    await files.syncDirectory(directory);
    this.dropped++;
  }

  /** Says on disk that all is there. Called when all is. */
  async mark(): Promise<void> {
    if (this.closedMark) {
      return;
    }
    await this.trim(this.current);
    const { files, directory, identity } = this.options;
    const spare = await this.spare;
    const mark = encodeClosedMark({
      identity,
      firstNumber: (this.segments[0] as Segment).header.number,
      lastNumber: (spare ?? this.current).header.number,
      lastSequence: this.writtenSequence,
    });
    const file = await makeFile(files, directory, join(directory, CLOSED), (one) =>
      writeAll(one, mark, mark.length, 0),
    );
    this.closedMark = true;
    await file.close();
  }

  /** Closes every file that is open. @throws what the first that cannot be closed says; the others are closed */
  async close(): Promise<void> {
    // A spare one that could not be made has closed its own file.
    const spare = await this.spare?.catch(() => null);
    const open = [this.current.file, spare?.file].filter((file) => file !== null && file !== undefined);
    const failed = (await Promise.allSettled(open.map((file) => file.close()))).find(
      (one) => one.status === 'rejected',
    );
    if (failed !== undefined) {
      throw failed.reason;
    }
  }

  checkInvariants(): void {
    let before: Segment | null = null;
    for (const segment of this.segments) {
      const current = segment === this.current;
      assert(before === null || segment.header.number === before.header.number + 1, 'a segment is missing');
      assert(before === null || segment.firstSequence === 0 || before.lastSequence < segment.firstSequence, 'overlap');
      assert(current || segment.firstSequence > 0, 'an empty segment is not the current one');
      assert((segment.file !== null) === current, 'only the current segment is open');
      assert(segment.bytes >= SEGMENT_HEADER, 'a segment is shorter than its header');
      assert(segment.fileBytes >= segment.bytes, 'a file is shorter than what is in it');
      assert(current || segment.fileBytes === segment.bytes, 'a segment that was left has room in reserve');
      before = segment;
    }
    assert(this.syncedSequence <= this.writtenSequence, 'more is synced than was written');
    assert(
      this.current.firstSequence === 0 || this.current.lastSequence === this.writtenSequence,
      'the current segment does not end with what was written last',
    );
  }

  private get current(): Segment {
    return this.segments.at(-1) as Segment;
  }

  private async rotate(): Promise<void> {
    // A segment that is not the last is whole on disk: what a power loss tears is always in the last one.
    await this.sync();
    const full = this.current;
    await this.trim(full);
    this.segments.push(await (this.spare ?? this.prepare()));
    this.spare = null;
    const { file } = full;
    full.file = null;
    await file?.close();
  }

  /** How many zeros are to be written with the next frame. Where syncs are rare it does not matter what they take. */
  private reserveBehind(segment: Segment, batch: Batch): number {
    const { synced, segmentBytes } = this.options;
    const end = segment.bytes + batch.used;
    return synced && end > segment.fileBytes ? Math.max(0, Math.min(RESERVE_BYTES, segmentBytes - end)) : 0;
  }

  /** Cuts off what was kept in reserve: of a segment that is not written any more each byte is accounted for. */
  private async trim(segment: Segment): Promise<void> {
    if (segment.fileBytes > segment.bytes) {
      const file = segment.file as JournalFile;
      await file.truncate(segment.bytes);
      await file.sync();
      segment.fileBytes = segment.bytes;
    }
  }

  private prepare(): Promise<Segment> {
    this.spare = this.make(this.current.header.number + 1);
    this.spare.catch(this.options.onError);
    return this.spare;
  }

  private async make(number: number): Promise<Segment> {
    const { files, directory, identity } = this.options;
    const base = this.syncedSequence;
    const bytes = encodeSegmentHeader(identity, number, base);
    const path = segmentPath(directory, number);
    const file = await makeFile(files, directory, path, (one) => writeAll(one, bytes, bytes.length, 0));
    const crc = bytes.readUInt32LE(SEGMENT_HEADER - 4);
    const header = { identity, number, base, crc };
    return segmentOf({ path, header, firstSequence: 0, lastSequence: 0, bytes: SEGMENT_HEADER, chain: crc }, file);
  }

  /** Takes the mark away, before anything is written. */
  private async unmark(): Promise<void> {
    if (this.closedMark) {
      const { files, directory } = this.options;
      await files.unlink(join(directory, CLOSED));
      await files.syncDirectory(directory);
      this.closedMark = false;
    }
  }
}

/** Of a file that has no room in reserve. */
function segmentOf(segment: RecoveredSegment, file: JournalFile | null): Segment {
  return { ...segment, fileBytes: segment.bytes, file };
}

async function reopened(files: JournalFiles, spare: RecoveredSegment): Promise<Segment> {
  return segmentOf(spare, await files.open(spare.path, 'write'));
}

async function withFile(files: JournalFiles, path: string, use: (file: JournalFile) => Promise<void>): Promise<void> {
  const file = await files.open(path, 'write');
  try {
    await use(file);
  } catch (error) {
    await closeQuietly(file);
    throw error;
  }
  await file.close();
}
