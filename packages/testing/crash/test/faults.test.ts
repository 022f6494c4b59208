import { Journal, JournalError, type JournalFiles } from '@core/journal';
import { describe, expect, it } from 'vitest';

import { crashStates, SimDisk } from '../src/index.js';
import { afterPowerLoss, faultyRun, type FaultyRun, recordsOn } from './support/faults.js';
import { DIRECTORY, payloadOf, readAll, SEGMENT_BYTES } from './support/workload.js';

/** Everything that was acknowledged is there, with nothing before or between missing. */
async function expectKept(disk: SimDisk, { acknowledged, pinned }: FaultyRun): Promise<void> {
  const records = await recordsOn(disk);
  const sequences = [...records.keys()];
  expect(sequences.at(-1) ?? 0).toBeGreaterThanOrEqual(acknowledged);
  expect(acknowledged === 0 || (sequences[0] as number) <= pinned).toBe(true);
  for (const [index, [sequence, payload]] of [...records].entries()) {
    expect(sequence).toBe((sequences[0] as number) + index);
    expect(payload.equals(payloadOf(sequence, 1))).toBe(true);
  }
}

/** Files that only say that they write: for an open that has nothing else to write. */
function withoutRewriting(disk: SimDisk): JournalFiles {
  return {
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    lock: (path) => disk.lock(path),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    open: async (path, mode) =>
      Object.assign(await disk.open(path, mode), { write: async (_: unknown, __: number, length: number) => length }),
  };
}

/** Another life on the same disk, long enough to come into the next segments. Calls `each` after each commit. */
async function goOn(disk: SimDisk, run: FaultyRun, each?: (kept: FaultyRun) => Promise<void>): Promise<FaultyRun> {
  const journal = await Journal.open({ directory: DIRECTORY, segmentBytes: SEGMENT_BYTES, files: disk });
  const pin = journal.createPin();
  journal.pin(pin, journal.firstSequence);
  await readAll(journal);
  for (let round = 0; round < 20; round++) {
    await journal.committed(journal.append(payloadOf(journal.lastSequence + 1, 1)));
    await each?.({ ...run, acknowledged: journal.lastSequence, pinned: journal.firstSequence });
  }
  disk.kill();
  return { ...run, acknowledged: journal.lastSequence, pinned: journal.firstSequence };
}

async function calls(): Promise<number> {
  const run = await faultyRun(() => null);
  expect(run.errors).toEqual([]);
  return run.disk.calls;
}

describe('a journal on a disk that fails', () => {
  it.each(['EIO', 'ENOSPC'])('%s at every call, one by one', async (code) => {
    const count = await calls();
    expect(count).toBeGreaterThan(60);
    for (let failing = 1; failing <= count; failing++) {
      const run = await faultyRun(({ index }) => (index === failing ? { code } : null));
      expect(run.errors.length, `call ${failing}`).toBeGreaterThan(0);
      for (const error of run.errors) {
        expect(JournalError.is(error) && ['ERR_JOURNAL_OPEN', 'ERR_JOURNAL_DEAD'].includes(error.code)).toBe(true);
      }
      expect(run.late, `call ${failing}`).toBe(0);
      await expectKept(afterPowerLoss(run.disk), run);
      await expectKept(run.disk, run);
      // The machine goes on, and so does another process; then the power fails.
      const kept = await goOn(run.disk, run);
      await expectKept(afterPowerLoss(run.disk), kept);
    }
  });

  it('a directory that could not be synced: the names in it are on disk before the next life relies on them', async () => {
    const syncs: number[] = [];
    await faultyRun(({ name, index }) => {
      if (name === 'syncDirectory') {
        syncs.push(index);
      }
      return null;
    });
    expect(syncs.length).toBeGreaterThan(5);
    for (const failing of syncs) {
      const run = await faultyRun(({ index }) => (index === failing ? { code: 'EIO' } : null));
      await goOn(run.disk, run, (kept) => expectKept(afterPowerLoss(run.disk), kept));
    }
  });

  it('EIO from some call on', async () => {
    const count = await calls();
    for (let failing = 1; failing <= count; failing += 3) {
      const run = await faultyRun(({ index }) => (index >= failing ? { code: 'EIO' } : null));
      expect(run.late).toBe(0);
      await expectKept(run.disk, run);
    }
  });

  it('writes and reads short, and goes on where they ended', async () => {
    const run = await faultyRun(({ name, index }) =>
      name === 'write' || name === 'read' ? { bytes: 1 + (index % 7) } : null,
    );
    expect(run.errors).toEqual([]);
    await expectKept(run.disk, run);
  });

  it('takes a write of nothing for a failure, and does not wait for ever', async () => {
    let writes = 0;
    const run = await faultyRun(({ name }) => (name === 'write' && ++writes === 4 ? { bytes: 0 } : null));
    expect(JournalError.is(run.errors[0]) && run.errors[0].code).toBe('ERR_JOURNAL_DEAD');
    await expectKept(run.disk, run);
  });

  it('a full disk in the middle of a write: dead, and what was acknowledged is there', async () => {
    let writes = 0;
    const run = await faultyRun(({ name }) => {
      writes += name === 'write' ? 1 : 0;
      return name === 'write' && writes === 5
        ? { bytes: 30 }
        : name === 'write' && writes > 5
          ? { code: 'ENOSPC' }
          : null;
    });
    expect(run.errors.length).toBeGreaterThan(0);
    await expectKept(run.disk, run);
  });

  it.each([
    ['is on disk once the journal is open again', 2, (disk: SimDisk): JournalFiles => disk],
    ['would not be, if opening did not write it once more', 1, withoutRewriting],
  ])('what is shown after a failed sync %s', async (_, kept, files) => {
    const disk = new SimDisk();
    const options = { directory: DIRECTORY, segmentBytes: SEGMENT_BYTES, files: disk };
    const journal = await Journal.open(options);
    await journal.committed(journal.append(payloadOf(1, 1)));
    disk.fault = ({ name }) => (name === 'datasync' ? { code: 'EIO' } : null);
    const lost = journal.append(payloadOf(2, 1));
    await expect(journal.committed(lost)).rejects.toMatchObject({ code: 'ERR_JOURNAL_DEAD' });
    await expect(journal.close()).rejects.toMatchObject({ code: 'ERR_JOURNAL_DEAD' });
    disk.fault = null;
    // The system still shows the record, and takes it for written.
    expect(disk.capture().nameChanges).toEqual([]);
    expect([...disk.capture().data.values()].every(({ changes }) => changes.length === 0)).toBe(true);

    const again = await Journal.open({ ...options, files: files(disk) });
    const shown = await readAll(again);
    expect([...shown.keys()]).toEqual([1, 2]);
    for (const state of crashStates(disk.capture(), { limit: 100, rng: { next: () => 0.5 } })) {
      expect((await recordsOn(state)).size).toBe(kept);
    }
  });
});
