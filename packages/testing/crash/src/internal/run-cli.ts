import { parseArgs, type ParseArgsConfig } from 'node:util';

import { runJournalTorture } from '../journal-torture.js';
import { runKeyCacheTorture } from '../key-cache-torture.js';

const USAGE = `torture [what ...] [--runs N] [--seed S]

  --runs N  processes to kill; default 20
  --seed S  what they do; default: another each time
  --help    this

What: journal, btree-key; default: both
`;

const OPTIONS = {
  runs: { type: 'string', default: '20' },
  seed: { type: 'string' },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsConfig['options'];

type Torture = (options: {
  readonly runs: number;
  readonly seed: number;
  readonly write: (text: string) => void;
}) => Promise<{ readonly faults: readonly string[] }>;

const TORTURES: Readonly<Record<string, Torture>> = {
  journal: runJournalTorture,
  'btree-key': runKeyCacheTorture,
};

/** 0: all went well; 1: a torture found a fault; 2: the arguments are wrong. */
export type ExitCode = 0 | 1 | 2;

/** The command line: runs what `args` says, and writes what comes of it. */
export async function runCli(args: readonly string[], write: (text: string) => void): Promise<ExitCode> {
  let settings: { readonly names: readonly string[]; readonly runs: number; readonly seed: number };
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    if (values.help) {
      write(USAGE);
      return 0;
    }
    const unknown = positionals.filter((name) => !Object.hasOwn(TORTURES, name));
    if (unknown.length > 0) {
      throw new RangeError(`Cannot torture ${unknown.join(', ')}: there is no such torture`);
    }
    settings = {
      names: positionals.length > 0 ? positionals : Object.keys(TORTURES),
      runs: count('runs', values.runs, 1),
      seed: values.seed === undefined ? Date.now() % 1_000_000 : count('seed', values.seed, 0),
    };
  } catch (error) {
    write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  let exitCode: ExitCode = 0;
  for (const name of settings.names) {
    const { faults } = await (TORTURES[name] as Torture)({ runs: settings.runs, seed: settings.seed, write });
    exitCode = faults.length === 0 ? exitCode : 1;
  }
  return exitCode;
}

function count(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`Cannot use --${name} ${text}: it must be an integer of at least ${least}`);
  }
  return value;
}
