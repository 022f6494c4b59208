import { join } from 'node:path';

import { JournalError } from '../journal-error.js';
import type { JournalFiles } from '../journal-files.js';
import { type ClosedMark, decodeClosedMark } from './closed-mark.js';
import { fill, readPath } from './file-calls.js';
import { decodeSegmentHeader, FORMAT, SEGMENT_HEADER, type SegmentHeader } from './format.js';
import { CLOSED, SALVAGE, segmentNumbers, segmentPath, UNFINISHED } from './names.js';
import { contentEnd, scanSegment, type WholeFrame } from './scan-segment.js';

/** A segment as it is once what is torn has been cut off. */
export interface RecoveredSegment {
  readonly path: string;
  readonly header: SegmentHeader;
  /** Of its first record, 0 if it has none. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly bytes: number;
  readonly chain: number;
}

/** What a directory holds, and what has to be put right before it may be written to. */
export interface Recovered {
  /** Oldest first; the last is to be written on. Empty: there is no journal yet. */
  readonly segments: readonly RecoveredSegment[];
  /** Made for later, with no record in it. */
  readonly spare: RecoveredSegment | null;
  /** Files that a power loss left over. */
  readonly surplus: readonly string[];
  readonly lastSequence: number;
  /** Whether the journal was closed, so that all of it is known to be on disk. */
  readonly closed: boolean;
  /** What is cut off: room in reserve, and how many bytes before it that were torn, so never known to be on disk. */
  readonly cut: { readonly path: string; readonly at: number; readonly bytes: number } | null;
  /** Whole frames that are not known to be on disk, though the system shows them. */
  readonly tail: { readonly path: string; readonly at: number; readonly bytes: Buffer } | null;
}

interface Loaded {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly size: number;
}

/**
 * Reads a directory; writes nothing.
 *
 * What is torn, and what is corrupt: a frame says which records were on disk when it was written, a segment's header
 * does so too, a segment is on disk as a whole before the next one is written to, and a mark is there as long as a
 * journal is closed. Damage to anything that is known so to have been on disk is corruption. Damage after that is what
 * a power loss leaves of a commit that nobody was told of, and goes, with all that comes behind it.
 *
 * @throws JournalError ERR_JOURNAL_CORRUPT, ERR_JOURNAL_FORMAT
 */
export async function recover(files: JournalFiles, directory: string): Promise<Recovered> {
  const names = await files.list(directory);
  if (names.includes(SALVAGE)) {
    throw corrupt(join(directory, SALVAGE), 0, 'a salvage was not finished');
  }
  const closed = names.includes(CLOSED) ? await readMark(files, join(directory, CLOSED)) : null;
  const surplus = names.filter((name) => name.endsWith(UNFINISHED)).map((name) => join(directory, name));
  const loaded = await loadHeaders(files, directory, segmentNumbers(names));
  checkNumbers(directory, loaded, closed);
  if (loaded.length === 0) {
    return { segments: [], spare: null, surplus, lastSequence: 0, closed: false, cut: null, tail: null };
  }
  // Nothing is written to a segment before those ahead of it are on disk, so only the last one with bytes can be torn.
  const used = Math.max(
    0,
    loaded.findLastIndex(({ size }) => size > SEGMENT_HEADER),
  );
  const found: RecoveredSegment[] = [];
  let last: number | null = null;
  let synced = loaded.reduce((highest, { header }) => Math.max(highest, header.base), 0);
  let cut: Recovered['cut'] = null;
  let tail: Recovered['tail'] = null;
  for (const [index, { path, header }] of loaded.entries()) {
    const bytes = await readPath(files, path);
    const unsynced: WholeFrame[] = [];
    const scan = scanSegment(bytes, header, last, (frame) => {
      dropSynced(unsynced, frame.header.syncedSequence);
      unsynced.push(frame);
    });
    synced = Math.max(synced, scan.synced);
    if (scan.damage !== null || scan.reserve > 0) {
      const { offset, reason } = scan.damage ?? { offset: scan.end, reason: 'zeros are left there' };
      const wasOnDisk = closed !== null || index < used || synced > scan.lastSequence;
      if (wasOnDisk) {
        throw corrupt(path, offset, reason);
      }
      cut = { path, at: offset, bytes: contentEnd(bytes, offset) - offset };
    }
    dropSynced(unsynced, synced);
    const [oldest] = unsynced;
    if (index === used && closed === null && oldest !== undefined) {
      tail = { path, at: oldest.offset, bytes: bytes.subarray(oldest.offset, scan.end) };
    }
    last = scan.lastSequence;
    const { firstSequence, lastSequence, end, chain } = scan;
    found.push({ path, header, firstSequence, lastSequence, bytes: end, chain });
  }
  const lastSequence = last ?? 0;
  const newest = found.at(-1) as RecoveredSegment;
  if (synced > lastSequence || (closed !== null && closed.lastSequence !== lastSequence)) {
    const missing = Math.max(synced, closed?.lastSequence ?? 0);
    throw corrupt(newest.path, newest.bytes, `it ends at sequence ${lastSequence}, and ${missing} was on disk`);
  }
  const current = Math.max(
    0,
    found.findLastIndex(({ firstSequence }) => firstSequence > 0),
  );
  return {
    segments: found.slice(0, current + 1),
    spare: found[current + 1] ?? null,
    // The highest first: a number that is left out would read as a segment that is missing.
    surplus: [
      ...surplus,
      ...found
        .slice(current + 2)
        .map(({ path }) => path)
        .toReversed(),
    ],
    lastSequence,
    closed: closed !== null,
    cut,
    tail,
  };
}

/** Takes those from the front that are known to be on disk. */
function dropSynced(frames: WholeFrame[], synced: number): void {
  while (frames[0] !== undefined && frames[0].header.firstSequence + frames[0].header.count - 1 <= synced) {
    frames.shift();
  }
}

async function loadHeaders(files: JournalFiles, directory: string, numbers: readonly number[]): Promise<Loaded[]> {
  const loaded: Loaded[] = [];
  for (const number of numbers) {
    const path = segmentPath(directory, number);
    const { header, size } = await readHeader(files, path);
    const first = loaded[0]?.header.identity ?? header?.identity;
    if (header === null || header.number !== number || !header.identity.equals(first as Buffer)) {
      throw corrupt(path, 0, header === null ? 'its header is damaged' : 'it is not of this place in this journal');
    }
    loaded.push({ path, header, size });
  }
  return loaded;
}

/**
 * The header of a segment, null if it is damaged, and the size of the file.
 *
 * @throws JournalError ERR_JOURNAL_FORMAT
 */
export async function readHeader(
  files: JournalFiles,
  path: string,
): Promise<{ readonly header: SegmentHeader | null; readonly size: number }> {
  const file = await files.open(path, 'read');
  try {
    const bytes = Buffer.alloc(SEGMENT_HEADER);
    const header = decodeSegmentHeader(bytes.subarray(0, await fill(file, bytes)));
    if (header === 'newer') {
      throw newer(path);
    }
    return { header, size: await file.size() };
  } finally {
    await file.close();
  }
}

function checkNumbers(directory: string, loaded: readonly Loaded[], closed: ClosedMark | null): void {
  for (const [index, { header, path }] of loaded.entries()) {
    const expected = (loaded[0] as Loaded).header.number + index;
    if (header.number !== expected) {
      throw corrupt(path, 0, `segment ${expected} before it is missing`);
    }
  }
  if (closed === null) {
    return;
  }
  const first = loaded[0]?.header;
  const newest = loaded.at(-1)?.header;
  if (
    first?.number !== closed.firstNumber ||
    newest?.number !== closed.lastNumber ||
    !first.identity.equals(closed.identity)
  ) {
    const missing = `it was closed with the segments ${closed.firstNumber} to ${closed.lastNumber}`;
    throw corrupt(join(directory, CLOSED), 0, missing);
  }
}

async function readMark(files: JournalFiles, path: string): Promise<ClosedMark> {
  const mark = decodeClosedMark(await readPath(files, path));
  if (mark === 'newer') {
    throw newer(path);
  }
  if (mark === null) {
    throw corrupt(path, 0, 'the mark of a closed journal is damaged');
  }
  return mark;
}

export function corrupt(segment: string, offset: number, reason: string): JournalError {
  return new JournalError(
    'ERR_JOURNAL_CORRUPT',
    `Cannot read the journal: "${segment}" is damaged at byte ${offset}: ${reason}; Journal.salvage keeps what can be read`,
    { damage: { segment, offset } },
  );
}

function newer(segment: string): JournalError {
  return new JournalError(
    'ERR_JOURNAL_FORMAT',
    `Cannot read the journal: "${segment}" is not of format ${FORMAT}; open it with the version that wrote it`,
    { damage: { segment, offset: 8 } },
  );
}
