import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import ora from 'ora';
import colors from 'picocolors';
import { filesBelow, HandleLedger } from './files.js';
import type { LoadOptions, LoadResult } from './load.js';
import { withLruCache } from './with-lru-cache.js';
import { withReclaim } from './with-reclaim.js';

const USAGE = `Usage: npm start -- [folder] [--readers 64] [--max 64] [--reads 60000] [--files 5000] [--seed 1] [--quick]

Reads files below the folder (default: this repository's installed packages) through a bounded cache of open
file handles, with many concurrent readers: first over lru-cache, whose dispose closes at once, then over Reclaim.
Exits with 1 if Reclaim's side had an error, leaked a handle, or closed one twice.`;

/** Repository root: the installed packages are below. */
const INSTALLED = fileURLToPath(new URL('../../../node_modules', import.meta.url));

interface Side {
  readonly name: string;
  readonly ledger: HandleLedger;
  readonly result: LoadResult;
}

const settings = readSettings();
const files = await findFiles(settings.folder, settings.files);
const lru = await runSide('lru-cache, dispose closes', withLruCache);
const reclaim = await runSide('Reclaim, use() and deferred dispose', withReclaim);
print(lru, reclaim);
process.exitCode = verdict(reclaim) ? 0 : 1;

function readSettings(): { folder: string; readers: number; max: number; reads: number; files: number; seed: number } {
  const { values, positionals } = parseOrExit();
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const number = (name: 'readers' | 'max' | 'reads' | 'files' | 'seed', fallback: number): number => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isSafeInteger(value) || value < 1) {
      exitWith(`Cannot use --${name} ${values[name]}: it must be an integer above 0`);
    }
    return value;
  };
  const folder = resolve(positionals[0] ?? INSTALLED);
  if (!existsSync(folder)) {
    exitWith(`Cannot read ${folder}: there is no such folder`);
  }
  return {
    folder,
    readers: number('readers', 64),
    max: number('max', 64),
    reads: number('reads', values.quick ? 10_000 : 60_000),
    files: number('files', values.quick ? 1000 : 5000),
    seed: number('seed', 1),
  };
}

function parseOrExit(): {
  values: Record<'readers' | 'max' | 'reads' | 'files' | 'seed', string | undefined> & {
    quick?: boolean | undefined;
    help?: boolean | undefined;
  };
  positionals: string[];
} {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: { readers: text, max: text, reads: text, files: text, seed: text, quick: flag, help: flag },
    });
    const { readers, max, reads, files: fileLimit, seed, quick, help } = parsed.values;
    return { values: { readers, max, reads, files: fileLimit, seed, quick, help }, positionals: parsed.positionals };
  } catch (error) {
    return exitWith((error as Error).message);
  }
}

function exitWith(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}

async function findFiles(folder: string, limit: number): Promise<string[]> {
  const spinner = ora({ text: `Looking for files below ${folder}`, discardStdin: false }).start();
  const found = await filesBelow(folder, limit);
  if (found.length === 0) {
    spinner.fail();
    exitWith(`Cannot find a file below ${folder}`);
  }
  spinner.succeed(`${found.length} files below ${folder}`);
  return found;
}

async function runSide(
  name: string,
  run: (ledger: HandleLedger, max: number, load: LoadOptions) => Promise<LoadResult>,
): Promise<Side> {
  const ledger = new HandleLedger();
  const { readers, max, reads, seed } = settings;
  const title = `${name}: ${readers} readers, at most ${max} handles`;
  const spinner = ora({ text: title, discardStdin: false }).start();
  const step = Math.ceil(reads / 10);
  const onProgress = (done: number): void => {
    if (done % step === 0) {
      const text = `${title}, ${Math.round((100 * done) / reads)} % of ${reads} reads`;
      if (process.stdout.isTTY) {
        spinner.text = text;
      } else {
        console.log(`  ${text}`);
      }
    }
  };
  const result = await run(ledger, max, { files, readers, reads, seed, onProgress });
  await settle(ledger);
  spinner.succeed(`${title}: ${result.seconds.toFixed(1)} s`);
  return { name, ledger, result };
}

/** lru-cache does not wait for what `dispose` starts: gives closes under way a moment before they are counted. */
async function settle(ledger: HandleLedger): Promise<void> {
  for (let turn = 0; turn < 100 && ledger.leaked > 0; turn++) {
    await new Promise((done) => setTimeout(done, 10));
  }
}

function errorsOf({ result }: Side): number {
  return [...result.errors.values()].reduce((sum, count) => sum + count, 0);
}

function verdict(side: Side): boolean {
  return (
    errorsOf(side) === 0 && side.ledger.leaked === 0 && side.ledger.closedTwice === 0 && side.ledger.closeErrors === 0
  );
}

function print(lruSide: Side, reclaimSide: Side): void {
  const all = [lruSide, reclaimSide];
  const rows: [string, (side: Side) => string | number][] = [
    ['files read', ({ result }) => result.reads],
    ['MB read', ({ result }) => (result.bytes / 2 ** 20).toFixed(1)],
    ['reads that failed', (side) => mark(errorsOf(side))],
    ['… with', ({ result }) => [...result.errors].map(([code, count]) => `${code} ${count}`).join(', ') || 'none'],
    ['handles opened', ({ ledger }) => ledger.opened],
    ['handles closed', ({ ledger }) => ledger.closed],
    ['… more than once', ({ ledger }) => mark(ledger.closedTwice)],
    ['handles leaked', ({ ledger }) => mark(ledger.leaked)],
    ['seconds', ({ result }) => result.seconds.toFixed(2)],
  ];
  const table = new Table({ head: ['', ...all.map(({ name }) => name)], style: { head: [], border: [] } });
  for (const [label, value] of rows) {
    table.push([label, ...all.map((side) => ({ content: String(value(side)), hAlign: 'right' as const }))]);
  }
  console.log(`\n${table.toString()}\n`);
  console.log(
    verdict(reclaimSide)
      ? colors.green(
          `Reclaim: no read failed, and each of ${reclaimSide.ledger.opened} handles was closed exactly once. lru-cache: ${errorsOf(lruSide)} reads met a handle closed under them.`,
        )
      : colors.red('Reclaim had an error, leaked a handle, or closed one twice: this is a bug.'),
  );
}

function mark(count: number): string {
  return count === 0 ? colors.green('0') : colors.red(String(count));
}
