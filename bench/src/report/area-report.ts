import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Circumstances } from '../harness/machine.js';
import type { Figure, Timing } from '../harness/result.js';
import type { Verdict } from '../harness/verdict.js';

/** What a run of an area left in its file. */
export interface AreaReport extends Circumstances {
  readonly area: string;
  readonly questions: readonly QuestionReport[];
}

export interface QuestionReport {
  readonly id: string;
  readonly asks: string;
  readonly cases: readonly CaseReport[];
}

export interface CaseReport {
  readonly name: string;
  readonly timings: readonly Timing[];
  readonly figures: readonly (Figure & { readonly verdict: Verdict })[];
}

/** A short run is kept beside a full one, and never takes its place. */
export function resultFile(folder: string, area: string, full: boolean): string {
  return join(folder, `${area}${full ? '' : '.short'}.json`);
}

export interface FoundReport {
  readonly report: AreaReport;
  readonly full: boolean;
}

/** The full run, or else the short one, or null. */
export function readReport(folder: string, area: string): FoundReport | null {
  for (const full of [true, false]) {
    const file = resultFile(folder, area, full);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // Without a text it is of a run that got nowhere.
    if (text !== '') {
      return { report: JSON.parse(text) as AreaReport, full };
    }
  }
  return null;
}

export function questionIn({ questions }: AreaReport, id: string): QuestionReport | null {
  return questions.find((question) => question.id === id) ?? null;
}
