import logUpdate from 'log-update';
import colors from 'picocolors';
import { LOADS, mb } from './format.js';
import { faultsOf, type Outcome } from './outcome.js';
import type { ContenderName, LoadName } from './protocol.js';
import { runChild } from './run-child.js';
import { type Settings, settingsOf, USAGE } from './settings.js';
import { tableOf } from './table.js';
import { View } from './view.js';

const CONTENDERS: readonly ContenderName[] = ['lru-entries', 'lru-size', 'reclaim'];

const settings = readSettings();
const view = new View({ live: process.stdout.isTTY ? logUpdate : null, print: (line) => console.log(line) });
const faults: string[] = [];
for (let run = 0; run < settings.runs; run++) {
  await runAll('storm', settings.stormBytes, settings.seed + run);
  await runAll('one-tick', settings.oneTickBytes, settings.seed + run);
}
for (const fault of faults) {
  console.log(colors.red(fault));
}
if (faults.length === 0) {
  console.log(
    colors.green('Reclaim survived, closed each handle exactly once, and hit about as often as caches tuned by hand.'),
  );
}
process.exitCode = faults.length === 0 ? 0 : 1;

function readSettings(): Settings {
  let settings: Settings | null;
  try {
    settings = settingsOf(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
  if (settings === null) {
    console.log(USAGE);
    process.exit(0);
  }
  return settings;
}

/** All contenders under one load, one after the other. */
async function runAll(load: LoadName, feedBytes: number, seed: number): Promise<void> {
  const { heapMb, node } = settings;
  console.log(`\n${LOADS[load]}: ${mb(feedBytes)} of new values into a heap of ${heapMb} MB, seed ${seed}`);
  const outcomes: Outcome[] = [];
  for (const contender of CONTENDERS) {
    const job = { contender, load, feedBytes, heapMb, seed };
    const outcome = await runChild(job, node, (sample) => view.update(job, sample));
    view.end(outcome);
    outcomes.push(outcome);
  }
  console.log(`\n${tableOf(outcomes)}\n`);
  faults.push(...faultsOf(outcomes).map((fault) => `${LOADS[load]}, seed ${seed}: ${fault}`));
  tellOfDeath(outcomes);
}

/** An lru-cache that runs out of memory has been expected to. Of any other death all is printed that is known. */
function tellOfDeath(outcomes: readonly Outcome[]): void {
  for (const { job, survived, lastWords, report } of outcomes) {
    const fatal = /FATAL ERROR: .*/.exec(lastWords)?.[0];
    if (!survived && (job.contender === 'reclaim' || fatal === undefined)) {
      console.error([lastWords, report ?? 'It never said that memory was short'].join('\n\n'));
    } else if (!survived) {
      console.log(`${job.contender}: ${fatal}\n`);
    }
  }
}
