import { describe, expect, it } from 'vitest';

import { Journal } from '../src/index.js';
import { ManualTimers, recordsOf, temporary, WatchedFiles } from './support/temporary.js';

const payload = Buffer.alloc(20, 1);

/** What the microtasks and turns that are due do, a few times over. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('group commit', () => {
  it('those who append in one turn share a write, a sync and a promise', async () => {
    const files = new WatchedFiles();
    const journal = await Journal.open({ directory: temporary(), files });
    const before = [files.count('write'), files.count('datasync')];
    journal.append(payload);
    journal.append(payload);
    const third = journal.append(payload);
    expect(journal.committed(1)).toBe(journal.committed(third));
    await journal.committed(2);
    expect([files.count('write'), files.count('datasync')]).toEqual(before.map((count) => count + 1));
    expect(journal.durableSequence).toBe(3);
    await journal.close();
  });

  it('lanes that wait each for their own record commit together', async () => {
    const journal = await Journal.open({ directory: temporary() });
    const lane = async (): Promise<void> => {
      for (let count = 0; count < 10; count++) {
        await journal.committed(journal.append(payload));
      }
    };
    await Promise.all(Array.from({ length: 100 }, lane));
    expect(journal.stats()).toMatchObject({ appends: 1000, commits: 10, syncs: 10, largestBatch: 100 });
    await journal.close();
  });

  it('what is appended while a sync runs waits for the next, and for no more', async () => {
    const files = new WatchedFiles();
    const journal = await Journal.open({ directory: temporary(), files });
    let release: () => void = () => {};
    const before = files.count('datasync');
    files.before = (call) =>
      call === 'datasync' && files.count(call) === before + 1
        ? new Promise<void>((resolve) => (release = resolve))
        : undefined;
    const settled: number[] = [];
    const wait = (sequence: number): void => void journal.committed(sequence).then(() => settled.push(sequence));
    wait(journal.append(payload));
    while (files.count('datasync') === before) {
      await turns();
    }
    wait(journal.append(payload));
    wait(journal.append(payload));
    await turns();
    journal.checkInvariants();
    expect([settled, files.count('write') - 1]).toEqual([[], 1]);
    release();
    await journal.committed(3);
    expect(settled).toEqual([1, 2, 3]);
    expect(journal.stats()).toMatchObject({ commits: 2, syncs: 2, largestBatch: 2 });
    await journal.close();
  });

  it('a flood is written in frames of bounded size', async () => {
    const journal = await Journal.open({ directory: temporary(), durability: 'none' });
    const large = Buffer.alloc(5 * 2 ** 20, 7);
    for (let count = 0; count < 8; count++) {
      journal.append(large);
    }
    journal.checkInvariants();
    const early = journal.committed(1);
    await journal.committed(8);
    await early;
    expect(journal.stats()).toMatchObject({ commits: 3, largestBatch: 3 });
    expect(await recordsOf(journal)).toHaveLength(8);
    await journal.close();
  });

  it('interval: handed over at once, on disk when the interval is over', async () => {
    const files = new WatchedFiles();
    const scheduler = new ManualTimers();
    const directory = temporary();
    const journal = await Journal.open({ directory, durability: 'interval', intervalMs: 250, files, scheduler });
    const before = files.count('datasync');
    await journal.committed(journal.append(payload));
    await journal.committed(journal.append(payload));
    expect([journal.durableSequence, files.count('datasync') - before]).toEqual([2, 0]);
    expect([...scheduler.timers.values()]).toEqual([250]);
    expect(journal.stats().syncedSequence).toBe(0);
    scheduler.fire();
    await turns();
    await journal.sync();
    expect([journal.stats().syncedSequence, files.count('datasync') - before]).toEqual([2, 1]);
    // The timer runs only while there is something to sync.
    expect(scheduler.timers.size).toBe(0);
    await journal.committed(journal.append(payload));
    expect(scheduler.timers.size).toBe(1);
    await journal.close();
    expect([scheduler.timers.size, files.count('datasync') - before]).toEqual([0, 2]);
  });

  it('none: syncs when it is asked to, and not to close', async () => {
    const files = new WatchedFiles();
    const directory = temporary();
    const journal = await Journal.open({ directory, durability: 'none', files });
    const before = files.count('datasync');
    await journal.committed(journal.append(payload));
    expect(files.count('datasync')).toBe(before);
    await journal.sync();
    expect([files.count('datasync') - before, journal.stats().syncedSequence]).toEqual([1, 1]);
    journal.append(payload);
    await journal.close();
    expect(files.count('datasync')).toBe(before + 1);
    const again = await Journal.open({ directory });
    expect(await recordsOf(again)).toHaveLength(2);
    await again.close();
  });

  it('those who ask for a sync share one, unless it is too early for what they appended', async () => {
    const files = new WatchedFiles();
    const journal = await Journal.open({ directory: temporary(), durability: 'none', files });
    const before = files.count('datasync');
    journal.append(payload);
    const first = journal.sync();
    journal.append(payload);
    expect(journal.sync()).toBe(first);
    await first;
    expect([journal.stats().syncedSequence, files.count('datasync') - before]).toEqual([2, 1]);
    let release: () => void = () => {};
    files.before = (call) => (call === 'datasync' ? new Promise<void>((resolve) => (release = resolve)) : undefined);
    journal.append(payload);
    const early = journal.sync();
    while (files.count('datasync') - before < 2) {
      await turns();
    }
    journal.append(payload);
    const late = journal.sync();
    expect(late).not.toBe(early);
    files.before = () => {};
    release();
    await Promise.all([early, late]);
    expect([journal.stats().syncedSequence, files.count('datasync') - before]).toEqual([4, 3]);
    await journal.close();
  });
});
