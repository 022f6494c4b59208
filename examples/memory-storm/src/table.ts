import Table from 'cli-table3';
import colors from 'picocolors';
import { count, mb, percent, TITLES } from './format.js';
import type { Outcome } from './outcome.js';
import type { Sample } from './protocol.js';

const NONE = '–';

type Row = readonly [label: string, text: (outcome: Outcome) => string];

const ROWS: readonly Row[] = [
  ['survived?', ({ survived, exit }) => (survived ? colors.green('yes') : colors.red(`no: ${exit}`))],
  ['of the load', of(({ progress }) => percent(progress))],
  // A part of the load is another load: its ratio would compare to nothing. In one tick nothing is asked for twice.
  ['hit ratio', whole(({ hitRatio }, { job }) => (job.load === 'storm' ? percent(hitRatio) : NONE))],
  ['peak RSS', of(({ peakRssBytes }) => mb(peakRssBytes))],
  ['peak live heap', of(({ peakLiveBytes }) => mb(peakLiveBytes))],
  ['evictions', of(({ caches }) => count(caches.reduce((sum, { evictions }) => sum + evictions, 0)))],
  ['direct reclaim', of(({ memory }) => (memory === null ? NONE : `${memory.directMs.toFixed(0)} ms`))],
  ['loop delay p99', whole(({ delayP99Ms }) => (delayP99Ms === null ? NONE : `${delayP99Ms.toFixed(1)} ms`))],
  ['seconds', ({ seconds }) => seconds.toFixed(1)],
];

const HANDLE_ROWS: readonly Row[] = [
  ['handles opened', of(({ handles }) => count(handles.opened))],
  ['… closed', of(({ handles }) => count(handles.closed))],
  ['… closed twice', of(({ handles }) => mark(handles.closedTwice))],
  ['… used when closed', of(({ handles }) => mark(handles.usedAfterClose))],
  // The dead leak all that they had, which the system takes back.
  ['… leaked', whole(({ handles }) => mark(handles.open))],
];

/** How all contenders fared under one load. */
export function tableOf(outcomes: readonly Outcome[]): string {
  const table = new Table({
    head: ['', ...outcomes.map(({ job }) => TITLES[job.contender])],
    style: { head: [], border: [] },
  });
  const hasHandles = outcomes.some(({ last }) => last !== null && last.handles.opened > 0);
  for (const [label, text] of hasHandles ? [...ROWS, ...HANDLE_ROWS] : ROWS) {
    table.push([label, ...outcomes.map((outcome) => ({ content: text(outcome), hAlign: 'right' as const }))]);
  }
  return table.toString();
}

/** From what a child said last. */
function of(text: (sample: Sample, outcome: Outcome) => string): Row[1] {
  return (outcome) => (outcome.last === null ? NONE : text(outcome.last, outcome));
}

/** The same, of those that came to the end. */
function whole(text: (sample: Sample, outcome: Outcome) => string): Row[1] {
  return (outcome) => (outcome.last === null || !outcome.survived ? NONE : text(outcome.last, outcome));
}

function mark(number: number): string {
  return number === 0 ? colors.green('0') : colors.red(count(number));
}
