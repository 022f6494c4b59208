import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runMain(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout: stripVTControlCharacters(stdout), stderr });
    });
  });
}

/** Cells by label, of each table that was printed: lru-cache by entries, by bytes, Reclaim. */
function tablesOf(stdout: string): Map<string, string[]>[] {
  return stdout
    .split('┌')
    .slice(1)
    .map((table) => {
      const rows = table.split('\n').filter((line) => line.startsWith('│'));
      return new Map(
        rows.map((line) => {
          const [label, ...cells] = line.slice(1, -1).split('│');
          return [(label as string).trim(), cells.map((cell) => cell.trim())];
        }),
      );
    });
}

describe('the storm', () => {
  it('kills caches that count entries, and not those of one host', async () => {
    const { code, stdout, stderr } = await runMain('--quick');
    console.log(stdout);
    const [storm, oneTick] = tablesOf(stdout) as [Map<string, string[]>, Map<string, string[]>];

    expect(storm.get('survived?')).toEqual([expect.stringMatching(/^no: /), 'yes', 'yes']);
    expect(oneTick.get('survived?')).toEqual([expect.stringMatching(/^no: /), 'yes', 'yes']);
    expect(storm.get('of the load')?.slice(1)).toEqual(['100.0 %', '100.0 %']);
    expect(Number(storm.get('handles opened')?.[2]?.replaceAll(',', ''))).toBeGreaterThan(1000);
    expect(storm.get('… closed')?.[2]).toBe(storm.get('handles opened')?.[2]);
    for (const label of ['… leaked', '… closed twice', '… used when closed']) {
      expect(storm.get(label)?.[2], label).toBe('0');
    }
    expect(stdout).toContain('JavaScript heap out of memory');
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('tells of all it knows when Reclaim dies, and fails', async () => {
    // No room for Node itself, so that all must die.
    const { code, stdout, stderr } = await runMain('--quick', '--heap', '8');

    expect(tablesOf(stdout)[0]?.get('survived?')?.[2]).toMatch(/^no: /);
    expect(stdout).toContain('Reclaim did not survive');
    expect(stderr).not.toBe('');
    expect(code).toBe(1);
  });

  it('refuses what it does not know', async () => {
    expect(await runMain('--quick', '--heap', '-1')).toMatchObject({ code: 2, stdout: '' });
    expect(await runMain('--fast')).toMatchObject({ code: 2, stdout: '' });
  });
});
