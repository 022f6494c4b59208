// `npm run report`: measures, keeps the results, and draws them.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { areas } from './areas.js';
import { runIsolated } from './harness/isolate.js';
import { runReport } from './report/run-report.js';
import { runBenches } from './run.js';

const ROOT = resolve(fileURLToPath(new URL('../..', import.meta.url)));

process.exitCode = await runReport(process.argv.slice(2), {
  areas: Object.keys(areas),
  measure: (args, command) =>
    runBenches(args, {
      areas,
      isolate: (name, question, chosen) => runIsolated(name, question.id, chosen.name),
      print: (text) => console.log(text),
      progress: (text) => {
        if (text !== '') {
          console.log(text);
        }
      },
      command,
    }),
  results: join(ROOT, 'bench/results'),
  page: join(ROOT, 'docs/benchmarks.md'),
  pictures: join(ROOT, 'docs/benchmarks'),
  env: process.env,
  print: (text) => console.log(text),
});
