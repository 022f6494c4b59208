import { areas } from './areas.js';
import { runIsolated } from './harness/isolate.js';
import { runBenches } from './run.js';

process.exitCode = await runBenches(process.argv.slice(2), {
  areas,
  isolate: (area, question, { name }) => runIsolated(area, question.id, name),
  print: (text) => console.log(text),
  progress: (text) => {
    if (process.stderr.isTTY) {
      // One line that is written over.
      process.stderr.write(`\r\u001B[K${text}`);
    }
  },
});
