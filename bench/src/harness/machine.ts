import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

/** What a figure is worthless without. */
export interface Circumstances {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly system: string;
    /** Of the last 1, 5 and 15 minutes, at the start. */
    readonly load: readonly number[];
  };
  readonly node: string;
  readonly v8: string;
  /** Null outside of a checkout. */
  readonly commit: string | null;
  /** Whether files differed from that commit. */
  readonly modified: boolean;
  readonly date: string;
  readonly command: string;
}

export function circumstances(command: string): Circumstances {
  return {
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${platform()} ${release()} ${arch()}`,
      load: loadavg().map((load) => Number(load.toFixed(2))),
    },
    node: process.version,
    v8: process.versions.v8,
    commit: git('rev-parse', 'HEAD'),
    modified: (git('status', '--porcelain', '--untracked-files=no') ?? '') !== '',
    date: new Date().toISOString(),
    command,
  };
}

function git(...args: string[]): string | null {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}
