import type { Scheduled, Scheduler } from '@core/base';
import { BufCache, type BufCacheOptions, type BufFile, type OpenOptions } from '../../src/index.js';
import { TestSource } from './test-source.js';

/** Real turns, and timers that run when the test says so. */
export class ManualTimers implements Scheduler {
  readonly timers: { readonly delayMs: number; readonly callback: () => void }[] = [];

  nextTurn(callback: () => void): void {
    setImmediate(callback);
  }

  after(delayMs: number, callback: () => void): Scheduled {
    const timer = { delayMs, callback };
    this.timers.push(timer);
    return {
      cancel: () => {
        const at = this.timers.indexOf(timer);
        if (at >= 0) {
          this.timers.splice(at, 1);
        }
      },
    };
  }

  /** Runs the timers that there are now. */
  fire(): void {
    for (const { callback } of this.timers.splice(0)) {
      callback();
    }
  }
}

export interface Made {
  readonly cache: BufCache;
  readonly file: BufFile;
  readonly source: TestSource;
  readonly timers: ManualTimers;
  readonly errors: unknown[];
}

export const BLOCK = 512;

/** A cache of small blocks over a file of so many bytes. */
export function makeBuf(
  bytes: Uint8Array | number = 0,
  options: BufCacheOptions = {},
  openOptions: OpenOptions = {},
): Made {
  const timers = new ManualTimers();
  const errors: unknown[] = [];
  const cache = new BufCache({
    blockBytes: BLOCK,
    maxBytes: 64 * BLOCK,
    readaheadBytes: 0,
    scheduler: timers,
    onError: (error) => void errors.push(error),
    ...options,
  });
  const source = new TestSource(bytes);
  return { cache, file: cache.open(source, openOptions), source, timers, errors };
}
