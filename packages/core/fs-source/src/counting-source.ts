import type { FileSystemSource } from './file-system-source.js';
import { InterposedSource, SOURCE_CALLS, type SourceCall } from './internal/interposed-source.js';

/** A source that counts the calls made of it, whether they succeed or not, both forms together. */
export interface CountingSource extends FileSystemSource {
  /** Calls since it was made, or since the last `reset`. */
  readonly counts: Readonly<Record<SourceCall, number>>;
  /** The sum of `counts`. */
  readonly total: number;
  reset(): void;
}

class Counting extends InterposedSource implements CountingSource {
  readonly counts: Record<SourceCall, number>;

  constructor(source: FileSystemSource) {
    const counts = Object.fromEntries(SOURCE_CALLS.map((call) => [call, 0])) as Record<SourceCall, number>;
    super(source, {
      before(call) {
        counts[call]++;
      },
    });
    this.counts = counts;
  }

  get total(): number {
    return SOURCE_CALLS.reduce((sum, call) => sum + this.counts[call], 0);
  }

  reset(): void {
    for (const call of SOURCE_CALLS) {
      this.counts[call] = 0;
    }
  }
}

/** Counts the calls that reach `source`. */
export function countingSource(source: FileSystemSource): CountingSource {
  return new Counting(source);
}
