import { parseArgs } from 'node:util';
import type { Size } from './harness/competitor.js';

export interface BenchOptions {
  readonly area: string;
  readonly size: Size;
  /** End with an error when a target is missed. */
  readonly check: boolean;
  /** Where to write the figures, or null. */
  readonly json: string | null;
  /** Only cases whose `question/case` matches. */
  readonly only: RegExp;
}

export const USAGE = `Usage: npm run bench -- <area> [options]

  --smoke        tiny sizes: shows that the benches work, and says nothing of speed
  --check        end with 1 when a target is missed by more than the slack
  --json FILE    write machine, versions, date, command and all figures
  --only REGEX   only cases whose question/case matches
`;

/** @throws {TypeError | RangeError} the arguments make no sense */
export function parseOptions(args: readonly string[], areaNames: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      json: { type: 'string' },
      only: { type: 'string', default: '' },
    },
  });
  const [area = ''] = positionals;
  if (positionals.length !== 1 || !areaNames.includes(area)) {
    throw new RangeError(`Cannot run benches of "${positionals.join(' ')}": choose one of ${areaNames.join(', ')}`);
  }
  if (values.smoke && (values.check || values.json !== undefined)) {
    throw new RangeError('Cannot check or write figures of smoke sizes: they mean nothing; leave --smoke out');
  }
  return {
    area,
    size: values.smoke ? 'smoke' : 'real',
    check: values.check,
    json: values.json ?? null,
    only: new RegExp(values.only),
  };
}
