import { SeededRng } from '@core/base';
import type { JournalFile } from '@core/journal';
import { describe, expect, it } from 'vitest';

import { crashStates, SimDisk } from '../src/index.js';

const rng = new SeededRng(1);

/** What each power loss now leaves in a file, without doubles; null where the file is not there. */
function left(disk: SimDisk, path: string, limit = 1_000): (string | null)[] {
  const found = [...crashStates(disk.capture(), { limit, rng })].map((state) =>
    state.paths().includes(path) ? state.bytesOf(path).toString() : null,
  );
  return [...new Set(found)].sort();
}

async function write(file: JournalFile, text: string, position: number): Promise<void> {
  const bytes = Buffer.from(text);
  expect(await file.write(bytes, 0, bytes.length, position)).toBe(bytes.length);
}

async function made(): Promise<{ disk: SimDisk; file: JournalFile }> {
  const disk = new SimDisk();
  await disk.makeDirectory('/d');
  const file = await disk.open('/d/a', 'create');
  return { disk, file };
}

describe('SimDisk', () => {
  it('a file may be gone until its directory is synced, and empty until it is synced itself', async () => {
    const { disk, file } = await made();
    await write(file, 'abc', 0);
    expect(left(disk, '/d/a')).toEqual(['', 'a', 'ab', 'abc', '\0bc', '\0\0c', null].sort());
    await file.datasync();
    expect(left(disk, '/d/a')).toEqual(['abc', null].sort());
    await disk.syncDirectory('/d');
    expect(left(disk, '/d/a')).toEqual(['abc']);
    expect(disk.bytesOf('/d/a').toString()).toBe('abc');
  });

  it('later writes may be there without earlier ones', async () => {
    const { disk, file } = await made();
    await disk.syncDirectory('/d');
    await write(file, 'x', 0);
    await write(file, 'y', 1);
    expect(left(disk, '/d/a')).toEqual(['', '\0y', 'x', 'xy']);
    await file.truncate(1);
    expect(left(disk, '/d/a')).toEqual(['', '\0', '\0y', 'x', 'xy']);
    await file.sync();
    expect(left(disk, '/d/a')).toEqual(['x']);
  });

  it('names move when their directory is synced, each for itself', async () => {
    const { disk, file } = await made();
    await write(file, '1', 0);
    await file.sync();
    await disk.syncDirectory('/d');
    await disk.rename('/d/a', '/d/b');
    expect([left(disk, '/d/a'), left(disk, '/d/b')]).toEqual([
      ['1', null],
      ['1', null],
    ]);
    await disk.syncDirectory('/d');
    expect([left(disk, '/d/a'), left(disk, '/d/b')]).toEqual([[null], ['1']]);
    await disk.unlink('/d/b');
    expect(left(disk, '/d/b')).toEqual(['1', null]);
    expect(await disk.list('/d')).toEqual([]);
    await expect(disk.open('/d/b', 'read')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('a sync that fails leaves what reads well and is never on the disk', async () => {
    const { disk, file } = await made();
    await disk.syncDirectory('/d');
    await write(file, 'lost', 0);
    disk.fault = ({ name }) => (name === 'datasync' ? { code: 'EIO' } : null);
    await expect(file.datasync()).rejects.toMatchObject({ code: 'EIO', syscall: 'datasync', path: '/d/a' });
    disk.fault = null;
    await file.datasync();
    expect([disk.bytesOf('/d/a').toString(), left(disk, '/d/a')]).toEqual(['lost', ['']]);
    await write(file, 'lost', 0);
    await file.datasync();
    expect(left(disk, '/d/a')).toEqual(['lost']);
  });

  it('a sync covers what was written before it began', async () => {
    const { disk, file } = await made();
    await disk.syncDirectory('/d');
    await write(file, '1', 0);
    const syncing = file.datasync();
    const writing = write(file, '2', 1);
    await Promise.all([syncing, writing]);
    expect(left(disk, '/d/a')).toEqual(['1', '12']);
  });

  it('writes and reads as short as it is told to', async () => {
    const { disk, file } = await made();
    disk.fault = () => ({ bytes: 2 });
    expect(await file.write(Buffer.from('abcd'), 1, 3, 0)).toBe(2);
    disk.fault = null;
    const target = Buffer.alloc(8);
    expect([await file.read(target, 1), target[0], await file.size()]).toEqual([1, 'c'.charCodeAt(0), 2]);
    expect(await file.read(target, 9)).toBe(0);
    await file.close();
    await expect(file.size()).rejects.toMatchObject({ code: 'EBADF' });
  });

  it('a lock is one holder s, until it is released or the process is killed', async () => {
    const disk = new SimDisk();
    const lock = await disk.lock('/d/lock');
    expect(await disk.lock('/d/lock')).toBeNull();
    await lock?.release();
    const second = await disk.lock('/d/lock');
    disk.kill();
    const third = await disk.lock('/d/lock');
    expect(third).not.toBeNull();
    // That of the process that is dead releases nothing any more.
    await second?.release();
    expect(await disk.lock('/d/lock')).toBeNull();
  });

  it('makes no more states than it is asked for, up to those with one torn write', async () => {
    const { disk, file } = await made();
    for (let index = 0; index < 10; index++) {
      await write(file, 'x'.repeat(50), index * 50);
    }
    const states = [...crashStates(disk.capture(), { limit: 100, rng })];
    expect(states.length).toBeGreaterThan(100);
    expect(states.length).toBeLessThan(500);
    // The first is the one that lost most, however many there are.
    expect(states[0]?.paths()).toEqual([]);
    for (const limit of [1, 1e9]) {
      const [first] = crashStates({ ...disk.capture(), data: new Map() }, { limit, rng });
      expect(first?.paths()).toEqual([]);
    }
  });
});
