// `npm run report`: measures, keeps the results, and draws them.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { areas } from './areas.js';
import { runIsolated } from './harness/isolate.js';
import { type FoundReport, readReport, resultFile } from './report/area-report.js';
import { renderPage } from './report/page.js';
import { runBenches } from './run.js';

const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const RESULTS = join(ROOT, 'bench/results');
const PAGE = join(ROOT, 'docs/benchmarks.md');
const PICTURES = join(ROOT, 'docs/benchmarks');

/** What a short run does of each area; areas that are not here are left to full ones. */
const SHORT: Readonly<Record<string, string>> = {
  peers:
    '^(speed/.*, (1,000|100,000), (integer|string)$|memory/|churn/.*string|uses|heap-limit/(ObjectCache|lru-cache|quick-lru))',
  'hit-ratio': '',
  pressure: '^(cost|tenants)/',
};
const SHORT_ROUNDS = '3';
const REPORTED = ['peers', 'hit-ratio', 'core', 'shrinker', 'pressure', 'btree-key', 'fs'];

const USAGE = `Usage: npm run report [-- [area …] [--full] [--render]]

  --full    all cases and all rounds: takes hours, on a machine that should do nothing else
  --render  measures nothing: draws the results that are there
`;

process.exitCode = await report(process.argv.slice(2));

async function report(args: readonly string[]): Promise<number> {
  let options: { full: boolean; render: boolean; chosen: readonly string[] };
  try {
    options = readArguments(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  let worst = 0;
  if (!options.render) {
    const rounds = process.env['BENCH_ROUNDS'];
    const settings = rounds === undefined ? [] : [`BENCH_ROUNDS=${rounds}`];
    const command = [...settings, 'npm run report', ...(args.length === 0 ? [] : ['--', ...args])].join(' ');
    for (const area of options.chosen) {
      worst = Math.max(worst, await measure(area, options.full, command));
    }
  }
  render();
  return worst;
}

/** @throws {TypeError | RangeError} the arguments make no sense */
function readArguments(args: readonly string[]): { full: boolean; render: boolean; chosen: readonly string[] } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { full: { type: 'boolean', default: false }, render: { type: 'boolean', default: false } },
  });
  const { full, render } = values;
  const able = REPORTED.filter((area) => Object.hasOwn(areas, area) && (full || Object.hasOwn(SHORT, area)));
  for (const area of positionals) {
    if (!able.includes(area)) {
      throw new RangeError(`Cannot report on "${area}": choose of ${able.join(', ')}${full ? '' : ', or add --full'}`);
    }
  }
  return { full, render, chosen: positionals.length > 0 ? positionals : able };
}

async function measure(area: string, full: boolean, command: string): Promise<number> {
  if (!full) {
    // The processes of the cases read it.
    process.env['BENCH_ROUNDS'] ??= SHORT_ROUNDS;
  }
  const only = full ? '' : (SHORT[area] ?? '');
  mkdirSync(RESULTS, { recursive: true });
  return runBenches([area, '--json', resultFile(RESULTS, area, full), '--only', only], {
    areas,
    isolate: (name, question, chosen) => runIsolated(name, question.id, chosen.name),
    print: (text) => console.log(text),
    progress: (text) => {
      if (text !== '') {
        console.log(text);
      }
    },
    command,
  });
}

function render(): void {
  const found = REPORTED.map((area) => readReport(RESULTS, area)).filter((one): one is FoundReport => one !== null);
  const { markdown, pictures } = renderPage(found);
  mkdirSync(PICTURES, { recursive: true });
  for (const name of readdirSync(PICTURES)) {
    // What is not drawn any more must not stay behind.
    if (name.endsWith('.svg')) {
      rmSync(join(PICTURES, name));
    }
  }
  for (const { file, svg } of pictures) {
    writeFileSync(join(PICTURES, file), svg);
  }
  writeFileSync(PAGE, markdown);
  console.log(`${PAGE}, with ${pictures.length} pictures`);
}
