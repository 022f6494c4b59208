import type { Backing } from './backing.js';

export interface Measured<T> {
  readonly value: T;
  readonly ms: number;
  /** Of all threads of the process: system calls are made on others. */
  readonly cpuMs: number;
  /** Calls that reached the file system below. */
  readonly calls: number;
}

export async function measure<T>(backing: Backing, work: () => Promise<T> | T): Promise<Measured<T>> {
  backing.reset();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const value = await work();
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { value, ms, cpuMs: (user + system) / 1000, calls: backing.calls() };
}

type Run<T> = () => Promise<Measured<T>>;

/** The fastest run of each, by turns, so that all have the same neighbours. */
export async function fastest<T>(
  times: number,
  [ours, theirs]: readonly [Run<T>, Run<T>],
): Promise<[ours: Measured<T>, theirs: Measured<T>]> {
  let best: [Measured<T>, Measured<T>] = [await ours(), await theirs()];
  for (let time = 1; time < times; time++) {
    const next = [await ours(), await theirs()] as const;
    best = [faster(best[0], next[0]), faster(best[1], next[1])];
  }
  return best;
}

function faster<T>(one: Measured<T>, other: Measured<T>): Measured<T> {
  return other.ms < one.ms ? other : one;
}
