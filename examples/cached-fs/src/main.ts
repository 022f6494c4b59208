import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import colors from 'picocolors';
import { Report } from './report.js';
import { runForeignEdits, runGit } from './run-git.js';
import { runResolver } from './run-resolver.js';
import { runTools } from './run-tools.js';
import { type Settings, settingsOf, USAGE } from './settings.js';
import { tableOf } from './table.js';

const settings = readSettings();
const scratch = mkdtempSync(join(tmpdir(), 'cached-fs-'));
const report = new Report();
try {
  await section(`isomorphic-git, each call ${settings.delayMs} ms slower`, () =>
    runGit(settings, scratch, settings.delayMs, report),
  );
  await section('isomorphic-git on the local disk', () => runGit(settings, scratch, 0, report));
  await section('isomorphic-git while another process edits files', () => runForeignEdits(settings, scratch, report));
  await section('enhanced-resolve', () => runResolver(settings, report));
  await section('webpack, rspack, rollup, glob', () => runTools(settings, scratch, report));
} finally {
  if (settings.keep) {
    console.log(`left: ${scratch}`);
  } else {
    rmSync(scratch, { recursive: true, force: true });
  }
}
for (const fault of report.faults) {
  console.log(colors.red(fault));
}
// A small repository and few requests are all beginning: what is wanted is said of the whole size.
for (const missed of settings.quick ? [] : report.missed) {
  console.log(colors.yellow(missed));
}
if (report.faults.length === 0) {
  console.log(colors.green('All results are those of node:fs, and of git.'));
}
process.exitCode = report.faults.length === 0 ? 0 : 1;

async function section(title: string, run: () => Promise<void>): Promise<void> {
  const from = report.rows.length;
  const startedAt = performance.now();
  console.log(colors.bold(`\n${title}`));
  await run();
  const rows = report.rows.slice(from);
  if (rows.length > 0) {
    console.log(tableOf(rows));
  }
  console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

function readSettings(): Settings {
  let read: Settings | null;
  try {
    read = settingsOf(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
  if (read === null) {
    console.log(USAGE);
    process.exit(0);
  }
  return read;
}
