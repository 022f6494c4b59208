// The process of one case: `node case-process.js <area> <question> <case>`. Sends its result to the process that
// started it; by hand, with --cpu-prof for instance, it prints the result.
import { caseOf } from './areas.js';

const [area = '', question = '', name = ''] = process.argv.slice(2);
const result = await caseOf(area, question, name).run('real');
if (process.send === undefined) {
  console.log(JSON.stringify(result, null, 2));
} else {
  process.send(result);
}
