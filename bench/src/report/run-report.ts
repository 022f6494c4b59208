import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FoundReport, readReport, resultFile } from './area-report.js';
import { renderPage } from './page.js';

/** What a short run does of each area; areas that are not here are left to full ones. */
const SHORT: Readonly<Record<string, string>> = {
  peers:
    '^(speed/.*, (1,000|100,000), (integer|string)$|memory/|churn/.*string|uses|heap-limit/(ObjectCache|lru-cache|quick-lru))',
  'hit-ratio': '',
  pressure: '^(cost|tenants)/',
};
const SHORT_ROUNDS = '3';
const REPORTED = ['peers', 'hit-ratio', 'core', 'shrinker', 'pressure', 'btree-key', 'fs'];
/** Of the processes of the cases, which read it. */
const ROUNDS = 'BENCH_ROUNDS';

const USAGE = `Usage: npm run report [-- [area …] [--full] [--render]]

  --full    all cases and all rounds: takes hours, on a machine that should do nothing else
  --render  measures nothing: draws the results that are there
`;

/** What the command line works on. */
export interface ReportPorts {
  /** The names of those that there are. */
  readonly areas: readonly string[];
  /** As `npm run bench` with these arguments; `command` is what is told of. @returns what that would exit with */
  readonly measure: (args: readonly string[], command: string) => Promise<number>;
  /** Where results are kept. */
  readonly results: string;
  /** The file of the page, and the folder of what it shows. */
  readonly page: string;
  readonly pictures: string;
  readonly env: Record<string, string | undefined>;
  readonly print: (text: string) => void;
}

interface ReportOptions {
  readonly full: boolean;
  readonly render: boolean;
  readonly chosen: readonly string[];
}

/** @returns what the process should exit with: 0, 1 when something is wrong, 2 for bad arguments */
export async function runReport(args: readonly string[], ports: ReportPorts): Promise<number> {
  let options: ReportOptions;
  try {
    options = parseReportOptions(args, ports.areas);
  } catch (error) {
    ports.print(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const measured = options.render ? 0 : await measureAll(options, args, ports);
  return Math.max(measured, render(ports));
}

/** @throws {TypeError | RangeError} the arguments make no sense */
function parseReportOptions(args: readonly string[], areas: readonly string[]): ReportOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { full: { type: 'boolean', default: false }, render: { type: 'boolean', default: false } },
  });
  const { full, render } = values;
  const able = REPORTED.filter((area) => areas.includes(area) && (full || Object.hasOwn(SHORT, area)));
  for (const area of positionals) {
    if (!able.includes(area)) {
      throw new RangeError(`Cannot report on "${area}": choose of ${able.join(', ')}${full ? '' : ', or add --full'}`);
    }
  }
  return { full, render, chosen: positionals.length > 0 ? [...new Set(positionals)] : able };
}

async function measureAll(
  { full, chosen }: ReportOptions,
  args: readonly string[],
  { measure, results, env }: ReportPorts,
): Promise<number> {
  const rounds = env[ROUNDS];
  const settings = rounds === undefined ? [] : [`${ROUNDS}=${rounds}`];
  const command = [...settings, 'npm run report', ...(args.length === 0 ? [] : ['--', ...args])].join(' ');
  if (!full) {
    env[ROUNDS] ??= SHORT_ROUNDS;
  }
  mkdirSync(results, { recursive: true });
  let worst = 0;
  for (const area of chosen) {
    const only = full ? '' : (SHORT[area] ?? '');
    const code = await measure([area, '--json', resultFile(results, area, full), '--only', only], command);
    worst = Math.max(worst, code);
  }
  return worst;
}

/** Draws what there is of results, full runs before short ones. */
function render({ results, page, pictures: folder, print }: ReportPorts): number {
  const found = REPORTED.map((area) => readReport(results, area)).filter((one): one is FoundReport => one !== null);
  if (found.length === 0) {
    print(`Cannot draw: there is no result in ${results}; measure first, without --render`);
    return 1;
  }
  const { markdown, pictures } = renderPage(found);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    // What is not drawn any more must not stay behind.
    if (name.endsWith('.svg')) {
      rmSync(join(folder, name));
    }
  }
  for (const { file, svg } of pictures) {
    writeFileSync(join(folder, file), svg);
  }
  writeFileSync(page, markdown);
  print(`${page}, with ${pictures.length} pictures`);
  return 0;
}
