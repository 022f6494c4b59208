import { SeededRng } from '@core/base';
import { Journal, JournalError } from '@core/journal';

import { SimDisk } from '../../src/index.js';
import { DIRECTORY, payloadOf, readAll } from './workload.js';

/** Of the format: where the first record of a segment's first frame begins, and what is ahead of its payload. */
const FIRST_RECORD = 52 + 44;
const SEQUENCE_END = 12;

const SEGMENT_BYTES = 360;

/** A journal of some segments, with frames of one and of several records. */
export async function smallJournal(closed: boolean): Promise<{ disk: SimDisk; records: Map<number, Buffer> }> {
  const disk = new SimDisk();
  const journal = await Journal.open({
    directory: DIRECTORY,
    segmentBytes: SEGMENT_BYTES,
    files: disk,
    rng: new SeededRng(7),
  });
  const records = new Map<number, Buffer>();
  const pin = journal.createPin();
  journal.pin(pin, 1);
  for (const count of [1, 3, 2, 1, 4, 2, 1]) {
    for (let index = 0; index < count; index++) {
      const payload = payloadOf(journal.lastSequence + 1, 3);
      records.set(journal.append(payload), payload);
    }
    await journal.committed(journal.lastSequence);
  }
  if (!closed) {
    return { disk: disk.copy(), records };
  }
  await journal.close();
  return { disk, records };
}

/** What becomes of a journal: the code of the error with which it does not open, or what it holds. */
export async function openedRecords(disk: SimDisk): Promise<string | Map<number, Buffer>> {
  try {
    const journal = await Journal.open({ directory: DIRECTORY, segmentBytes: SEGMENT_BYTES, files: disk });
    const records = await readAll(journal);
    await journal.close();
    return records;
  } catch (error) {
    return JournalError.is(error) ? error.code : String(error);
  }
}

/** Every byte of a journal that was closed, changed by one bit. @returns the changes that no error told of */
export async function flipEveryByte(): Promise<string[]> {
  const { disk } = await smallJournal(true);
  const unnoticed: string[] = [];
  for (const path of disk.paths()) {
    for (let at = 0; at < disk.bytesOf(path).length; at++) {
      const flipped = disk.copy();
      flipped.replace(path, withFlip(disk.bytesOf(path), at, at % 8));
      const found = await openedRecords(flipped);
      if (found !== 'ERR_JOURNAL_CORRUPT') {
        unnoticed.push(`${path} ${at}: ${typeof found === 'string' ? found : 'opened'}`);
      }
    }
  }
  return unnoticed;
}

/** Whether it is noticed that two records of equal length have changed places, with the sequences left in order. */
export async function sequenceIsChecked(): Promise<boolean> {
  const disk = new SimDisk();
  const options = { directory: DIRECTORY, files: disk };
  const journal = await Journal.open(options);
  journal.append(Buffer.from('left.'));
  journal.append(Buffer.from('right'));
  await journal.close();
  const path = disk.paths().find((one) => one.includes('segment-')) as string;
  const bytes = Buffer.from(disk.bytesOf(path));
  const first = FIRST_RECORD + SEQUENCE_END;
  const length = 4 + 'left.'.length;
  const second = first + SEQUENCE_END + length;
  const kept = Buffer.from(bytes.subarray(first, first + length));
  bytes.copy(bytes, first, second, second + length);
  kept.copy(bytes, second);
  disk.replace(path, bytes);
  return (await openedRecords(disk)) === 'ERR_JOURNAL_CORRUPT';
}

export function withFlip(bytes: Buffer, at: number, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at] = (flipped[at] as number) ^ (1 << bit);
  return flipped;
}
