import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { runKeyCacheTorture } from '../src/key-cache-torture.js';

/** A process of its own needs the built file. */
const child = fileURLToPath(new URL('../dist/key-cache-child.js', import.meta.url));

describe('processes killed while they update keys', () => {
  it('are built', () => {
    expect(existsSync(child), 'run npm run build first').toBe(true);
  });

  it('leave every update that was acknowledged', async () => {
    const report = await runKeyCacheTorture({ runs: 10, seed: 7, write: () => {}, child });
    expect(report.faults).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(0);
    expect(report.checked).toBeGreaterThan(0);
    expect(report.replayed).toBeGreaterThan(0);
    expect(report.killedOpening).toBeGreaterThan(0);
    expect(report.killedInBatch).toBeGreaterThan(0);
  });

  it('do not, when they say so too early', async () => {
    const lines: string[] = [];
    const write = (text: string): void => void lines.push(text);
    const report = await runKeyCacheTorture({ runs: 6, seed: 7, write, child, busted: true });
    expect(report.faults.join()).toMatch(/and should be/);
    expect(lines.at(-1)).toMatch(/FAULTS/);
  });
});
