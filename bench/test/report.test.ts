import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Target, atLeast, exactly } from '../src/harness/competitor.js';
import type { Unit } from '../src/harness/result.js';
import { verdictOf } from '../src/harness/verdict.js';
import { type AreaReport, type CaseReport, readReport, resultFile } from '../src/report/area-report.js';
import { drawBars } from '../src/report/bar-chart.js';
import { speedsOf } from '../src/report/charts.js';
import { renderPage } from '../src/report/page.js';

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
