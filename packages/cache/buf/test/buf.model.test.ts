import { SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';
import type { Buf, BufCacheOptions } from '../src/index.js';
import { STALE } from '../src/internal/flags.js';
import { BufModel } from './support/buf-model.js';
import { BLOCK, type Made, makeBuf } from './support/make-buf.js';
import { turns } from './support/test-source.js';

const ROUNDS = 6;

/** Runs a file against the model. Throws at the first difference. @returns failures that were met */
async function run(seed: number, options: BufCacheOptions, faults: number, bust?: (made: Made) => void): Promise<number> {
  const rng = new SeededRng(seed);
  const made = makeBuf(12 * BLOCK, { maxBytes: 16 * BLOCK, readaheadBytes: 4 * BLOCK, retryMs: 1, ...options });
  const { cache, file, source, timers } = made;
  bust?.(made);
  const model = new BufModel({ cache, file, source, rng, callers: 4, maxBytes: 40 * BLOCK, faults });
  for (let round = 0; round < ROUNDS; round++) {
    await model.round(40);
    timers.fire();
    if (round % 2 === 1) {
      await model.resize();
    }
    await model.sync();
    cache.checkInvariants();
  }
  source.before = () => {};
  await cache.close();
  await turns();
  cache.checkInvariants();
  // No arena, no hold and no open source is left.
  expect(cache.stats()).toMatchObject({ files: 0, used: 0, dirty: 0, inFlight: 0, pending: 0, arenas: 0, held: 0 });
  expect(source.closed).toBe(true);
  return model.failures;
}

const SEEDS = [1, 2, 3, 4, 5, 6];

describe('against a plain array of bytes', () => {
  test.each(SEEDS)('write-back, no faults, seed %i', async (seed) => {
    await run(seed, { writeBack: { delayMs: 1, maxDirtyBytes: 6 * BLOCK } }, 0);
  });

  test.each(SEEDS)('write-back, with faults, seed %i', async (seed) => {
    expect(await run(seed, { writeBack: { delayMs: 1, maxDirtyBytes: 6 * BLOCK } }, 60)).toBeGreaterThan(0);
  });

  test.each(SEEDS)('write-through, with faults, seed %i', async (seed) => {
    expect(await run(seed, {}, 40)).toBeGreaterThan(0);
  });

  test.each(SEEDS)('with hardly any memory, seed %i', async (seed) => {
    await run(seed, { maxBytes: 3 * BLOCK, writeBack: seed % 2 === 0 }, 20);
  });
});

describe('broken twins are caught', () => {
  /** Whether any seed finds the difference. */
  async function isCaught(options: BufCacheOptions, bust: (made: Made) => void): Promise<boolean> {
    for (const seed of SEEDS) {
      try {
        await run(seed, options, 0, bust);
      } catch {
        return true;
      }
    }
    return false;
  }

  const writeBack = { writeBack: { delayMs: 1, maxDirtyBytes: 6 * BLOCK } };

  interface Insides {
    readonly store: {
      stale(buf: Buf): void;
      readonly index: { insert(buf: Buf): void };
    };
    readonly writer: {
      flush(file: unknown): Promise<void>;
      flushSync(file: unknown): void;
      written(buf: Buf): void;
      failed(job: unknown, buf: Buf, error: unknown): void;
    };
  }

  function insides({ cache }: Made): Insides {
    return cache as unknown as Insides;
  }

  test('a sync that does not wait for what is on its way', async () => {
    expect(
      await isCaught(writeBack, (made) => {
        const { writer } = insides(made);
        const { flush } = writer;
        // Leaves it to the flight, as if that had ended.
        writer.flush = async (file) => {
          void flush.call(writer, file);
          await Promise.resolve();
        };
      }),
    ).toBe(true);
  });

  test('a stale buffer that is found again as if it were valid', async () => {
    expect(
      await isCaught({}, (made) => {
        const { store } = insides(made);
        const { stale } = store;
        store.stale = (buf) => {
          if (buf.holds === 0) {
            stale.call(store, buf);
          } else {
            buf.flags |= STALE;
            buf.flags &= ~STALE;
          }
        };
      }),
    ).toBe(true);
  });

  test('a write that fails and is counted as done', async () => {
    await expect(
      run(1, writeBack, 100, (made) => {
        const { writer } = insides(made);
        writer.failed = (_, buf) => writer.written(buf);
      }),
    ).rejects.toThrow();
  });
});
