import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SeededRng } from '@core/base';
import { BLOCK_BYTES, type ChildSettings } from './support/kill-settings.js';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'buf-test-'));
  await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@core/source'] },
    ssr: { noExternal: true, resolve: { conditions: ['@core/source'] } },
    build: {
      ssr: join(import.meta.dirname, 'support/kill-child.ts'),
      outDir: directory,
      emptyOutDir: false,
      minify: false,
      target: 'es2022',
      rollupOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  });
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Runs a child until it has said so many lines, kills it, and returns them. */
async function linesOf(settings: ChildSettings, most: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(directory, 'child.mjs'), '--settings', JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    if (output.split('\n').length > most) {
      child.kill('SIGKILL');
    }
  });
  await once(child, 'close');
  expect(child.signalCode).toBe('SIGKILL');
  return output.split('\n').slice(0, -1);
}

/** What is wrong with the file that a child has left, which had said these lines. */
async function faultsOf(path: string, lines: readonly string[]): Promise<string[]> {
  const synced = new Map<number, number>();
  for (const line of lines) {
    const [round, ...blocks] = line.split(' ').map(Number) as [number, ...number[]];
    for (const block of blocks) {
      synced.set(block, round);
    }
  }
  const bytes = await readFile(path);
  const faults: string[] = [];
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = start / BLOCK_BYTES;
    const words = new Set(
      new Uint32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + start + BLOCK_BYTES)),
    );
    const [found = 0] = words;
    if (words.size !== 1) {
      faults.push(`block ${block} is torn`);
    }
    if (found < (synced.get(block) ?? 0)) {
      faults.push(`block ${block} has round ${found}, and ${synced.get(block)} was synced`);
    }
    synced.delete(block);
  }
  return [...faults, ...Array.from(synced.keys(), (block) => `block ${block} is missing`)];
}

describe('a process that is killed', () => {
  const rng = new SeededRng(7);

  test.each([1, 2, 3, 4])('leaves all that it has synced, and no block torn: run %i', async (seed) => {
    const path = join(directory, `data-${seed}`);
    const lines = await linesOf({ path, seed, busted: false }, 5 + rng.below(60));
    expect(lines.length).toBeGreaterThan(4);
    expect(await faultsOf(path, lines)).toEqual([]);
  });

  test('one that says synced and has not is caught', async () => {
    const path = join(directory, 'data-busted');
    const lines = await linesOf({ path, seed: 9, busted: true }, 1000);
    expect(await faultsOf(path, lines)).not.toEqual([]);
  });
});
