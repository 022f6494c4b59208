import Table from 'cli-table3';
import colors from 'picocolors';
import type { ServiceStats } from './protocol.js';
import type { Comparison, Tally } from './tally.js';

/** One life of the service, from its start to its kill or its stop. */
export interface Life {
  readonly startedInMs: number;
  readonly seconds: number;
  readonly acknowledged: number;
  /** In milliseconds. */
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly stats: ServiceStats;
  readonly killed: boolean;
}

export function tableOfLives(lives: readonly Life[]): string {
  const head = ['life', 'replayed', 'started in', 'hits/s', 'p50', 'p99', 'hits per key stored', 'end'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const [index, { startedInMs, seconds, acknowledged, latency, stats, killed }] of lives.entries()) {
    table.push([
      index + 1,
      ...[
        count(stats.replayedRecords),
        `${startedInMs.toFixed(0)} ms`,
        count(acknowledged / seconds),
        `${latency.p50} ms`,
        `${latency.p99} ms`,
        // What a life that was killed left to its journal, the next one stores.
        killed ? '–' : (stats.updates / stats.flushedKeys).toFixed(1),
      ].map((content) => ({ content, hAlign: 'right' as const })),
      killed ? colors.red('SIGKILL') : 'stopped',
    ]);
  }
  return table.toString();
}

export function tableOfHits({ total, lost, more, mayBeMore }: Comparison, { acknowledged }: Tally): string {
  const table = new Table({ style: { head: [], border: [] } });
  const rows: readonly (readonly [label: string, text: string])[] = [
    ['hits acknowledged', count(acknowledged)],
    ['hits in the service', count(total)],
    ['acknowledged and missing', (lost === 0 ? colors.green : colors.red)(count(lost))],
    [
      'counted and not heard of',
      (more <= mayBeMore ? colors.green : colors.red)(`${count(more)} of ${count(mayBeMore)}`),
    ],
  ];
  for (const [label, content] of rows) {
    table.push([label, { content, hAlign: 'right' as const }]);
  }
  return table.toString();
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en');
}
