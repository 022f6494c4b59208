import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inChild } from '../harness/child.js';
import { type Size, exactly } from '../harness/competitor.js';
import type { Case, CaseResult, Figure, Question, Unit } from '../harness/result.js';
import { median, quantile } from '../harness/statistics.js';
import type { BurstOrder, BurstOutcome } from './burst-order.js';
import type { MixName } from './value-mixes.js';

const CHILD = fileURLToPath(new URL('burst-child.js', import.meta.url));
const MIB = 2 ** 20;
const HEAP_MB = 256;
/** As in a container of 512 MB, where young objects take 48 of them, as in Node 20. */
const BESIDE_HEAP_BYTES = 208 * MIB;
const run = promisify(execFile);

/** This Node, and others whose binaries are listed in BENCH_NODES, separated by colons. */
const NODES: readonly string[] = [
  process.execPath,
  ...(process.env['BENCH_NODES'] ?? '').split(':').filter((path) => path !== ''),
];

const ORDER: BurstOrder = {
  mix: 'small',
  feedBytes: 1_024 * MIB,
  yields: false,
  sizes: 1,
  managed: true,
  besideHeapBytes: BESIDE_HEAP_BYTES,
  ballastBytes: 0,
  restMs: 0,
};

/** What a run came to; null when the process died. */
function burst(node: string, order: BurstOrder): Promise<BurstOutcome | null> {
  return inChild<BurstOrder, BurstOutcome>(CHILD, order, [`--max-old-space-size=${HEAP_MB}`], node);
}

function figure(what: string, values: readonly number[], unit: Unit, target: Figure['target'] = null): Figure {
  const sorted = values.length === 0 ? [Number.NaN] : values;
  return {
    what,
    of: 'Reclaim',
    against: null,
    value: median(sorted),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
    unit,
    target,
  };
}

async function repeat(name: string, changes: Partial<BurstOrder>, runs: number, size: Size): Promise<CaseResult> {
  const order: BurstOrder = { ...ORDER, ...changes };
  const figures: Figure[] = [];
  const small = { ...order, feedBytes: 8 * MIB, ballastBytes: 0, restMs: 0 };
  for (const node of size === 'real' ? NODES : [process.execPath]) {
    const outcomes: (BurstOutcome | null)[] = [];
    for (let index = 0; index < (size === 'real' ? runs : 1); index++) {
      outcomes.push(await burst(node, size === 'real' ? order : small));
    }
    const alive = outcomes.filter((outcome) => outcome !== null);
    const { stdout } = await run(node, ['-p', 'process.version']);
    const what = `${name}, Node ${stdout.trim().slice(1).split('.')[0]}`;
    figures.push(
      figure(
        `${what}: survived`,
        [(100 * alive.length) / outcomes.length],
        '%',
        order.managed ? exactly('at least', 100) : null,
      ),
    );
    if (alive.length > 0 && order.managed) {
      figures.push(
        figure(
          `${what}: peak RSS of the limit`,
          [Math.max(...alive.map(({ peakRssBytes, rssLimitBytes }) => (100 * peakRssBytes) / rssLimitBytes))],
          '%',
          size === 'real' ? exactly('at most', 95) : null,
        ),
        figure(
          `${what}: CPU in direct reclaim`,
          alive.map(({ directMs, cpuMs }) => (100 * directMs) / cpuMs),
          '%',
          size === 'real' ? exactly('at most', 5) : null,
        ),
        figure(
          `${what}: kept`,
          alive.map(({ keptBytes }) => keptBytes / MIB),
          'MiB',
        ),
      );
      if (order.restMs > 0 && size === 'real') {
        figures.push(
          figure(
            `${what}: kept of that ${order.restMs / 1000} s later`,
            alive.map(({ keptAfterRestBytes, keptBytes }) => (100 * keptAfterRestBytes) / keptBytes),
            '%',
            exactly('at least', 85),
          ),
        );
      }
    }
  }
  return { timings: [], figures };
}

function burstCase(name: string, changes: Partial<BurstOrder>, runs: number, onlyReal = true): Case {
  return { name, onlyReal, run: (size) => repeat(name, changes, runs, size) };
}

const MIXES: readonly MixName[] = ['small', 'strings', 'objects', 'all'];

export const burstQuestion: Question = {
  id: 'burst',
  asks: 'Does a process survive a loop that fills its caches with four times its heap and never yields?',
  cases: [
    ...MIXES.map((mix) => burstCase(mix, { mix }, 20, mix !== 'all')),
    burstCase('all, yielding', { mix: 'all', yields: true }, 20),
    burstCase('all, sizes estimated', { mix: 'all', sizes: 'estimated' }, 5),
    burstCase('objects, sizes a quarter of the truth', { mix: 'objects', sizes: 0.25 }, 5),
    burstCase('objects, sizes twice the truth', { mix: 'objects', sizes: 2 }, 5),
    burstCase('all, 64 MiB of ballast', { mix: 'all', ballastBytes: 64 * MIB }, 5),
    burstCase('all, then rest', { mix: 'all', yields: true, restMs: 15_000 }, 2),
    burstCase('all, memory off', { mix: 'all', managed: false }, 1),
  ],
};
