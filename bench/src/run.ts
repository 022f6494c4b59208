import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { circumstances } from './harness/machine.js';
import { type Answer, figuresOf, summaryOf, tableOf, withUnit } from './harness/report.js';
import type { Case, CaseResult, Question } from './harness/result.js';
import { toJson } from './harness/to-json.js';
import { verdictOf } from './harness/verdict.js';
import { type BenchOptions, USAGE, parseOptions } from './options.js';

/** As a case, what all cases of a question say together. */
const ALL = 'all';

/** What the command line works on. */
export interface BenchPorts {
  readonly areas: Readonly<Record<string, readonly Question[]>>;
  /** Runs a case of real size, in a process of its own. */
  readonly isolate: (area: string, question: Question, chosen: Case) => Promise<CaseResult>;
  readonly print: (text: string) => void;
  /** Where we are; an empty text when we are through. */
  readonly progress: (text: string) => void;
  /** What was typed, if it was not `npm run bench` with these arguments. */
  readonly command?: string;
}

/** @returns what the process should exit with: 0, 1 when something is wrong or off its target, 2 for bad arguments */
export async function runBenches(args: readonly string[], ports: BenchPorts): Promise<number> {
  let options: BenchOptions;
  try {
    options = parseOptions(args, Object.keys(ports.areas));
  } catch (error) {
    ports.print(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  return options.size === 'smoke' ? smoke(options, ports) : measure(options, args, ports);
}

async function smoke(options: BenchOptions, ports: BenchPorts): Promise<number> {
  const { print } = ports;
  const answers = await answersTo(options, ports, (chosen) => chosen.run('smoke'));
  const cases = answers.reduce((sum, answer) => sum + answer.cases.size, 0);
  // What is counted must be right in any size.
  const wrong = figuresOf(answers).filter((figure) => figure.target?.exact === true && verdictOf(figure) === 'missed');
  for (const { what, value, unit } of wrong) {
    print(`Wrong: ${what}: ${withUnit(value, unit)}`);
  }
  print(`${cases} cases work, and their competitors agree; nothing is said of speed`);
  return cases === 0 || wrong.length > 0 ? 1 : 0;
}

async function measure(options: BenchOptions, args: readonly string[], ports: BenchPorts): Promise<number> {
  const { area, check, json } = options;
  const { print, isolate } = ports;
  const facts = circumstances(ports.command ?? `npm run bench -- ${args.join(' ')}`);
  const { machine, node, commit, modified, date } = facts;
  print(`${machine.cpu}, ${machine.cores} cores, load ${machine.load.join(' ')}, ${machine.system}`);
  print(`Node ${node}, commit ${commit ?? 'none'}${modified ? ', modified' : ''}, ${date}\n`);
  if (json !== null) {
    // What cannot be written must be known before half an hour has gone.
    mkdirSync(dirname(json), { recursive: true });
    appendFileSync(json, '');
  }
  const failed: string[] = [];
  const found = new Map<Question, Map<string, CaseResult>>();
  const answers = await answersTo(options, ports, async (chosen, question) => {
    try {
      const result = await isolate(area, question, chosen);
      // Written as we go: a run takes long, and may be cut short.
      found.set(question, (found.get(question) ?? new Map<string, CaseResult>()).set(chosen.name, result));
      if (json !== null) {
        writeFileSync(
          json,
          toJson(
            area,
            facts,
            Array.from(found, ([of, cases]) => ({ question: of, cases: withAll(of, cases) })),
          ),
        );
      }
      return result;
    } catch (error) {
      failed.push(error instanceof Error ? error.message : String(error));
      return null;
    }
  });
  const { text, missed } = summaryOf(answers);
  print([...failed, text].join('\n'));
  return answers.length === 0 || failed.length > 0 || (check && missed > 0) ? 1 : 0;
}

/** Runs the cases that were asked for, one after the other, and prints the table of each question. */
async function answersTo(
  { area, size, only }: BenchOptions,
  { areas, print, progress }: BenchPorts,
  run: (chosen: Case, question: Question) => Promise<CaseResult | null>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const question of areas[area] ?? []) {
    const cases = new Map<string, CaseResult>();
    for (const chosen of question.cases) {
      if (only.test(`${question.id}/${chosen.name}`) && (size === 'real' || chosen.onlyReal !== true)) {
        progress(`${question.id}: ${chosen.name} …`);
        const result = await run(chosen, question);
        if (result !== null) {
          cases.set(chosen.name, result);
        }
      }
    }
    progress('');
    if (cases.size > 0) {
      const answer = { question, cases: size === 'smoke' ? cases : withAll(question, cases) };
      answers.push(answer);
      print(size === 'smoke' ? `${question.id}: ${cases.size} cases` : `${tableOf(answer)}\n`);
    }
  }
  return answers;
}

/** With what the cases say together, if the question asks for that. */
function withAll(question: Question, cases: ReadonlyMap<string, CaseResult>): ReadonlyMap<string, CaseResult> {
  const figures = question.overAll?.(cases) ?? [];
  return figures.length === 0 ? cases : new Map(cases).set(ALL, { timings: [], figures });
}
