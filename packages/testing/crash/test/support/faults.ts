import { SeededRng } from '@core/base';
import { Journal, type JournalFiles } from '@core/journal';

import { crashStates, type DiskCall, type Fault, SimDisk } from '../../src/index.js';
import { DIRECTORY, payloadOf, readAll, SEGMENT_BYTES } from './workload.js';

export interface FaultyRun {
  readonly disk: SimDisk;
  /** The highest sequence of which it was said that it is on disk. */
  readonly acknowledged: number;
  /** Nothing before this was to be kept. */
  readonly pinned: number;
  /** What `open`, `append`, `committed` and `close` said, in order. */
  readonly errors: readonly unknown[];
  /** How often a record was acknowledged after the first error. */
  readonly late: number;
}

/** A short life of a journal, on a disk of which one call or several do not work. */
export async function faultyRun(
  fault: (call: DiskCall) => Fault | null,
  files: (disk: SimDisk) => JournalFiles = (one) => one,
): Promise<FaultyRun> {
  const disk = new SimDisk();
  disk.fault = fault;
  const errors: unknown[] = [];
  let acknowledged = 0;
  let late = 0;
  let pinned = 1;
  try {
    const options = { directory: DIRECTORY, segmentBytes: SEGMENT_BYTES, files: files(disk), rng: new SeededRng(1) };
    const journal = await Journal.open(options);
    const pin = journal.createPin();
    journal.pin(pin, 1);
    for (let round = 0; round < 14; round++) {
      try {
        const lanes = [1, 2, 3].map(() => journal.append(payloadOf(journal.lastSequence + 1, 1)));
        const told = await Promise.allSettled(lanes.map((sequence) => journal.committed(sequence)));
        for (const [index, one] of told.entries()) {
          if (one.status === 'rejected') {
            errors.push(one.reason);
          } else {
            late += errors.length > 0 ? 1 : 0;
            acknowledged = Math.max(acknowledged, lanes[index] as number);
          }
        }
        if (round % 5 === 4) {
          pinned = acknowledged - 3;
          journal.pin(pin, pinned);
        }
      } catch (error) {
        errors.push(error);
      }
    }
    await journal.close();
  } catch (error) {
    errors.push(error);
  }
  disk.fault = null;
  // A lock that could not be released goes with the process.
  disk.kill();
  return { disk, acknowledged, pinned, errors, late };
}

/** What is on `disk` when a journal opens it. */
export async function recordsOn(disk: SimDisk): Promise<Map<number, Buffer>> {
  const journal = await Journal.open({ directory: DIRECTORY, segmentBytes: SEGMENT_BYTES, files: disk });
  const records = await readAll(journal);
  await journal.close();
  return records;
}

/** The disk after a power loss that undid all it could. */
export function afterPowerLoss(disk: SimDisk): SimDisk {
  const [nothing] = crashStates(disk.capture(), { limit: 1, rng: new SeededRng(1) });
  return nothing as SimDisk;
}

/** One of the last, so that what it was for is not dropped before the end. */
const FAILING_SYNC = 13;

/** How many records were acknowledged that a power loss takes, when one sync had failed. */
export async function acknowledgedAfterFailedSync(files: (disk: SimDisk) => JournalFiles): Promise<number> {
  let syncs = 0;
  const { disk, acknowledged } = await faultyRun(
    ({ name }) => (name === 'datasync' && ++syncs === FAILING_SYNC ? { code: 'EIO' } : null),
    files,
  );
  try {
    const last = [...(await recordsOn(afterPowerLoss(disk))).keys()].at(-1) ?? 0;
    return Math.max(0, acknowledged - last);
  } catch {
    return acknowledged;
  }
}
