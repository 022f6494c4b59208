import type { Circumstances } from './machine.js';
import type { Answer } from './report.js';
import { SLACK, verdictOf } from './verdict.js';

/** Everything that was found out, for a file. Of numbers, four digits. */
export function toJson(area: string, circumstances: Circumstances, answers: readonly Answer[]): string {
  const report = {
    area,
    ...circumstances,
    slack: SLACK,
    questions: answers.map(({ question, cases }) => ({
      id: question.id,
      asks: question.asks,
      cases: Array.from(cases, ([name, { timings, figures }]) => ({
        name,
        timings,
        figures: figures.map((figure) => ({ ...figure, verdict: verdictOf(figure) })),
      })),
    })),
  };
  return `${JSON.stringify(report, rounded, 2)}\n`;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
