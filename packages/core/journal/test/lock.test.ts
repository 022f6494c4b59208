import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { Journal } from '../src/index.js';
import { temporary } from './support/temporary.js';

const locked = { code: 'ERR_JOURNAL_LOCKED' };

/** A process that takes the lock with the library itself, so that it needs nothing that is built. */
const HOLDER = `
  const extensions = require(process.argv[1]);
  const fd = require('node:fs').openSync(process.argv[2], 'a+');
  process.stdout.write(String(extensions.tryLock(fd)) + '\\n');
  setInterval(() => {}, 1000);
`;

async function holder(path: string): Promise<{ readonly took: boolean; kill(): Promise<void> }> {
  const library = createRequire(import.meta.url).resolve('fs-native-extensions');
  const child = spawn(process.execPath, ['-e', HOLDER, library, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    took: line.toString().trim() === 'true',
    async kill() {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

describe('the lock', () => {
  it('keeps out a second journal of the same process, and is free after close', async () => {
    const directory = temporary();
    const journal = await Journal.open({ directory });
    await expect(Journal.open({ directory })).rejects.toMatchObject(locked);
    await expect(Journal.salvage({ directory })).rejects.toMatchObject(locked);
    await expect(Journal.open({ directory })).rejects.toThrow(directory);
    // Who was kept out has not let go of it.
    await expect(Journal.open({ directory })).rejects.toMatchObject(locked);
    await journal.committed(journal.append(Buffer.alloc(1)));
    await journal.close();
    const again = await Journal.open({ directory });
    await again.close();
  });

  it('of ten that open at once, one gets in', async () => {
    const directory = temporary();
    const opened = await Promise.allSettled(Array.from({ length: 10 }, () => Journal.open({ directory })));
    const journals = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(journals).toHaveLength(1);
    await journals[0]?.close();
  });

  it('keeps out another process, and another process keeps it out', async () => {
    const directory = temporary();
    const journal = await Journal.open({ directory });
    const late = await holder(join(directory, 'lock'));
    expect(late.took).toBe(false);
    await late.kill();
    await expect(Journal.open({ directory })).rejects.toMatchObject(locked);
    await journal.close();

    const early = await holder(join(directory, 'lock'));
    expect(early.took).toBe(true);
    await expect(Journal.open({ directory })).rejects.toMatchObject(locked);
    await early.kill();
    const again = await Journal.open({ directory });
    await again.close();
  });

  it('is free after an open that failed', async () => {
    const directory = temporary();
    const files = {
      list: () => Promise.reject(new Error('EIO')),
    };
    const { NodeFiles } = await import('../src/index.js');
    const failing = Object.assign(new NodeFiles(), files);
    await expect(Journal.open({ directory, files: failing })).rejects.toMatchObject({ code: 'ERR_JOURNAL_OPEN' });
    const journal = await Journal.open({ directory });
    await journal.close();
  });
});
