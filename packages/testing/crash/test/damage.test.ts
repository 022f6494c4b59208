import { SeededRng } from '@core/base';
import { Journal } from '@core/journal';
import { describe, expect, it } from 'vitest';

import { SimDisk } from '../src/index.js';
import { flipEveryByte, openedRecords, sequenceIsChecked, smallJournal, withFlip } from './support/flips.js';
import { DIRECTORY, readAll } from './support/workload.js';

/** Of a segment. */
const HEADER = 52;
/** Of a frame with one record of 40 bytes. */
const FRAME = 44 + 16 + 40;
/** Records of the last commit of `smallJournal`. */
const LAST_COMMIT = 1;

function isPrefix(found: ReadonlyMap<number, Buffer>, whole: ReadonlyMap<number, Buffer>): boolean {
  return [...found].every(([sequence, payload], index) => {
    return sequence === index + 1 && (whole.get(sequence)?.equals(payload) ?? false);
  });
}

function segmentOf(disk: SimDisk): string {
  return disk.paths().find((path) => path.includes('segment-')) as string;
}

describe('damage', () => {
  it('of a closed journal is always an error, whichever bit it is', async () => {
    expect(await flipEveryByte()).toEqual([]);
  });

  it('of a sequence is noticed, also where all else fits', async () => {
    expect(await sequenceIsChecked()).toBe(true);
  });

  it('of a journal that was killed is an error, but for the last commit', async () => {
    const { disk, records } = await smallJournal(false);
    let cut = 0;
    for (const path of disk.paths()) {
      for (let at = 0; at < disk.bytesOf(path).length; at++) {
        const flipped = disk.copy();
        flipped.replace(path, withFlip(disk.bytesOf(path), at, at % 8));
        const found = await openedRecords(flipped);
        if (typeof found === 'string') {
          expect(found).toBe('ERR_JOURNAL_CORRUPT');
          continue;
        }
        expect(isPrefix(found, records), `${path} ${at}`).toBe(true);
        expect(found.size, `${path} ${at}`).toBeGreaterThanOrEqual(records.size - LAST_COMMIT);
        cut += found.size < records.size ? 1 : 0;
      }
    }
    expect(cut).toBeGreaterThan(0);
  });

  it.each([true, false])('a segment that ends early, closed: %s', async (closed) => {
    const { disk, records } = await smallJournal(closed);
    const lastUsed = disk.paths().findLast((path) => disk.bytesOf(path).length > HEADER && path.includes('segment-'));
    for (const path of disk.paths()) {
      const bytes = disk.bytesOf(path);
      for (let length = 0; length < bytes.length; length++) {
        const shorter = disk.copy();
        shorter.replace(path, bytes.subarray(0, length));
        const found = await openedRecords(shorter);
        if (typeof found === 'string') {
          expect(found).toBe('ERR_JOURNAL_CORRUPT');
          continue;
        }
        expect(closed, `${path} ${length}`).toBe(false);
        // Nothing that is left can tell how much more there was: no power loss takes what was synced.
        expect(path, `${path} ${length}`).toBe(lastUsed);
        expect(isPrefix(found, records), `${path} ${length}`).toBe(true);
      }
    }
  });

  it.each([true, false])('a file that is gone, closed: %s', async (closed) => {
    const { disk, records } = await smallJournal(closed);
    const paths = disk.paths().filter((path) => path.includes('segment-'));
    expect(paths.length).toBeGreaterThan(3);
    for (const [index, path] of paths.entries()) {
      const missing = disk.copy();
      await missing.unlink(path);
      const found = await openedRecords(missing);
      // Nothing tells of the oldest of a journal that was killed: it may as well have been dropped.
      if (closed || (index > 0 && index < paths.length - 1)) {
        expect(found, path).toBe('ERR_JOURNAL_CORRUPT');
      } else if (typeof found !== 'string') {
        expect([...found].every(([sequence, payload]) => records.get(sequence)?.equals(payload))).toBe(true);
      }
    }
  });

  it.each([0, 1])(
    'bytes behind the end are cut off, and are an error once the journal was closed: %i',
    async (byte) => {
      for (const closed of [true, false]) {
        const { disk, records } = await smallJournal(closed);
        const path = disk.paths().findLast((one) => disk.bytesOf(one).length > HEADER) as string;
        disk.replace(path, Buffer.concat([disk.bytesOf(path), Buffer.alloc(100, byte)]));
        const found = await openedRecords(disk);
        expect(typeof found === 'string' ? found : found.size).toBe(closed ? 'ERR_JOURNAL_CORRUPT' : records.size);
      }
    },
  );

  it('a segment that was left has no room in reserve: zeros behind its end are an error', async () => {
    const { disk } = await smallJournal(false);
    const path = disk.paths().find((one) => one.includes('segment-')) as string;
    disk.replace(path, Buffer.concat([disk.bytesOf(path), Buffer.alloc(100)]));
    expect(await openedRecords(disk)).toBe('ERR_JOURNAL_CORRUPT');
  });

  it('room in reserve is no damage: nothing is torn, and salvage reports nothing', async () => {
    const disk = new SimDisk();
    const options = { directory: DIRECTORY, segmentBytes: 1000, files: disk };
    const journal = await Journal.open(options);
    await journal.committed(journal.append(Buffer.alloc(40, 1)));
    const killed = disk.copy();
    const path = segmentOf(killed);
    expect(killed.bytesOf(path).length).toBe(1000);
    const salvaged = killed.copy();
    expect(await Journal.salvage({ directory: DIRECTORY, files: salvaged })).toMatchObject({ records: 1, damages: [] });
    const again = await Journal.open({ ...options, files: killed });
    expect([again.lastSequence, again.stats().cutBytes, killed.bytesOf(path).length]).toEqual([1, 0, HEADER + FRAME]);
    await again.close();
    await journal.close();
    expect(disk.bytesOf(path).length).toBe(HEADER + FRAME);
  });

  it.each([true, false])('of many bytes, anywhere, is never taken for records, closed: %s', async (closed) => {
    const { disk, records } = await smallJournal(closed);
    const rng = new SeededRng(closed ? 1 : 2);
    const paths = disk.paths();
    for (let round = 0; round < 400; round++) {
      const damaged = disk.copy();
      for (let count = 0; count <= rng.below(3); count++) {
        const path = rng.pick(paths);
        const bytes = Buffer.from(damaged.bytesOf(path));
        const from = rng.below(bytes.length);
        const source = damaged.bytesOf(rng.pick(paths));
        const kind = rng.below(3);
        for (let at = from; at < Math.min(bytes.length, from + 1 + rng.below(200)); at++) {
          // Zeros, noise, or what stands elsewhere.
          bytes[at] = kind === 0 ? 0 : kind === 1 ? rng.below(256) : (source[at - from] ?? 0);
        }
        damaged.replace(path, bytes);
      }
      const unchanged = paths.every((path) => damaged.bytesOf(path).equals(disk.bytesOf(path)));
      const found = await openedRecords(damaged);
      if (typeof found === 'string') {
        expect(found).toMatch(/^ERR_JOURNAL_(CORRUPT|FORMAT)$/);
      } else {
        expect(!closed || unchanged, `round ${round}`).toBe(true);
        expect(isPrefix(found, records), `round ${round}`).toBe(true);
      }
    }
  });

  it('of a commit that a later one says was on disk is named where it begins', async () => {
    const disk = new SimDisk();
    const journal = await Journal.open({ directory: DIRECTORY, files: disk });
    for (let count = 0; count < 3; count++) {
      await journal.committed(journal.append(Buffer.alloc(40, count)));
    }
    const killed = disk.copy();
    const path = segmentOf(killed);
    killed.replace(path, withFlip(killed.bytesOf(path), HEADER + FRAME + 70, 0));
    await expect(Journal.open({ directory: DIRECTORY, files: killed })).rejects.toMatchObject({
      code: 'ERR_JOURNAL_CORRUPT',
      damage: { segment: path, offset: HEADER + FRAME },
      message: expect.stringContaining('a record of the frame there is damaged'),
    });
    await journal.close();
  });

  it('what is torn is cut off for good before open resolves', async () => {
    const disk = new SimDisk();
    const journal = await Journal.open({ directory: DIRECTORY, files: disk });
    for (let count = 0; count < 2; count++) {
      await journal.committed(journal.append(Buffer.alloc(40, count)));
    }
    const killed = disk.copy();
    const path = segmentOf(killed);
    // The header of the second commit says that the first is on disk: there is nothing to be written again.
    killed.replace(path, withFlip(killed.bytesOf(path), HEADER + FRAME + 70, 0));
    const again = await Journal.open({ directory: DIRECTORY, files: killed });
    expect([again.lastSequence, again.stats().cutBytes, killed.bytesOf(path).length]).toEqual([
      1,
      FRAME,
      HEADER + FRAME,
    ]);
    expect([...killed.capture().data.values()].flatMap(({ changes }) => changes)).toEqual([]);
    await again.close();
    await journal.close();
  });

  it('what an earlier life left behind a cut is not taken for the successor of a new commit', async () => {
    // Three commits that nobody synced, of which the power loss took the second.
    const disk = new SimDisk();
    const first = await Journal.open({ directory: DIRECTORY, files: disk, durability: 'none' });
    for (let count = 0; count < 3; count++) {
      await first.committed(first.append(Buffer.alloc(40, count)));
    }
    const killed = disk.copy();
    const path = segmentOf(killed);
    const bytes = killed.bytesOf(path);
    killed.replace(path, withFlip(bytes, HEADER + FRAME + 70, 0));
    const second = await Journal.open({ directory: DIRECTORY, files: killed });
    expect([second.lastSequence, second.stats().cutBytes]).toEqual([1, 2 * FRAME]);
    // Opening leaves nothing that another power loss could undo.
    const { nameChanges, data } = killed.capture();
    expect([nameChanges.length, [...data.values()].flatMap(({ changes }) => changes)]).toEqual([0, []]);
    await second.committed(second.append(Buffer.alloc(40, 9)));
    // A file system may show again what was cut off, and the old third commit fits in place and sequence.
    const again = killed.copy();
    again.replace(path, Buffer.concat([again.bytesOf(path), bytes.subarray(HEADER + 2 * FRAME)]));
    expect(await openedRecords(again)).toEqual(
      new Map([
        [1, Buffer.alloc(40, 0)],
        [2, Buffer.alloc(40, 9)],
      ]),
    );
    await first.close();
    await second.close();
  });

  it('that came after open is found by the replay', async () => {
    const { disk } = await smallJournal(true);
    const [first = '', second = ''] = disk.paths().filter((one) => one.includes('segment-'));
    for (const [path, length] of [
      [first, HEADER + 10],
      [second, HEADER + 50],
    ] as const) {
      const damaged = disk.copy();
      const journal = await Journal.open({ directory: DIRECTORY, files: damaged });
      damaged.replace(path, withFlip(damaged.bytesOf(path), length, 3));
      await expect(readAll(journal)).rejects.toMatchObject({ code: 'ERR_JOURNAL_CORRUPT', damage: { segment: path } });
      damaged.replace(path, damaged.bytesOf(path).subarray(0, length));
      await expect(readAll(journal)).rejects.toMatchObject({ code: 'ERR_JOURNAL_CORRUPT' });
      // What could not be replayed is kept.
      expect([journal.oldestPinned, journal.stats().pinned]).toEqual([1, 1]);
      await journal.close();
    }
  });

  it('names the file and the place, and what to do', async () => {
    const { disk } = await smallJournal(true);
    const path = disk.paths().find((one) => one.includes('segment-')) as string;
    disk.replace(path, withFlip(disk.bytesOf(path), 60, 1));
    await expect(Journal.open({ directory: DIRECTORY, files: disk })).rejects.toMatchObject({
      code: 'ERR_JOURNAL_CORRUPT',
      damage: { segment: path, offset: 52 },
      message: expect.stringMatching(/byte 52: .*; Journal\.salvage keeps/),
    });
    // Nothing was changed, and the lock is free.
    const report = await Journal.salvage({ directory: DIRECTORY, files: disk });
    expect(report).toMatchObject({ records: 0, nextSequence: 15 });
    const journal = await Journal.open({ directory: DIRECTORY, files: disk });
    expect((await readAll(journal)).size).toBe(0);
    expect(journal.append(Buffer.alloc(1))).toBe(15);
    await journal.close();
  });
});
