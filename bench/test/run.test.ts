import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { areas } from '../src/areas.js';
import { type Target, atLeast, atMost, exactly } from '../src/harness/competitor.js';
import type { CaseResult, Question } from '../src/harness/result.js';
import { runBenches } from '../src/run.js';

function resultOf(value: number, target: Target | null): CaseResult {
  const timing = { operations: 10, medianNs: 2, p25Ns: 1.5, minNs: 1, facts: {} };
  return {
    timings: [
      { ...timing, competitor: 'ours' },
      { ...timing, competitor: 'theirs' },
    ],
    figures: [{ what: 'work', of: 'ours', against: 'theirs', value, low: value, high: value, unit: 'x', target }],
  };
}

function question(id: string, ...results: readonly CaseResult[]): Question {
  const cases = results.map((result, index) => ({ name: `case ${index}`, run: () => Promise.resolve(result) }));
  return { id, asks: `What of ${id}?`, cases };
}

async function run(
  questions: readonly Question[],
  ...args: string[]
): Promise<{ code: number; text: string; isolated: string[] }> {
  const printed: string[] = [];
  const isolated: string[] = [];
  const code = await runBenches(args, {
    areas: { toy: questions },
    isolate: (area, { id }, chosen) => {
      isolated.push(`${area}/${id}/${chosen.name}`);
      return chosen.run('real');
    },
    print: (text) => printed.push(text),
    progress: () => {},
  });
  // Colours come and go with the terminal, and with CI.
  return { code, text: stripVTControlCharacters(printed.join('\n')), isolated };
}

const good = question('good', resultOf(1.2, atMost(1.5)), resultOf(2, null));
const near = question('near', resultOf(1.6, atMost(1.5)));
const bad = question('bad', resultOf(0.5, atLeast(5)));

describe('npm run bench', () => {
  it('runs each case by itself, and prints target and figure side by side', async () => {
    const { code, text, isolated } = await run([good, near], 'toy', '--check');
    expect(code).toBe(0);
    expect(isolated).toEqual(['toy/good/case 0', 'toy/good/case 1', 'toy/near/case 0']);
    expect(text).toMatch(/work .*ours .*2\.00 .*theirs .*2\.00 .*1\.20× .*≤ 1\.50× .*met/);
    expect(text).toMatch(/1 targets met, 1 within the slack of 25 %, 0 missed/);
    expect(text).toMatch(/within slack: near: work against theirs: 1\.60×, target ≤ 1\.50×/);
  });

  it('fails on a missed target with --check, and only then', async () => {
    const checked = await run([good, bad], 'toy', '--check');
    expect(checked.code).toBe(1);
    expect(checked.text).toMatch(/MISSED: bad: work against theirs: 0\.500×, target ≥ 5\.00×/);
    expect((await run([good, bad], 'toy')).code).toBe(0);
    expect((await run([good, bad], 'toy', '--check', '--only', '^good/')).code).toBe(0);
  });

  it('judges in smoke size only what is counted', async () => {
    const smoke = await run([good, bad], 'toy', '--smoke');
    expect(smoke.code).toBe(0);
    expect(smoke.isolated).toEqual([]);
    const lost = question('lost', resultOf(3, exactly('at most', 0)));
    const counted = await run([lost], 'toy', '--smoke');
    expect(counted.code).toBe(1);
    expect(counted.text).toMatch(/Wrong: work: 3\.00×/);
  });

  it('goes on when the process of a case fails, and fails in the end', async () => {
    const broken: Question = {
      ...good,
      id: 'broken',
      cases: [{ name: 'case 0', run: () => Promise.reject(new Error('Cannot finish: it broke')) }],
    };
    const { code, text } = await run([broken, near], 'toy');
    expect(code).toBe(1);
    expect(text).toMatch(/Cannot finish: it broke/);
    expect(text).toMatch(/0 targets met, 1 within the slack of 25 %, 0 missed/);
  });

  it('fails when nothing was run', async () => {
    expect((await run([good], 'toy', '--only', 'no such case')).code).toBe(1);
    expect((await run([good], 'toy', '--smoke', '--only', 'no such case')).code).toBe(1);
  });

  it.each([
    [[]],
    [['nowhere']],
    [['toy', 'toy']],
    [['toy', '--fast']],
    [['toy', '--smoke', '--check']],
    [['toy', '--only', '(']],
  ])('explains itself when the arguments are %j', async (args) => {
    const { code, text } = await run([good], ...args);
    expect(code).toBe(2);
    expect(text).toMatch(/Usage: npm run bench/);
  });

  it('writes where, when and how each figure came to be', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    try {
      const file = join(folder, 'new', 'toy.json');
      await run([bad], 'toy', '--json', file);
      const report = JSON.parse(readFileSync(file, 'utf8'));
      expect(report).toMatchObject({
        area: 'toy',
        node: process.version,
        command: `npm run bench -- toy --json ${file}`,
      });
      expect(Object.keys(report)).toEqual(expect.arrayContaining(['machine', 'commit', 'modified', 'date', 'slack']));
      expect(report.questions[0].cases[0].figures[0]).toMatchObject({ value: 0.5, verdict: 'missed' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('has no two cases of one name', () => {
  for (const questions of Object.values(areas)) {
    const names = questions.flatMap(({ id, cases }) => cases.map(({ name }) => `${id}/${name}`));
    expect(new Set(names).size).toBe(names.length);
  }
});
