import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const FORGETFUL = fileURLToPath(new URL('support/forgetful-server.js', import.meta.url));

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

/** The number beside a label in the table of hits. */
function cellOf(stdout: string, label: string): number {
  const row = stdout.split('\n').find((line) => line.startsWith(`│ ${label}`));
  return Number(/([\d,]+)(?: of [\d,]+)? │$/.exec(row ?? '')?.[1]?.replaceAll(',', ''));
}

test('no acknowledged hit is lost, whatever is killed', async () => {
  const { code, stdout, stderr } = await runMain('--quick');
  console.log(stdout);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout.match(/SIGKILL/g)).toHaveLength(2);
  expect(stdout).toContain('Every acknowledged hit is there.');
  const acknowledged = cellOf(stdout, 'hits acknowledged');
  expect(acknowledged).toBeGreaterThan(100);
  expect(cellOf(stdout, 'hits in the service')).toBeGreaterThanOrEqual(acknowledged);
  expect(cellOf(stdout, 'acknowledged and missing')).toBe(0);
});

test('a service that loses hits is found out', async () => {
  const { code, stdout } = await runMain('--seconds', '1', '--kills', '1', '--server', FORGETFUL);
  expect(code).toBe(1);
  expect(stdout).toMatch(/[1-9]\d* acknowledged hits are missing/);
  expect(stdout).not.toContain('Every acknowledged hit is there.');
});

test('a service that does not start is told of', async () => {
  const { code, stderr } = await runMain('--server', fileURLToPath(new URL('no-such-server.js', import.meta.url)));
  expect(code).not.toBe(0);
  expect(stderr).toContain('Cannot start the service: it ended with 1');
});

test('options that are none are refused, and help is given', async () => {
  expect(await runMain('--second', '3')).toMatchObject({ code: 2, stderr: expect.stringContaining('--second') });
  expect(await runMain('--kills', '-1')).toMatchObject({ code: 2 });
  expect(await runMain('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage: ') });
});
