import os from 'node:os';
import type { MemoryReading, MemorySource } from './memory-source.js';

/** The resident set of this process, against the memory of the machine. */
export class ProcessSource implements MemorySource {
  readonly name = 'process';

  read(): MemoryReading {
    return { usedBytes: process.memoryUsage.rss(), limitBytes: os.totalmem(), from: 'os.totalmem()' };
  }
}
