import { describe, expect, it } from 'vitest';

import { Journal, type JournalError } from '../src/index.js';
import { temporary, WatchedFiles } from './support/temporary.js';

const payload = Buffer.alloc(100, 1);
const dead = expect.objectContaining({ code: 'ERR_JOURNAL_DEAD' });

/** Fails each call of that name from now on, or the next one only. */
function fail(files: WatchedFiles, name: string, once = false): Error {
  const error = new Error(`EIO: ${name}`);
  files.before = (call) => {
    if (call === name) {
      files.before = once ? () => {} : files.before;
      throw error;
    }
  };
  return error;
}

describe('a journal that dies', () => {
  it.each(['write', 'datasync'])('of one failed %s stays dead, and acknowledges nothing more', async (call) => {
    const files = new WatchedFiles();
    const directory = temporary();
    const errors: JournalError[] = [];
    const journal = await Journal.open({ directory, files, onError: (error) => errors.push(error) });
    await journal.committed(journal.append(payload));
    const cause = fail(files, call, true);
    const waiting = Array.from({ length: 10 }, () => journal.committed(journal.append(payload)));
    const syncing = journal.sync();
    for (const one of [...waiting, syncing]) {
      await expect(one).rejects.toEqual(dead);
    }
    // From here on the disk would work again.
    for (let count = 0; count < 3; count++) {
      expect(() => journal.append(payload)).toThrow(dead);
      await expect(journal.sync()).rejects.toEqual(dead);
      await expect(journal.committed(11)).rejects.toEqual(dead);
      await expect(journal.replay().next()).rejects.toEqual(dead);
    }
    await journal.committed(1);
    expect([journal.durableSequence, journal.lastSequence]).toEqual([1, 11]);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.cause).toBe(cause);
    journal.checkInvariants();
    const closing = journal.close();
    await expect(closing).rejects.toEqual(dead);
    await expect(journal.close()).rejects.toEqual(dead);

    const again = await Journal.open({ directory });
    expect(again.lastSequence).toBeGreaterThanOrEqual(1);
    await again.close();
  });

  it('also of what is done ahead, while a commit is on its way', async () => {
    const files = new WatchedFiles();
    const journal = await Journal.open({ directory: temporary(), segmentBytes: 600, files });
    fail(files, 'rename', true);
    const waiting: Promise<void>[] = [];
    try {
      for (let count = 0; count < 10; count++) {
        waiting.push(journal.committed(journal.append(payload)));
        await waiting.at(-1);
      }
    } catch (error) {
      expect(error).toEqual(dead);
    }
    expect(waiting.length).toBeLessThan(6);
    await expect(journal.close()).rejects.toEqual(dead);
  });

  it('of a timer that syncs in vain, though nobody waits', async () => {
    const files = new WatchedFiles();
    const told: JournalError[] = [];
    let fire: () => void = () => {};
    const journal = await Journal.open({
      directory: temporary(),
      durability: 'interval',
      files,
      onError: (error) => told.push(error),
      scheduler: {
        nextTurn: (callback) => void setImmediate(callback),
        after: (_, callback) => {
          fire = callback;
          return { cancel: () => {} };
        },
      },
    });
    await journal.committed(journal.append(payload));
    fail(files, 'datasync');
    fire();
    while (told.length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(() => journal.append(payload)).toThrow(dead);
    await expect(journal.close()).rejects.toEqual(dead);
  });

  it('of a directory that cannot be synced while an old segment goes', async () => {
    const files = new WatchedFiles();
    const journal = await Journal.open({ directory: temporary(), segmentBytes: 600, files });
    const pin = journal.createPin();
    journal.append(payload);
    journal.pin(pin, 1);
    for (let count = 0; count < 9; count++) {
      await journal.committed(journal.append(payload));
    }
    fail(files, 'unlink');
    journal.unpin(pin);
    await expect(journal.sync()).rejects.toEqual(dead);
    await expect(journal.close()).rejects.toEqual(dead);
  });

  it('when the last sync fails: close tells, and lets the directory go', async () => {
    const files = new WatchedFiles();
    const directory = temporary();
    const journal = await Journal.open({ directory, durability: 'interval', files });
    await journal.committed(journal.append(payload));
    fail(files, 'datasync');
    await expect(journal.close()).rejects.toEqual(dead);
    const again = await Journal.open({ directory });
    expect(again.lastSequence).toBe(1);
    await again.close();
  });
});
