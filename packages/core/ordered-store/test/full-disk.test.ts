import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Bundle } from './support/bundle.js';
import { HAS_SQLITE } from './support/places.js';

/** Whether a disk of our own can be mounted, in a namespace that nobody else sees. */
const CAN_MOUNT = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', tmpdir()]).status === 0;

let bundle: Bundle;
beforeAll(async () => {
  bundle = await Bundle.create();
});
afterAll(() => bundle[Symbol.asyncDispose]());

interface Facts {
  readonly failed?: number;
  readonly code?: string;
  readonly mark?: number;
  readonly torn?: boolean;
  readonly readable?: boolean;
  readonly again?: number;
  readonly reopened?: number;
  readonly unhandled?: string;
}

/** Runs a program and puts together what it said. */
function factsOf(program: string, args: readonly string[]): Promise<Facts> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 40_000 }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(
          Object.assign(
            {},
            ...stdout
              .trim()
              .split('\n')
              .map((line) => JSON.parse(line) as Facts),
          ) as Facts,
        );
      } else {
        reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
      }
    });
  });
}

for (const kind of CAN_MOUNT ? ['lmdb', 'classic-level', ...(HAS_SQLITE ? ['sqlite'] : [])] : []) {
  test(`${kind} on a disk that gets full says so, stores nothing of the batch, and goes on when there is room`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ordered-store-full-'));
    const task = kind === 'classic-level' ? 'fill-once' : 'fill';
    const script = 'mount -t tmpfs -o size=20m none "$1" && exec "$2" "$3" "$4" "$5" "$1"';
    const args = ['sh', directory, process.execPath, bundle.file, task, kind];
    const { failed = 0, ...facts } = await factsOf('unshare', ['-rm', 'sh', '-c', script, ...args]);
    expect(failed).toBeGreaterThan(1);
    expect(facts).toEqual({
      code: 'ERR_STORE_FULL',
      mark: failed - 1,
      readable: true,
      torn: false,
      ...(task === 'fill' ? { again: failed, reopened: failed } : { reopened: failed - 1 }),
    });
    await rm(directory, { recursive: true });
  });
}

// The limit is at no page's end, so that a write is cut short there, and does not fail as a whole.
test('lmdb in a file that may not grow fails the batch, stores nothing of it, and can be closed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ordered-store-limit-'));
  const script = 'ulimit -f 16385 && exec "$1" "$2" fill-once lmdb "$3"';
  const { failed = 0, ...facts } = await factsOf('sh', ['-c', script, 'sh', process.execPath, bundle.file, directory]);
  expect(failed).toBeGreaterThan(1);
  expect(facts).toEqual({
    // Cut short with room on the disk: lmdb knows no better than EIO.
    code: expect.stringMatching(/^ERR_STORE_(FULL|FAILED)$/),
    mark: failed - 1,
    readable: true,
    torn: false,
    reopened: failed - 1,
  });
  await rm(directory, { recursive: true });
});
