import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run example cached-fs -- [--quick] [--keep]

Real tools on node:fs and on a cached file system over it: isomorphic-git (on the local disk, and on one each of whose
calls takes 2 ms longer, as over a network), enhanced-resolve, webpack, rspack, rollup and glob. Their results must be
equal; git itself is asked too, while another process edits the files.

  --quick  a smaller repository and fewer requests
  --keep   leaves the scratch directory

Exits with 1 on any difference. Bars that are missed are named; they are those of the whole size, on an idle machine.`;

export interface Settings {
  readonly quick: boolean;
  readonly keep: boolean;
  /** Files of the repository. */
  readonly files: number;
  readonly commits: number;
  /** Files whose status is asked for one by one. */
  readonly statuses: number;
  readonly requests: number;
  readonly modules: number;
  readonly editRounds: number;
  readonly delayMs: number;
}

/** Null when help is wanted. Throws for what is no option. */
export function settingsOf(args: string[]): Settings | null {
  const { values } = parseArgs({
    args,
    options: { quick: { type: 'boolean' }, keep: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    return null;
  }
  const quick = values.quick === true;
  return {
    quick,
    keep: values.keep === true,
    files: quick ? 360 : 2400,
    commits: quick ? 8 : 60,
    statuses: quick ? 40 : 200,
    requests: quick ? 800 : 5000,
    modules: quick ? 40 : 400,
    editRounds: quick ? 2 : 10,
    delayMs: 2,
  };
}
