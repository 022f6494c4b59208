import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** How many files are looked at for each one that is taken, so that the choice spreads over the tree. */
const LOOKED_AT_PER_FILE = 10;

/**
 * Regular files below `folder`, up to `limit` of them, evenly chosen from the first that are found. Links are not
 * followed, and what can't be read is left out.
 */
export async function filesBelow(folder: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  const enough = limit * LOOKED_AT_PER_FILE;
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined && found.length < enough; next = folders.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) {
        folders.push(path);
      } else if (entry.isFile()) {
        found.push(path);
      }
    }
  }
  const stride = Math.max(1, Math.floor(found.length / limit));
  return found.filter((_, index) => index % stride === 0).slice(0, limit);
}

/** Opens and closes handles, and knows of each how often it was closed. */
export class HandleLedger {
  opened = 0;
  closed = 0;
  closedTwice = 0;
  closeErrors = 0;
  private readonly open = new Map<FileHandle, string>();

  /** Handles that nobody has closed. */
  get leaked(): number {
    return this.open.size;
  }

  async openFile(path: string): Promise<FileHandle> {
    const handle = await open(path, 'r');
    this.opened++;
    this.open.set(handle, path);
    return handle;
  }

  async closeFile(handle: FileHandle): Promise<void> {
    if (this.open.delete(handle)) {
      this.closed++;
    } else {
      this.closedTwice++;
    }
    try {
      await handle.close();
    } catch {
      this.closeErrors++;
    }
  }
}
