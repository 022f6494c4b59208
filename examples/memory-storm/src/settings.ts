import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run example memory-storm -- [--quick] [--heap 256] [--runs 1] [--seed 1] [--node PATH]

Five caches (small objects, long strings, arrays, buffers, handles that must be closed) are fed ten times as many bytes
as their process has heap: five lru-caches that count entries, five that were tuned by hand for this heap, and five
caches in one host of Reclaim. Then the same within one turn of the event loop. Each runs in a process of its own.

  --quick  a fifth of the storm
  --heap   MB of the old generation of each process; the load grows with it
  --runs   how often, each time with the next seed
  --node   the node binary to run them with

Exits with 1 if Reclaim died, leaked a handle, closed or used one wrongly, or had a hit ratio more than 5 points under
that of the caches that were tuned by hand.`;

export interface Settings {
  readonly heapMb: number;
  /** Bytes of values that are asked for for the first time. */
  readonly stormBytes: number;
  readonly oneTickBytes: number;
  readonly runs: number;
  readonly seed: number;
  readonly node: string;
}

const MIB = 2 ** 20;
const STORM_PER_HEAP = 10;
const QUICK_PART = 1 / 5;
const ONE_TICK_PER_HEAP = 4;

/** @returns null when help is asked for @throws {TypeError} an option is unknown @throws {RangeError} no number */
export function settingsOf(args: readonly string[]): Settings | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { quick: flag, heap: text, runs: text, seed: text, node: text, help: flag },
  });
  if (values.help === true) {
    return null;
  }
  const number = (name: 'heap' | 'runs' | 'seed', fallback: number): number => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot use --${name} ${values[name]}: it must be an integer above 0`);
    }
    return value;
  };
  const heapMb = number('heap', 256);
  return {
    heapMb,
    stormBytes: STORM_PER_HEAP * heapMb * MIB * (values.quick === true ? QUICK_PART : 1),
    oneTickBytes: ONE_TICK_PER_HEAP * heapMb * MIB,
    runs: number('runs', 1),
    seed: number('seed', 1),
    node: values.node ?? process.execPath,
  };
}
