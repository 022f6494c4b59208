import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run example counters -- [--quick] [--seconds 20] [--kills 3] [--connections 64] [--seed 1]

A service over HTTP counts the hits of clients, in a key cache before lmdb, and answers when a hit is in the journal. It
is loaded by autocannon, killed with SIGKILL in the middle, and started again on what it left. In the end each client's
count is compared to the hits that were acknowledged.

  --quick        6 seconds, 2 kills
  --seconds      of load, between all kills together
  --kills        how often
  --connections  at once
  --server       another program for the service

Exits with 1 if an acknowledged hit is missing, or if there are more hits than were asked for.`;

export interface Settings {
  readonly seconds: number;
  readonly kills: number;
  readonly connections: number;
  readonly seed: number;
  /** The program of the service; null: this example's own. */
  readonly server: string | null;
}

/** @returns null when help is asked for @throws {TypeError} an option is unknown @throws {RangeError} no number */
export function settingsOf(args: readonly string[]): Settings | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { quick: flag, seconds: text, kills: text, connections: text, seed: text, server: text, help: flag },
  });
  if (values.help === true) {
    return null;
  }
  const number = (name: 'seconds' | 'kills' | 'connections' | 'seed', fallback: number, least: number): number => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`Cannot use --${name} ${values[name]}: it must be an integer from ${least}`);
    }
    return value;
  };
  const quick = values.quick === true;
  return {
    seconds: number('seconds', quick ? 6 : 20, 1),
    kills: number('kills', quick ? 2 : 3, 0),
    connections: number('connections', 64, 1),
    seed: number('seed', 1, 0),
    server: values.server ?? null,
  };
}
