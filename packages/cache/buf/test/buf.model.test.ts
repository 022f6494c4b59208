import { SeededRng } from '@core/base';
import { describe, expect, test } from 'vitest';
import type { Buf, BufCacheOptions } from '../src/index.js';
import { WRITING } from '../src/internal/flags.js';
import { BufModel } from './support/buf-model.js';
import { BLOCK, type Made, makeBuf } from './support/make-buf.js';
import { turns } from './support/test-source.js';

const ROUNDS = 6;

/** Runs a file against the model. Throws at the first difference. @returns failures that were met */
async function run(
  seed: number,
  options: BufCacheOptions,
  faults: number,
  bust?: (made: Made) => void,
): Promise<number> {
  const rng = new SeededRng(seed);
  const made = makeBuf(12 * BLOCK, { maxBytes: 16 * BLOCK, readaheadBytes: 4 * BLOCK, retryMs: 1, ...options });
  const { cache, file, source, timers } = made;
  bust?.(made);
  const model = new BufModel({
    cache,
    file,
    source,
    rng,
    callers: 4,
    maxBytes: 40 * BLOCK,
    faults,
    tick: () => timers.fire(),
  });
  for (let round = 0; round < ROUNDS; round++) {
    await model.round(40);
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
  interface Insides {
    readonly store: { stale(buf: Buf): void };
    readonly writer: {
      dirtyOf(file: unknown): Buf[];
      readonly runner: {
        written(buf: Buf): void;
        failed(job: unknown, buf: Buf, error: unknown): void;
      };
    };
  }

  function insides({ cache }: Made): Insides {
    return cache as unknown as Insides;
  }

  test('a write that fails and is counted as done', async () => {
    const writeBack = { writeBack: { delayMs: 1, maxDirtyBytes: 6 * BLOCK } };
    await expect(
      run(1, writeBack, 100, (made) => {
        const { runner } = insides(made).writer;
        runner.failed = (_, buf) => runner.written(buf);
      }),
    ).rejects.toThrow();
  });

  test('a sync that does not wait for what is on its way', async () => {
    const isDurable = async (bust: (made: Made) => void): Promise<boolean> => {
      const made = makeBuf(0, { writeBack: true });
      const { file, source, timers } = made;
      bust(made);
      await file.writeAt(0, Uint8Array.of(1));
      source.manual = true;
      timers.fire();
      await turns();
      let durable: boolean | null = null;
      const syncing = file.sync().then(() => {
        durable = source.durable[0] === 1;
      });
      await turns();
      // The last call first: what a sync should have waited for comes after what it did not wait for.
      while (source.pending > 0) {
        await source.step(source.pending - 1);
      }
      await syncing;
      return durable ?? false;
    };
    expect(await isDurable(() => {})).toBe(true);
    expect(
      await isDurable((made) => {
        const { writer } = insides(made);
        const { dirtyOf } = writer;
        writer.dirtyOf = (file) => dirtyOf.call(writer, file).filter((buf) => (buf.flags & WRITING) === 0);
      }),
    ).toBe(false);
  });

  test('a stale buffer that is found again as if it were valid', async () => {
    const isReadAgain = async (bust: (made: Made) => void): Promise<boolean> => {
      const made = makeBuf(BLOCK);
      const { file, source } = made;
      bust(made);
      using guard = await file.hold(0);
      await guard.buf.lock();
      guard.bytes.fill(77);
      guard.buf.stale();
      guard.buf.unlock();
      return Buffer.compare(await file.readAt(0, BLOCK), source.bytes) === 0;
    };
    expect(await isReadAgain(() => {})).toBe(true);
    expect(
      await isReadAgain((made) => {
        insides(made).store.stale = () => {};
      }),
    ).toBe(false);
  });

  test('a buffer on two queues at once', async () => {
    const { cache, file } = makeBuf(BLOCK);
    const [one, two] = [cache.delwriQueue(), cache.delwriQueue()];
    using guard = await file.hold(0);
    one.add(guard.buf);
    two.add(guard.buf);
    cache.checkInvariants();
    // As if nobody had looked whether it is on one.
    guard.buf.queue = null;
    two.add(guard.buf);
    expect(() => cache.checkInvariants()).toThrow('queue');
  });
});
