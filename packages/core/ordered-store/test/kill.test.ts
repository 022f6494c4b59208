import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ClassicLevel } from 'classic-level';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SeededRng } from '@core/base';
import { openLmdb, openSqlite, type OrderedStore, storeOfLevel } from '../src/index.js';
import { Bundle } from './support/bundle.js';
import { HAS_SQLITE } from './support/places.js';
import { keyOfSlot, lastRounds, SLOTS, valueOf } from './support/rounds.js';

const RUNS = 4;
const KINDS = {
  lmdb: (directory: string) => openLmdb({ path: join(directory, 'lmdb') }),
  'classic-level': async (directory: string) => storeOfLevel(new ClassicLevel(join(directory, 'level'))),
  ...(HAS_SQLITE ? { sqlite: (directory: string) => openSqlite({ path: join(directory, 'store.db') }) } : {}),
};

let bundle: Bundle;
beforeAll(async () => {
  bundle = await Bundle.create();
});
afterAll(() => bundle[Symbol.asyncDispose]());

/** Lets a child write until it has said so many times that a round is stored. @returns the last that it spoke of */
async function writeAndKill(task: 'write' | 'lie', kind: string, directory: string, times: number): Promise<number> {
  const child = spawn(process.execPath, [bundle.file, task, kind, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let last = 0;
  let heard = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const fact = JSON.parse(line) as { stored?: number; unhandled?: string };
    expect(fact.unhandled).toBeUndefined();
    if (fact.stored !== undefined) {
      last = Math.max(last, fact.stored);
      if (++heard === times) {
        // It goes on until the signal gets there. What it says until then counts as well.
        child.kill('SIGKILL');
      }
    }
  }
  await ended;
  return last;
}

/** What is wrong with a store that said it has all rounds up to `stored`. */
async function faultsOf(store: OrderedStore, stored: number): Promise<string[]> {
  const faults: string[] = [];
  const mark = await store.mark();
  if (mark < stored) {
    faults.push(`round ${stored} was stored, and the mark is ${mark}`);
  }
  const last = lastRounds(mark);
  for (let slot = 0; slot < SLOTS; slot++) {
    const round = last.get(slot);
    const expected = round === undefined ? null : valueOf(round, slot);
    const value = (await store.get(keyOfSlot(slot))) ?? null;
    if (Buffer.compare(value ?? Buffer.from('none'), expected ?? Buffer.from('none')) !== 0) {
      faults.push(`slot ${slot} has not what round ${round} of ${mark} wrote`);
    }
  }
  return faults;
}

describe.each(Object.entries(KINDS))('%s, killed while it writes', (kind, open) => {
  test('has all rounds up to its mark, and every one that it said it has', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ordered-store-kill-'));
    const rng = new SeededRng(7);
    let stored = 0;
    for (let run = 0; run < RUNS; run++) {
      stored = Math.max(stored, await writeAndKill('write', kind, directory, 1 + rng.below(80)));
      const store = await open(directory);
      expect(await faultsOf(store, stored)).toEqual([]);
      await store.close();
    }
    expect(stored).toBeGreaterThan(RUNS);
    await rm(directory, { recursive: true });
  });

  test('would be caught if it said so too early', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ordered-store-kill-'));
    const stored = await writeAndKill('lie', kind, directory, 20);
    const store = await open(directory);
    expect(await faultsOf(store, stored)).not.toEqual([]);
    await store.close();
    await rm(directory, { recursive: true });
  });
});
