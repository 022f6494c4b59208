import type { JournalFile, JournalFiles } from '../journal-files.js';
import { UNFINISHED } from './names.js';

/** Not more than the system takes in one call. */
const READ_BYTES = 2 ** 30;

/** Reads from the file's start on until `target` is full, or the file ends. @returns bytes read */
export async function fill(file: JournalFile, target: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const read = await file.read(target.subarray(filled, filled + READ_BYTES), filled);
    if (read === 0) {
      break;
    }
    filled += read;
  }
  return filled;
}

/** All of a file. */
export async function readPath(files: JournalFiles, path: string): Promise<Buffer> {
  const file = await files.open(path, 'read');
  try {
    const bytes = Buffer.allocUnsafeSlow(await file.size());
    return bytes.subarray(0, await fill(file, bytes));
  } finally {
    await file.close();
  }
}

/** Writes on where the system wrote short. @param synced whether all is on disk when it resolves */
export async function writeAll(
  file: JournalFile,
  bytes: Uint8Array,
  length: number,
  position: number,
  synced = false,
): Promise<void> {
  let done = 0;
  while (done < length) {
    const left = length - done;
    const written = synced
      ? await file.writeSynced(bytes, done, left, position + done)
      : await file.write(bytes, done, left, position + done);
    if (written === 0) {
      throw new Error(`Cannot write ${length} bytes at ${position}: the system takes no more after ${done}`);
    }
    done += written;
  }
}

/**
 * Makes a file that is there with all of its bytes or not at all, whenever the power fails: it gets its name after they
 * are on disk.
 *
 * @returns the file, open for writing
 */
export async function makeFile(
  files: JournalFiles,
  directory: string,
  path: string,
  write: (file: JournalFile) => Promise<void>,
): Promise<JournalFile> {
  const file = await files.open(path + UNFINISHED, 'create');
  try {
    await write(file);
    await file.sync();
    await files.rename(path + UNFINISHED, path);
    await files.syncDirectory(directory);
    return file;
  } catch (error) {
    await closeQuietly(file);
    throw error;
  }
}

/** For a file that is given up: what went wrong before is what has to be told. */
export async function closeQuietly(file: JournalFile): Promise<void> {
  try {
    await file.close();
  } catch {
    // Nothing that was written to it counts any more.
  }
}
