import { join } from 'node:path';

import { JournalError } from '../journal-error.js';
import type { JournalFiles, JournalLock } from '../journal-files.js';
import { LOCK } from './names.js';

/**
 * Makes the directory, takes its lock, and does what is to be done under it. Nothing but the lock's own file is written
 * before.
 *
 * @param use may keep the lock; if it throws, the lock is released
 * @throws JournalError ERR_JOURNAL_LOCKED, ERR_JOURNAL_OPEN; what `use` throws if it is a JournalError
 */
export async function underLock<T>(
  files: JournalFiles,
  directory: string,
  use: (lock: JournalLock) => Promise<T>,
): Promise<T> {
  let lock: JournalLock | null = null;
  try {
    await files.makeDirectory(directory);
    lock = await files.lock(join(directory, LOCK));
    if (lock === null) {
      throw new JournalError(
        'ERR_JOURNAL_LOCKED',
        `Cannot open the journal in "${directory}": another process, or another journal of this one, has it open; close that one first`,
      );
    }
    return await use(lock);
  } catch (error) {
    try {
      await lock?.release();
    } catch {
      // The first error is the one to be told; the lock goes with the process at the latest.
    }
    if (JournalError.is(error)) {
      throw error;
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new JournalError('ERR_JOURNAL_OPEN', `Cannot open the journal in "${directory}": ${reason}`, {
      cause: error,
    });
  }
}
