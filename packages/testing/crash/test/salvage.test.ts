import { SeededRng } from '@core/base';
import { Journal, type SalvageOptions, type SalvageReport } from '@core/journal';
import { describe, expect, it } from 'vitest';

import { crashStates, SimDisk } from '../src/index.js';
import { openedRecords, smallJournal, withFlip } from './support/flips.js';
import { DIRECTORY, readAll } from './support/workload.js';

const RECORDS = 14;
const HEADER = 52;

function segmentsOf(disk: SimDisk): string[] {
  return disk.paths().filter((path) => /\/journal\/segment-\d+$/.test(path));
}

async function salvage(disk: SimDisk, options: Partial<SalvageOptions> = {}): Promise<SalvageReport> {
  return Journal.salvage({ directory: DIRECTORY, files: disk, rng: new SeededRng(5), ...options });
}

/** What the new journal holds, and where it goes on; it is closed after. */
async function after(disk: SimDisk): Promise<{ readonly records: Map<number, Buffer>; readonly next: number }> {
  const journal = await Journal.open({ directory: DIRECTORY, files: disk });
  const records = await readAll(journal);
  const next = journal.append(Buffer.from('next'));
  await journal.close();
  const again = await Journal.open({ directory: DIRECTORY, files: disk });
  expect(again.lastSequence).toBe(next);
  expect((await readAll(again)).get(next)?.toString()).toBe('next');
  await again.close();
  return { records, next };
}

describe('salvage', () => {
  it('of a journal that is whole keeps all', async () => {
    const { disk, records } = await smallJournal(true);
    const report = await salvage(disk);
    expect(report).toEqual({
      records: RECORDS,
      firstSequence: 1,
      lastSequence: RECORDS,
      nextSequence: RECORDS + 1,
      lost: [],
      damages: [],
      movedTo: '/journal/damaged-1',
    });
    expect(await after(disk)).toEqual({ records, next: RECORDS + 1 });
  });

  it('what it made is known to be on disk: what changes in it is an error', async () => {
    const { disk } = await smallJournal(true);
    const [path = ''] = segmentsOf(disk);
    disk.replace(path, withFlip(disk.bytesOf(path), 200, 0));
    await salvage(disk, { pastDamage: true });
    const [made = ''] = segmentsOf(disk);
    for (let at = 0; at < disk.bytesOf(made).length; at += 5) {
      const flipped = disk.copy();
      flipped.replace(made, withFlip(disk.bytesOf(made), at, at % 8));
      expect(await openedRecords(flipped)).toBe('ERR_JOURNAL_CORRUPT');
    }
  });

  it('knows by the mark how far a journal had come whose segments are gone', async () => {
    const { disk } = await smallJournal(true);
    for (const path of segmentsOf(disk)) {
      await disk.unlink(path);
    }
    expect(await openedRecords(disk.copy())).toBe('ERR_JOURNAL_CORRUPT');
    expect(await salvage(disk)).toMatchObject({
      records: 0,
      nextSequence: RECORDS + 1,
      lost: [{ from: 1, to: RECORDS }],
    });
    expect((await after(disk)).next).toBe(RECORDS + 1);
  });

  it('of a journal of which only the mark is damaged keeps all', async () => {
    const { disk } = await smallJournal(true);
    const mark = `${DIRECTORY}/closed`;
    disk.replace(mark, withFlip(disk.bytesOf(mark), 30, 2));
    const report = await salvage(disk);
    expect(report).toMatchObject({ records: RECORDS, lost: [], damages: [{ segment: '/journal/damaged-1/closed' }] });
  });

  it('of an empty directory makes an empty journal', async () => {
    const disk = new SimDisk();
    expect(await salvage(disk)).toMatchObject({ records: 0, nextSequence: 1, lost: [], damages: [] });
    expect((await after(disk)).next).toBe(1);
  });

  it.each([false, true])('at every byte that is damaged, past it: %s', async (pastDamage) => {
    const { disk, records } = await smallJournal(true);
    let past = 0;
    for (const path of segmentsOf(disk)) {
      const bytes = disk.bytesOf(path);
      for (let at = 0; at < bytes.length; at += 7) {
        const damaged = disk.copy();
        damaged.replace(path, withFlip(bytes, at, at % 8));
        const report = await salvage(damaged, { pastDamage });
        const { records: kept, next } = await after(damaged);
        const sequences = [...kept.keys()];
        expect([sequences.length, sequences[0] ?? 0, sequences.at(-1) ?? 0]).toEqual([
          report.records,
          report.firstSequence,
          report.lastSequence,
        ]);
        for (const [sequence, payload] of kept) {
          expect(records.get(sequence)?.equals(payload)).toBe(true);
        }
        // A record that is in neither is one too many.
        const missing = [...records.keys()].filter((sequence) => sequence > report.lastSequence || !kept.has(sequence));
        const lost = report.lost.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
        expect(lost.filter((sequence) => sequence <= RECORDS)).toEqual(
          missing.filter((sequence) => sequence < report.nextSequence),
        );
        expect(next).toBe(report.nextSequence);
        expect(sequences.every((sequence) => sequence < next)).toBe(true);
        const last = sequences.at(-1) ?? 0;
        expect(pastDamage || sequences.every((sequence, index) => sequence === index + 1)).toBe(true);
        past += last > sequences.length ? 1 : 0;
        expect(damaged.bytesOf(`${report.movedTo}${path.slice(DIRECTORY.length)}`)).toEqual(
          withFlip(bytes, at, at % 8),
        );
      }
    }
    expect(past > 0).toBe(pastDamage);
  });

  it('keeps the records of a frame that are ahead of the damage, and past it those of other frames', async () => {
    const { disk } = await smallJournal(true);
    const [path = ''] = segmentsOf(disk);
    const bytes = disk.bytesOf(path);
    // The third of the records 2, 3 and 4 of the second frame.
    const at = bytes.length - 1;
    const damaged = disk.copy();
    damaged.replace(path, withFlip(bytes, at, 0));
    const report = await salvage(damaged, { pastDamage: true });
    expect(report.lost).toEqual([{ from: 4, to: 4 }]);
    expect(report.damages).toHaveLength(1);
    expect([...(await after(damaged)).records.keys()]).toEqual([1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  });

  it('of a journal whose header is gone reads on by the first frame', async () => {
    const { disk } = await smallJournal(true);
    const [path = ''] = segmentsOf(disk);
    const bytes = Buffer.from(disk.bytesOf(path));
    bytes.fill(0, 0, HEADER);
    disk.replace(path, bytes);
    expect(await salvage(disk, { pastDamage: true })).toMatchObject({ records: RECORDS, lost: [] });
  });

  it('of a segment that is gone', async () => {
    const { disk } = await smallJournal(true);
    const [, second = ''] = segmentsOf(disk);
    await disk.unlink(second);
    const { records, lost, damages } = await salvage(disk.copy(), { pastDamage: true });
    expect(damages.length).toBeGreaterThan(0);
    expect(records + lost.reduce((sum, { from, to }) => sum + to - from + 1, 0)).toBe(RECORDS);
    expect((await salvage(disk)).lastSequence).toBeLessThan(RECORDS);
  });

  it('twice: the second finds what the first made, and keeps what the first set aside', async () => {
    const { disk } = await smallJournal(true);
    const [path = ''] = segmentsOf(disk);
    disk.replace(path, withFlip(disk.bytesOf(path), 200, 0));
    const first = await salvage(disk, { pastDamage: true });
    const second = await salvage(disk, { pastDamage: true });
    expect(second).toMatchObject({ ...first, damages: [], movedTo: '/journal/damaged-2' });
    expect(disk.paths().some((one) => one.includes('damaged-1/'))).toBe(true);
  });

  it('interrupted by a power loss at any instant: open refuses, or nothing had begun, and it can be taken up again', async () => {
    const { disk: whole, records } = await smallJournal(true);
    const [path = ''] = segmentsOf(whole);
    whole.replace(path, withFlip(whole.bytesOf(path), 200, 0));
    const expected = await salvage(whole.copy(), { pastDamage: true });
    const disk = whole.copy();
    const captures = new Map<number, ReturnType<SimDisk['capture']>>();
    disk.onCall = () => captures.set(disk.version, disk.capture());
    await salvage(disk, { pastDamage: true });
    captures.set(disk.version, disk.capture());
    const rng = new SeededRng(1);
    let opened = 0;
    for (const capture of captures.values()) {
      for (const state of crashStates(capture, { limit: 12, rng })) {
        const found = await openedRecords(state.copy());
        if (typeof found !== 'string') {
          opened++;
          expect(found.size).toBe(expected.records);
          continue;
        }
        expect(found).toBe('ERR_JOURNAL_CORRUPT');
        const report = await salvage(state, { pastDamage: true });
        expect({ ...report, damages: [], movedTo: '' }).toEqual({ ...expected, damages: [], movedTo: '' });
        for (const [sequence, payload] of (await after(state)).records) {
          expect(records.get(sequence)?.equals(payload)).toBe(true);
        }
      }
    }
    expect(opened).toBeGreaterThan(0);
  });

  it('refuses options that it does not know', async () => {
    await expect(Journal.salvage({ directory: '' })).rejects.toThrow(TypeError);
    await expect(Journal.salvage({ directory: 'x', past: true } as never)).rejects.toThrow(TypeError);
    await expect(Journal.salvage(undefined as never)).rejects.toThrow(TypeError);
  });
});
