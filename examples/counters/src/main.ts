import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SeededRng } from '@core/base';
import colors from 'picocolors';
import { Load } from './load.js';
import { ServerProcess } from './server-process.js';
import { type Settings, settingsOf, USAGE } from './settings.js';
import { type Life, tableOfHits, tableOfLives } from './table.js';
import { faultsOf, Tally } from './tally.js';

const settings = readSettings();
const directory = await mkdtemp(join(tmpdir(), 'counters-'));
try {
  process.exitCode = (await run(settings, directory)) ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

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

/** @returns whether the service has what it should */
async function run({ seconds, kills, connections, seed, server }: Settings, directory: string): Promise<boolean> {
  const program = server ?? fileURLToPath(new URL('server.js', import.meta.url));
  const rng = new SeededRng(seed);
  const tally = new Tally();
  const lives: Life[] = [];
  console.log(`${seconds} s of hits from ${connections} connections, ${kills} kills, seed ${seed}\n`);
  for (let life = 0; life <= kills; life++) {
    const process = await ServerProcess.start(program, directory);
    lives.push(await live(process, { seconds: seconds / (kills + 1), connections, killed: life < kills }, rng, tally));
  }

  const last = await ServerProcess.start(program, directory);
  // Of each life every connection may have had one hit whose answer nobody waited for any more.
  const comparison = tally.compare(await last.hits(), connections * lives.length);
  const { replayedRecords } = await last.stats();
  await last.stop();
  console.log(`${tableOfLives(lives)}\n\n${tableOfHits(comparison, tally)}\n`);
  const faults = faultsOf(comparison, tally);
  if (replayedRecords > 0) {
    faults.push(`${replayedRecords} records were replayed although the service had been stopped`);
  }
  for (const fault of faults) {
    console.log(colors.red(fault));
  }
  if (faults.length === 0) {
    console.log(colors.green('Every acknowledged hit is there.'));
  }
  return faults.length === 0;
}

interface LifeSettings {
  readonly seconds: number;
  readonly connections: number;
  readonly killed: boolean;
}

/** Loads the service for a while, then kills it under the load, or stops it after. */
async function live(
  service: ServerProcess,
  { seconds, connections, killed }: LifeSettings,
  rng: SeededRng,
  tally: Tally,
): Promise<Life> {
  const before = tally.acknowledged;
  const load = new Load(service.url, connections, rng, tally);
  await setTimeout(seconds * 1000);
  let stats = await service.stats();
  if (killed) {
    await service.kill();
  }
  const latency = await load.stop();
  if (!killed) {
    stats = await service.stop();
  }
  return {
    startedInMs: service.startedInMs,
    seconds,
    acknowledged: tally.acknowledged - before,
    latency,
    stats,
    killed,
  };
}
