import { SeededRng } from '@core/base';
import type { JournalFile, JournalFiles } from '@core/journal';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SimDisk } from '../src/index.js';
import { flipEveryByte, sequenceIsChecked } from './support/flips.js';
import { acknowledgedAfterFailedSync } from './support/faults.js';
import { judgeAll, runWorkload } from './support/workload.js';

/** Which part of the journal is broken now. */
const bust = vi.hoisted(() => ({ checksum: false, sequence: false, pins: false }));

vi.mock('../../../core/journal/src/internal/checksum.ts', async (importOriginal) => {
  const whole = await importOriginal<{
    headerChecksum(bytes: Uint8Array, seed: number): number;
    recordChecksum(payload: Uint8Array, life: number, sequence: number): number;
  }>();
  return {
    headerChecksum: whole.headerChecksum,
    recordChecksum: (payload: Uint8Array, life: number, sequence: number) =>
      bust.checksum ? 0 : whole.recordChecksum(payload, life, bust.sequence ? 0 : sequence),
  };
});

vi.mock('../../../core/journal/src/internal/pin-list.ts', async (importOriginal) => {
  const whole = await importOriginal<{ PinList: { prototype: object } }>();
  const { get } = Object.getOwnPropertyDescriptor(whole.PinList.prototype, 'oldestSequence') as PropertyDescriptor;
  Object.defineProperty(whole.PinList.prototype, 'oldestSequence', {
    get(): number {
      return bust.pins ? 0 : get?.call(this);
    },
  });
  return whole;
});

/** Files of which some calls are not what they say. */
function filesWith(
  disk: SimDisk,
  change: { readonly directory?: () => Promise<void>; readonly file?: (file: JournalFile) => JournalFile },
): JournalFiles {
  const { file = (one: JournalFile) => one, directory } = change;
  return {
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    lock: (path) => disk.lock(path),
    open: async (path, mode) => file(await disk.open(path, mode)),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    syncDirectory: directory ?? ((path) => disk.syncDirectory(path)),
  };
}

/** @param datasync instead of what makes frames durable; all that is made ahead of them is synced as it should be */
function fileWith(file: JournalFile, datasync: () => Promise<void>): JournalFile {
  return {
    size: () => file.size(),
    read: (target, position) => file.read(target, position),
    write: (bytes, offset, length, position) => file.write(bytes, offset, length, position),
    writeSynced: async (bytes, offset, length, position) => {
      const written = await file.write(bytes, offset, length, position);
      await datasync();
      return written;
    },
    truncate: (bytes) => file.truncate(bytes),
    close: () => file.close(),
    datasync,
    sync: () => file.sync(),
  };
}

const BUSTED: Readonly<Record<string, (disk: SimDisk) => JournalFiles>> = {
  'never syncs a frame': (disk) => filesWith(disk, { file: (file) => fileWith(file, async () => {}) }),
  'acknowledges before the sync': (disk) =>
    filesWith(disk, {
      file: (file) =>
        fileWith(file, async () => {
          setImmediate(() => void file.datasync().catch(() => {}));
        }),
    }),
  'never syncs a directory': (disk) => filesWith(disk, { directory: async () => {} }),
};

async function powerLoss(files: ((disk: SimDisk) => JournalFiles) | undefined): Promise<string | null> {
  const options = { durability: 'every', seed: 1, steps: 15, ...(files === undefined ? {} : { files }) } as const;
  const result = await runWorkload(new SimDisk(), options);
  return (await judgeAll(result, { limit: 8, rng: new SeededRng(1) })).fault;
}

describe('the same checks catch a journal that', () => {
  afterEach(() => {
    Object.assign(bust, { checksum: false, sequence: false, pins: false });
  });

  it('is not broken at all: they do not', async () => {
    expect(await powerLoss(undefined)).toBeNull();
    expect(await flipEveryByte()).toEqual([]);
    expect(await acknowledgedAfterFailedSync((disk) => disk)).toBe(0);
  });

  it.each(Object.entries(BUSTED))('%s', async (_, files) => {
    expect(await powerLoss(files)).toMatch(/was acknowledged, and|first one there/);
  });

  it('drops what is pinned', async () => {
    bust.pins = true;
    // Its own invariants see it first, or else the power loss does.
    expect(await powerLoss(undefined).catch(String)).toMatch(/pin|first one there/);
  });

  it('has no checksum', async () => {
    bust.checksum = true;
    expect((await flipEveryByte()).length).toBeGreaterThan(0);
  });

  it('leaves the sequence out of the checksum', async () => {
    bust.sequence = true;
    expect(await sequenceIsChecked()).toBe(false);
    bust.sequence = false;
    expect(await sequenceIsChecked()).toBe(true);
  });

  it('goes on after a sync that failed', async () => {
    const swallowing = (disk: SimDisk): JournalFiles =>
      filesWith(disk, { file: (file) => fileWith(file, () => file.datasync().catch(() => {})) });
    expect(await acknowledgedAfterFailedSync(swallowing)).toBeGreaterThan(0);
  });
});
