import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { runJournalTorture } from '../src/index.js';
import { runCli } from '../src/internal/run-cli.js';

/** A process of its own needs the built file. */
const child = fileURLToPath(new URL('../dist/journal-child.js', import.meta.url));

describe('processes killed at work', () => {
  it('are built', () => {
    expect(existsSync(child), 'run npm run build first').toBe(true);
  });

  it('leave what they said is committed', async () => {
    const report = await runJournalTorture({ runs: 10, seed: 3, write: () => {}, child });
    expect(report.faults).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(0);
    expect(report.checked).toBeGreaterThan(0);
  });

  it('do not, when they say so too early', async () => {
    const lines: string[] = [];
    const write = (text: string): void => void lines.push(text);
    const report = await runJournalTorture({ runs: 8, seed: 3, write, child, busted: true });
    expect(report.faults.join()).toMatch(/was acknowledged, and/);
    expect(lines.at(-1)).toMatch(/FAULTS/);
  });

  it('by the command line: refuses what it does not know', async () => {
    const lines: string[] = [];
    const write = (text: string): void => void lines.push(text);
    expect(await runCli(['nothing'], write)).toBe(2);
    expect(await runCli(['journal', '--runs', '0'], write)).toBe(2);
    expect(await runCli(['--bogus'], write)).toBe(2);
    expect(await runCli(['--help'], write)).toBe(0);
    expect(lines.join('')).toMatch(/no such torture[^]*--runs 0[^]*What: journal/);
  });
});
