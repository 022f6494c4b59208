import Table from 'cli-table3';
import pc from 'picocolors';
import type { Target } from './competitor.js';
import type { CaseResult, Figure, Question, Unit } from './result.js';
import { SLACK, type Verdict, verdictOf } from './verdict.js';

/** What a question's cases found, by the name of the case. */
export interface Answer {
  readonly question: Question;
  readonly cases: ReadonlyMap<string, CaseResult>;
}

const PAINT: Readonly<Record<Verdict, (text: string) => string>> = {
  met: pc.green,
  near: pc.yellow,
  missed: pc.red,
  none: pc.dim,
};

const WORDS: Readonly<Record<Verdict, string>> = { met: 'met', near: 'within slack', missed: 'MISSED', none: '' };

/** One row for each figure, target and measured side by side. */
export function tableOf({ question, cases }: Answer): string {
  const table = new Table({
    head: ['what', 'of', 'ns', 'against', 'ns', 'measured', 'quartiles', 'target', ''].map((title) => pc.bold(title)),
    colAligns: ['left', 'left', 'right', 'left', 'right', 'right', 'right', 'right', 'left'],
    // picocolors knows when colours are not wanted, the table does not.
    style: { head: [], border: [], compact: true },
  });
  for (const result of cases.values()) {
    for (const figure of result.figures) {
      table.push(rowOf(figure, result));
    }
  }
  return `${pc.bold(question.asks)}  ${pc.dim(question.id)}\n${table.toString()}`;
}

function rowOf(figure: Figure, result: CaseResult): string[] {
  const { what, of, against, value, low, high, unit, target } = figure;
  const verdict = verdictOf(figure);
  return [
    what,
    of,
    nsOf(of, result),
    against ?? '',
    against === null ? '' : nsOf(against, result),
    PAINT[verdict](withUnit(value, unit)),
    low === high ? '' : pc.dim(`${short(low)}–${short(high)}`),
    target === null ? '' : targetText(target, unit),
    PAINT[verdict](WORDS[verdict]),
  ];
}

function nsOf(competitor: string, { timings }: CaseResult): string {
  const timing = timings.find(({ competitor: name }) => name === competitor);
  return timing === undefined ? '' : short(timing.medianNs);
}

export function targetText({ bound, value }: Target, unit: Unit): string {
  return `${bound === 'at most' ? '≤' : '≥'} ${withUnit(value, unit)}`;
}

export function withUnit(value: number, unit: Unit): string {
  return unit === 'x' ? `${short(value)}×` : `${short(value)} ${unit}`;
}

function short(value: number): string {
  if (value === 0 || !Number.isFinite(value)) {
    return String(value);
  }
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function figuresOf(answers: readonly Answer[]): Figure[] {
  return answers.flatMap(({ cases }) => [...cases.values()].flatMap(({ figures }) => figures));
}

/** How many targets were met, and which were not. */
export function summaryOf(answers: readonly Answer[]): { readonly text: string; readonly missed: number } {
  const counts: Record<Verdict, number> = { met: 0, near: 0, missed: 0, none: 0 };
  const lines: string[] = [];
  for (const { question, cases } of answers) {
    for (const figure of [...cases.values()].flatMap(({ figures }) => figures)) {
      const verdict = verdictOf(figure);
      counts[verdict]++;
      if (figure.target !== null && (verdict === 'missed' || verdict === 'near')) {
        const { what, against, value, unit, target } = figure;
        const other = against === null ? '' : ` against ${against}`;
        const off = `${WORDS[verdict]}: ${question.id}: ${what}${other}: ${withUnit(value, unit)}, target ${targetText(target, unit)}`;
        lines.push(PAINT[verdict](off));
      }
    }
  }
  const { met, near, missed } = counts;
  lines.push(`${met} targets met, ${near} within the slack of ${SLACK * 100} %, ${missed} missed`);
  return { text: lines.join('\n'), missed };
}
