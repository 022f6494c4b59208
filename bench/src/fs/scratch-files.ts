import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

/** A new directory, which goes with the process. */
export function scratchFolder(): string {
  if (folders.length === 0) {
    process.once('exit', () => {
      for (const folder of folders) {
        fs.rmSync(folder, { recursive: true, force: true });
      }
    });
  }
  const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'bench-fs-')));
  folders.push(folder);
  return folder;
}

/** A file of numbers that differ from block to block. */
export function scratchFile(bytes: number): string {
  const path = join(scratchFolder(), 'file');
  const content = new Uint32Array(bytes / 4);
  for (let index = 0; index < content.length; index++) {
    content[index] = Math.imul(index, 2654435761);
  }
  fs.writeFileSync(path, content);
  return path;
}
