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
