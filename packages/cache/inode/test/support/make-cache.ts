import { type CountingSource, countingSource, type MemorySource, memorySource } from '@core/fs-source';
import { Rcu } from '@core/rcu';
import { InodeCache, type InodeCacheOptions } from '../../src/index.js';
import { TestTime } from './test-time.js';

export interface World {
  readonly time: TestTime;
  readonly memory: MemorySource;
  readonly source: CountingSource;
  readonly cache: InodeCache;
  readonly rcu: Rcu;
  readonly errors: unknown[];
  /** Lets all that was retired be destroyed. */
  settle(): Promise<void>;
}

/** A cache over a file system in memory, under one clock, which is that of the files as well. */
export function makeWorld(options: Partial<InodeCacheOptions> = {}): World {
  const time = new TestTime();
  const memory = memorySource({ clock: time });
  const source = countingSource(memory);
  const errors: unknown[] = [];
  const rcu = new Rcu({ clock: time, scheduler: time });
  const cache = new InodeCache({
    source,
    rcu,
    clock: time,
    wallClock: time,
    scheduler: time,
    onError: (error) => void errors.push(error),
    ...options,
  });
  return { time, memory, source, cache, rcu, errors, settle: () => time.runAll() };
}
