import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromChild, inChild } from '../src/harness/child.js';

describe('a process of its own', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'child-'));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function script(name: string, source: string): string {
    const file = join(folder, `${name}.mjs`);
    writeFileSync(file, source);
    return file;
  }

  it('answers its order', async () => {
    const twice = script('twice', 'process.stdout.write(JSON.stringify(JSON.parse(process.argv[2]) * 2))');
    expect(await inChild(twice, 21, [])).toBe(42);
  });

  it('may run out of memory, which is a result', async () => {
    const greedy = script('greedy', 'const all = []; for (;;) all.push(new Array(1e5).fill(all.length + 0.5));');
    const flags = ['--max-old-space-size=16'];
    expect(await inChild(greedy, 0, flags)).toBeNull();
    await expect(fromChild(greedy, 0, flags)).rejects.toThrow(/died/);
  });

  it.each([
    ['throws', 'throw new Error("a fault");'],
    ['is not there', null],
    ['prints no answer', 'console.log("no JSON");'],
  ])('is at fault when it %s', async (name, source) => {
    const file = source === null ? join(folder, 'nowhere.mjs') : script(name.replaceAll(' ', '-'), source);
    await expect(inChild(file, 0, [])).rejects.toThrow();
  });
});
