import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { areas } from '../src/areas.js';
import { type Target, atLeast, exactly } from '../src/harness/competitor.js';
import type { Unit } from '../src/harness/result.js';
import { verdictOf } from '../src/harness/verdict.js';
import { type AreaReport, type CaseReport, readReport, resultFile } from '../src/report/area-report.js';
import { drawBars } from '../src/report/bar-chart.js';
import { speedsOf } from '../src/report/charts.js';
import { renderPage } from '../src/report/page.js';
import { runReport } from '../src/report/run-report.js';

type FigureReport = CaseReport['figures'][number];

function figure(
  what: string,
  of: string,
  value: number,
  unit: Unit,
  against: string | null = null,
  target: Target | null = null,
): FigureReport {
  const found = { what, of, against, value, low: value, high: value, unit, target };
  return { ...found, verdict: verdictOf(found) };
}

function timed(name: string, ns: Readonly<Record<string, number>>, figures: readonly FigureReport[]): CaseReport {
  const timings = Object.entries(ns).map(([competitor, medianNs]) => ({
    competitor,
    operations: 1,
    medianNs,
    p25Ns: medianNs,
    minNs: medianNs,
    facts: {},
  }));
  return { name, timings, figures };
}

const report: AreaReport = {
  area: 'peers',
  machine: { cpu: 'abacus', cores: 2, memoryGiB: 1, system: 'linux', load: [0.5, 0, 0] },
  node: 'v20.20.2',
  v8: '11.3',
  commit: '0123456789abcdef',
  modified: true,
  date: '2026-01-02T03:04:05.000Z',
  command: 'npm run report',
  questions: [
    {
      id: 'speed',
      asks: 'How fast?',
      cases: [
        timed('get hit, 1,000, integer', { Map: 10, 'lru-cache': 40, ObjectCache: 20, 'tiny-lru': 16 }, [
          figure('get hit, 1,000, integer', 'ObjectCache', 2, 'x', 'lru-cache', atLeast(1)),
          figure('get hit, 1,000, integer', 'ObjectCache', 0.8, 'x', 'tiny-lru', atLeast(0.9)),
          figure('get hit, 1,000, integer', 'lru-compat', 0.9, 'x', 'lru-cache'),
        ]),
        timed('get hit, 1,000, integer, dispose', { 'lru-cache': 40, ObjectCache: 80 }, [
          figure('get hit, 1,000, integer, dispose', 'ObjectCache', 0.5, 'x', 'lru-cache', atLeast(1)),
        ]),
      ],
    },
    {
      id: 'memory',
      asks: 'How much?',
      cases: [
        timed('1,000,000, integer', {}, [
          figure('integer: heap', 'ObjectCache', 0.9, 'x', 'lru-cache', exactly('at most', 1)),
          figure('integer: heap', 'ObjectCache', 90, 'bytes'),
          figure('integer: heap', 'lru-cache', 100, 'bytes'),
        ]),
      ],
    },
    {
      id: 'uses-after-dispose',
      asks: 'How often?',
      cases: [timed('all', {}, [figure('uses after dispose', 'lru-cache', 17, 'objects')])],
    },
  ],
};

describe('npm run report', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'report-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  interface Run {
    readonly code: number;
    readonly text: string;
    readonly measured: readonly (readonly string[])[];
    readonly commands: readonly string[];
    readonly rounds: string | undefined;
  }

  /** Each area that is measured leaves the report above, and ends with one of `codes`. */
  async function run(args: readonly string[], codes: readonly number[] = [], given?: string): Promise<Run> {
    const printed: string[] = [];
    const measured: string[][] = [];
    const commands: string[] = [];
    const env: Record<string, string | undefined> = given === undefined ? {} : { BENCH_ROUNDS: given };
    const code = await runReport(args, {
      areas: ['peers', 'hit-ratio', 'core', 'shrinker', 'pressure', 'toy'],
      measure: (given, command) => {
        const [area, , file] = given as [string, string, string];
        measured.push([...given]);
        commands.push(command);
        writeFileSync(file, JSON.stringify({ ...report, area }));
        return Promise.resolve(codes[measured.length - 1] ?? 0);
      },
      results: join(folder, 'results'),
      page: join(folder, 'page.md'),
      pictures: join(folder, 'pictures'),
      env,
      print: (text) => printed.push(text),
    });
    return { code, text: printed.join('\n'), measured, commands, rounds: env['BENCH_ROUNDS'] };
  }

  it('measures a part of the areas that a short run can do, and draws them', async () => {
    const { code, text, measured, commands, rounds } = await run([]);
    expect([code, rounds, new Set(commands)]).toEqual([0, '3', new Set(['npm run report'])]);
    expect(measured.map(([area, json, file, only]) => [area, json, file, only])).toEqual(
      ['peers', 'hit-ratio', 'pressure'].map((area) => [
        area,
        '--json',
        join(folder, `results/${area}.short.json`),
        '--only',
      ]),
    );
    expect(text).toMatch(/page\.md, with \d+ pictures$/);
    const page = readFileSync(join(folder, 'page.md'), 'utf8');
    for (const file of readdirSync(join(folder, 'pictures'))) {
      expect(page).toContain(file);
    }
    expect(page).toContain('| peers | short |');
    expect(readdirSync(join(folder, 'pictures'))).toContain('speed.svg');
  });

  it('asks in a short run for cases that there are', async () => {
    const { measured } = await run([]);
    for (const [area, , , , only] of measured as [string, string, string, string, string][]) {
      const cases = areas[area as keyof typeof areas]?.flatMap(({ id, cases: of }) =>
        of.map(({ name }) => `${id}/${name}`),
      );
      expect(cases?.filter((name) => new RegExp(only).test(name)).length, area).toBeGreaterThan(0);
    }
  });

  it('measures all of what is reported on with --full', async () => {
    const { measured, rounds, commands } = await run(['--full']);
    expect(measured.map(([area]) => area)).toEqual(['peers', 'hit-ratio', 'core', 'shrinker', 'pressure']);
    expect(measured[0]).toEqual(['peers', '--json', join(folder, 'results/peers.json'), '--only', '']);
    expect([rounds, commands[0]]).toEqual([undefined, 'npm run report -- --full']);
  });

  it('measures what is asked for, once', async () => {
    const { measured, commands } = await run(['pressure', 'pressure'], [], '7');
    expect(measured.map(([area]) => area)).toEqual(['pressure']);
    expect(commands).toEqual(['BENCH_ROUNDS=7 npm run report -- pressure pressure']);
  });

  it('keeps the rounds that were asked for', async () => {
    expect((await run(['pressure'], [], '7')).rounds).toBe('7');
  });

  it('exits with the worst of its areas, and draws all the same', async () => {
    const { code, text } = await run([], [0, 1, 0]);
    expect([code, text]).toEqual([1, expect.stringContaining('pictures')]);
  });

  it('draws what is there with --render, and leaves no old picture behind', async () => {
    await run(['--full']);
    writeFileSync(join(folder, 'pictures/old.svg'), '<svg/>');
    writeFileSync(join(folder, 'pictures/other.txt'), 'x');
    const { code, measured } = await run(['--render']);
    expect([code, measured]).toEqual([0, []]);
    const left = readdirSync(join(folder, 'pictures'));
    expect([left.includes('old.svg'), left.includes('other.txt'), left.includes('speed.svg')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('draws nothing of nothing, and then touches neither page nor pictures', async () => {
    mkdirSync(join(folder, 'pictures'));
    writeFileSync(join(folder, 'pictures/old.svg'), '<svg/>');
    const { code, text } = await run(['--render']);
    expect([code, text]).toEqual([1, expect.stringMatching(/^Cannot draw: there is no result in .*; measure first/)]);
    expect([existsSync(join(folder, 'page.md')), existsSync(join(folder, 'pictures/old.svg'))]).toEqual([false, true]);
  });

  it.each([
    [['toy'], /^Cannot report on "toy": choose of peers, hit-ratio, pressure, or add --full\n\nUsage: /],
    [['core'], /^Cannot report on "core": .* or add --full\n/],
    [['fs', '--full'], /^Cannot report on "fs": choose of peers, hit-ratio, core, shrinker, pressure\n/],
    [['--fast'], /--fast[\s\S]*Usage: /],
    [['--full=yes'], /--full[\s\S]*Usage: /],
    [[''], /^Cannot report on ""/],
  ])('refuses %j', async (args, message) => {
    const { code, text, measured } = await run(args);
    expect([code, measured, existsSync(join(folder, 'page.md'))]).toEqual([2, [], false]);
    expect(text).toMatch(message);
  });
});

describe('the page', () => {
  const { markdown, pictures } = renderPage([{ report, full: false }]);

  it('tells where, when and how, and that a short run says little', () => {
    expect(markdown).toContain(
      '| peers | short | v20.20.2 | abacus, 2 cores, 1 GiB, linux | 0.5 | 0123456789, modified | 2026-01-02 | `npm run report` |',
    );
    expect(markdown).toContain('A short run');
    expect(renderPage([{ report, full: true }]).markdown).not.toContain('A short run');
  });

  it('tells of a machine that was busy, and of no other', () => {
    const machine = { ...report.machine, load: [2.5, 2, 2] };
    const other = { ...report, machine };
    expect(renderPage([{ report: other, full: true }]).markdown).toContain('**The machine was busy**');
    expect(markdown).not.toContain('busy');
  });

  it('tells where peers win', () => {
    expect(markdown).toContain('| tiny-lru | 1 of 1 | get hit, 1,000, integer: ObjectCache is 0.800× as fast |');
    expect(markdown).toContain(
      '| lru-cache | 1 of 2 | get hit, 1,000, integer, dispose: ObjectCache is 0.500× as fast |',
    );
  });

  it('tells which targets are not met, and no others', () => {
    expect(markdown).toContain('2 met, 1 within the slack for noise, 1 missed.');
    expect(markdown).toContain(
      '| speed | get hit, 1,000, integer, dispose | lru-cache | 0.500× | ≥ 1.00× | **missed** |',
    );
    expect(markdown).not.toContain('| memory | integer: heap |');
  });

  it('shows each picture that is drawn', () => {
    expect(pictures.map(({ file }) => file)).toEqual(['speed.svg', 'speed-1000-integer.svg', 'memory.svg']);
    for (const { file, svg } of pictures) {
      expect(markdown).toContain(`](benchmarks/${file})`);
      expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    }
  });

  it('is the same each time', () => {
    expect(renderPage([{ report, full: false }])).toEqual({ markdown, pictures });
  });

  it('changes with what was measured', () => {
    const text = JSON.stringify(report)
      .replaceAll('"medianNs":16', '"medianNs":32')
      .replaceAll('"value":0.8', '"value":1.6');
    const other = renderPage([{ report: JSON.parse(text) as AreaReport, full: false }]);
    expect(other.pictures[1]?.svg).not.toBe(pictures[1]?.svg);
    expect(other.markdown).toContain('| tiny-lru | 0 of 1 |  |');
  });
});

describe('a bar chart', () => {
  const widths = (svg: string): number[] =>
    [...svg.matchAll(/<path d="M([\d.]+) [\d.]+l([\d.]+) 0l0 [\d.]+l-/g)].map((match) => Number(match[2]));

  it('has a bar for each value, as long as that is large', () => {
    const svg = drawBars({
      title: 'T',
      axis: 'x',
      categories: ['a', 'b', 'c'],
      series: [{ name: 's', values: [1, 2, null] }],
    });
    const [one = 0, two = 0, ...others] = widths(svg).filter((width) => width > 0);
    expect(two / one).toBeCloseTo(2, 1);
    expect(others).toEqual([]);
    expect(svg).toContain('>T</text>');
  });
});

describe('results', () => {
  it('of a full run are taken before those of a short one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'results-'));
    try {
      expect(readReport(folder, 'peers')).toBeNull();
      writeFileSync(resultFile(folder, 'peers', false), JSON.stringify(report));
      expect(readReport(folder, 'peers')).toEqual({ report, full: false });
      // A full run that got nowhere.
      writeFileSync(resultFile(folder, 'peers', true), '');
      expect(readReport(folder, 'peers')).toEqual({ report, full: false });
      writeFileSync(resultFile(folder, 'peers', true), JSON.stringify({ ...report, node: 'v24' }));
      expect(readReport(folder, 'peers')).toMatchObject({ full: true, report: { node: 'v24' } });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are compared to lru-cache, if it took part', () => {
    expect(speedsOf(timed('x', { a: 10, 'lru-cache': 20 }, []))).toEqual(
      new Map([
        ['a', 2],
        ['lru-cache', 1],
      ]),
    );
    expect(speedsOf(timed('x', { a: 10 }, [])).size).toBe(0);
  });
});
