import { existsSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { NodeFiles } from '../src/node-files.js';
import { temporary } from './support/temporary.js';

const PLATFORM = process.platform;

describe('a synced write', () => {
  afterEach(() => {
    Object.defineProperty(process, 'platform', { value: PLATFORM });
  });

  // Anything but Linux syncs with a call of its own.
  it.each([PLATFORM, 'elsewhere'])('writes what it is given, where it is told, platform %s', async (platform) => {
    Object.defineProperty(process, 'platform', { value: platform });
    const directory = temporary();
    const path = join(directory, 'a');
    const file = await new NodeFiles().open(path, 'create');
    expect(await file.write(Buffer.from('........'), 0, 8, 0)).toBe(8);
    // As a segment does, between its header and its first frame.
    await rename(path, join(directory, 'b'));
    expect(await file.writeSynced(Buffer.from('xabcx'), 1, 3, 2)).toBe(3);
    expect(await file.writeSynced(Buffer.from('end'), 0, 3, 8)).toBe(3);
    await file.datasync();
    await file.close();
    expect(readFileSync(join(directory, 'b'), 'latin1')).toBe('..abc...end');
    await expect(file.writeSynced(Buffer.from('x'), 0, 1, 0)).rejects.toThrow();
  });

  it.runIf(existsSync('/dev/full'))('fails as a write does', async () => {
    const file = await new NodeFiles().open('/dev/full', 'write');
    await expect(file.writeSynced(Buffer.from('x'), 0, 1, 0)).rejects.toMatchObject({ code: 'ENOSPC' });
    await file.close();
  });
});
