import { parseArgs, type ParseArgsConfig } from 'node:util';

import { systemClock, systemScheduler } from '@core/base';

import { SimLoop } from '../sim-loop.js';
import { torturePending } from '../torture-pending.js';
import { formatPendingReport } from '../torture-pending-report.js';
import { formatReport } from '../torture-report.js';
import { torture } from '../torture.js';
import type { TorturePorts } from '../torture-suite.js';
import { CLI_FLAVORS } from './cli-flavors.js';

const DEFAULT_FLAVORS = ['rcu', 'srcu', 'rcu-pending', 'srcu-pending'];

const USAGE = `torture [flavour ...] [--readers N] [--ops N] [--seed S] [--sim]

  --readers N  readers at a time; default 8
  --ops N      sections to read, or operations on a pending; default 20,000
  --seed S     what the actors do; default: another each time
  --sim        on a simulated loop, where a seed repeats the run
  --help       this

Flavours: ${[...CLI_FLAVORS.keys()].join(', ')}
Default: ${DEFAULT_FLAVORS.join(', ')}
`;

const OPTIONS = {
  readers: { type: 'string', default: '8' },
  ops: { type: 'string', default: '20000' },
  seed: { type: 'string' },
  sim: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsConfig['options'];

/** 0: all went well; 1: a torture found a fault; 2: the arguments are wrong. */
export type ExitCode = 0 | 1 | 2;

/** The command line: runs what `args` says, and writes what comes of it. */
export async function runCli(args: readonly string[], write: (text: string) => void): Promise<ExitCode> {
  let settings: Settings;
  try {
    settings = settingsOf(args);
  } catch (error) {
    write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (settings.help) {
    write(USAGE);
    return 0;
  }
  let exitCode: ExitCode = 0;
  for (const name of settings.flavors) {
    const { ok, table } = await runOne(name, settings);
    write(`${table}\n`);
    exitCode = ok ? exitCode : 1;
  }
  return exitCode;
}

interface Settings {
  readonly flavors: readonly string[];
  readonly readers: number;
  readonly operations: number;
  readonly seed: number;
  readonly simulated: boolean;
  readonly help: boolean;
}

function settingsOf(args: readonly string[]): Settings {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const unknown = positionals.filter((name) => !CLI_FLAVORS.has(name));
  if (unknown.length > 0) {
    throw new RangeError(`Cannot torture ${unknown.join(', ')}: there is no such flavour`);
  }
  return {
    flavors: positionals.length > 0 ? positionals : DEFAULT_FLAVORS,
    readers: count('readers', values.readers),
    operations: count('ops', values.ops),
    seed: values.seed === undefined ? Date.now() % 1_000_000 : count('seed', values.seed, 0),
    simulated: values.sim,
    help: values.help,
  };
}

function count(name: string, text: string, least = 1): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`Cannot use --${name} ${text}: it must be an integer of at least ${least}`);
  }
  return value;
}

async function runOne(name: string, settings: Settings): Promise<{ ok: boolean; table: string }> {
  const { readers, operations, seed } = settings;
  const loop = settings.simulated ? new SimLoop({ seed }) : null;
  const ports: TorturePorts = loop ?? { clock: systemClock, scheduler: systemScheduler };
  const subject = (CLI_FLAVORS.get(name) as NonNullable<ReturnType<typeof CLI_FLAVORS.get>>)(ports);
  const shared = { readers, operations, seed, ...(loop === null ? {} : { loop }) };
  const gracePeriods = subject.flavor.stats().gracePeriods;
  const startMs = systemClock.now();
  const { flavor, pending } = subject;
  let ok: boolean;
  let table: string;
  if (pending === undefined) {
    const report = await torture({ ...subject, ...shared });
    ok = report.ok;
    table = formatReport(report);
  } else {
    const report = await torturePending({ ...subject, make: pending, ...shared });
    ok = report.ok;
    table = formatPendingReport(report);
  }
  const seconds = (systemClock.now() - startMs) / 1_000;
  const rate = Math.round((flavor.stats().gracePeriods - gracePeriods) / seconds);
  return { ok, table: `== ${name}: ${rate} grace periods a second for ${seconds.toFixed(2)} s\n${table}` };
}
