import { join } from 'node:path';

import { checkOptionNames, type Rng } from '@core/base';

import { encodeClosedMark } from './internal/closed-mark.js';
import { makeFile, readPath, writeAll } from './internal/file-calls.js';
import { CLOSED, SALVAGE, segmentNumbers, segmentPath, UNFINISHED } from './internal/names.js';
import { underLock } from './internal/open-directory.js';
import { DamagedReader } from './internal/read-damaged.js';
import { SalvageWriter } from './internal/salvage-writer.js';
import { corrupt, readHeader } from './internal/recover.js';
import type { JournalDamage } from './journal-error.js';
import type { JournalFiles } from './journal-files.js';
import { checkDirectory, systemRng } from './journal-options.js';
import { NodeFiles } from './node-files.js';

export interface SalvageOptions {
  readonly directory: string;
  /** Keep records after the damage too, where they can be read; what is between is lost. Default false. */
  readonly pastDamage?: boolean;
  /** As of `JournalOptions`. */
  readonly files?: JournalFiles;
  readonly rng?: Rng;
}

const OPTIONS = ['directory', 'pastDamage', 'files', 'rng'] as const satisfies (keyof SalvageOptions)[];

/** Sequences, both ends included. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

export interface SalvageReport {
  /** How many were kept. */
  readonly records: number;
  /** Oldest and newest that were kept, 0 if none was. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Where the next `append` goes on. */
  readonly nextSequence: number;
  /**
   * Sequences that are not in the new journal. Where the start of the old one could not be read, or segments had been
   * dropped, the first of them may have been gone before.
   */
  readonly lost: readonly SequenceRange[];
  /** What could not be read, by the paths that the files have now. A tail that a power loss tore is among them. */
  readonly damages: readonly JournalDamage[];
  /** Where the old files are. */
  readonly movedTo: string;
}

/** What a salvage set out to do, so that it can be taken up again. */
interface Plan {
  /** Where the old files go. */
  readonly folder: string;
  /** Of the one segment of the new journal. */
  readonly number: number;
}

/** See `Journal.salvage`. */
export async function salvageJournal(options: SalvageOptions): Promise<SalvageReport> {
  checkOptionNames(options, OPTIONS, 'a salvage');
  const { directory, pastDamage = false, files = new NodeFiles(), rng = systemRng } = options ?? {};
  checkDirectory(directory);
  return underLock(files, directory, async (lock) => {
    const plan = await planOf(files, directory);
    const folder = join(directory, plan.folder);
    const reader = new DamagedReader(files, folder, pastDamage);
    const writer = new SalvageWriter(rng, plan.number, reader);
    if ((await files.list(directory)).includes(nameOf(plan.number))) {
      // Interrupted after the new segment was there: only the report is still owed.
      await reader.read(async (sequence) => writer.count(sequence));
    } else {
      await moveAside(files, directory, folder, plan.number);
      const file = await makeFile(files, directory, segmentPath(directory, plan.number), async (one) => {
        await writer.begin(one);
        await reader.read((sequence, payload) => writer.take(sequence, payload));
        await writer.end();
      });
      await file.close();
    }
    const report = writer.report();
    await markClosed(files, directory, plan.number, report.nextSequence - 1);
    await files.unlink(join(directory, SALVAGE));
    await files.syncDirectory(directory);
    await lock.release();
    return { ...report, damages: reader.damages, movedTo: folder };
  });
}

/** Begins a salvage, or reads what one that was interrupted had begun. */
async function planOf(files: JournalFiles, directory: string): Promise<Plan> {
  const names = await files.list(directory);
  const path = join(directory, SALVAGE);
  if (names.includes(SALVAGE)) {
    const plan = parsePlan((await readPath(files, path)).toString());
    if (plan === null) {
      throw corrupt(path, 0, 'the plan of a salvage that was not finished is damaged');
    }
    return plan;
  }
  const numbers = segmentNumbers(names);
  for (const number of numbers) {
    // Throws for a newer format, before anything is moved.
    await readHeader(files, segmentPath(directory, number));
  }
  let index = 1;
  while (names.includes(`damaged-${index}`)) {
    index++;
  }
  const plan: Plan = { folder: `damaged-${index}`, number: (numbers.at(-1) ?? 0) + 1 };
  const bytes = Buffer.from(JSON.stringify(plan));
  const file = await makeFile(files, directory, path, (one) => writeAll(one, bytes, bytes.length, 0));
  await file.close();
  return plan;
}

function parsePlan(text: string): Plan | null {
  const found = /^\{"folder":"(damaged-\d+)","number":(\d+)\}$/.exec(text);
  return found === null ? null : { folder: found[1] as string, number: Number(found[2]) };
}

async function moveAside(files: JournalFiles, directory: string, folder: string, number: number): Promise<void> {
  await files.makeDirectory(folder);
  const names = await files.list(directory);
  for (const name of names.filter((one) => one.endsWith(UNFINISHED))) {
    await files.unlink(join(directory, name));
  }
  const old = segmentNumbers(names).filter((one) => one < number);
  for (const name of [...old.map(nameOf), ...(names.includes(CLOSED) ? [CLOSED] : [])]) {
    await files.rename(join(directory, name), join(folder, name));
  }
  // The new names first: a power loss between the two shows a file twice, never not at all.
  await files.syncDirectory(folder);
  await files.syncDirectory(directory);
}

/** All of the new journal is on disk: whatever changes in it from here on is damage. */
async function markClosed(files: JournalFiles, directory: string, number: number, lastSequence: number): Promise<void> {
  const path = segmentPath(directory, number);
  const { header } = await readHeader(files, path);
  if (header === null) {
    throw corrupt(path, 0, 'its header is damaged');
  }
  const mark = encodeClosedMark({ identity: header.identity, firstNumber: number, lastNumber: number, lastSequence });
  const file = await makeFile(files, directory, join(directory, CLOSED), (one) => writeAll(one, mark, mark.length, 0));
  await file.close();
}

function nameOf(number: number): string {
  return segmentPath('', number);
}
