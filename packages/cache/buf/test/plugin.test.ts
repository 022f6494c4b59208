import { createHost, FrameworkError, TOKENS } from '@core/framework';
import { describe, expect, test } from 'vitest';
import { BufCache, bufCache, BufError, LRU_REFS } from '../src/index.js';
import { fault, TestSource } from './support/test-source.js';

const BLOCK = 4096;

describe('bufCache', () => {
  test('gives a host a cache, on its memory, and writes what waits when it closes', async () => {
    const plugin = bufCache({ writeBack: true });
    const host = await createHost({ plugins: [plugin] });
    const cache = host.get(plugin);
    expect([host.get(BufCache), cache.name, cache.blockBytes]).toEqual([cache, 'buf', BLOCK]);
    const source = new TestSource(3 * BLOCK);
    const file = cache.open(source);
    await file.readAt(0, 3 * BLOCK);
    await file.writeAt(0, Uint8Array.of(9));
    expect(host.get(TOKENS.MemoryGroup).usage('external')).toBe(cache.stats().arenaBytes);
    expect(host.stats().plugins.map(({ name }) => name)).toEqual(['buf']);
    await host.close();
    expect([source.bytes[0], source.closed]).toEqual([9, true]);
  });

  test('gives back under host.reclaim', async () => {
    const plugin = bufCache({ name: 'blocks', group: (root) => root.child('files') });
    await using host = await createHost({ plugins: [plugin] });
    const file = host.get(plugin).open(new TestSource(256 * BLOCK));
    await file.readAt(0, 256 * BLOCK);
    for (let pass = 0; pass < 10; pass++) {
      await host.reclaim({ zone: 'external', priority: 0 });
    }
    expect(host.get(plugin).stats().idle).toBe(0);
  });

  test('a host that closes over guards, or over writes that fail, says so', async () => {
    const plugin = bufCache({ writeBack: true });
    const host = await createHost({ plugins: [plugin] });
    const cache = host.get(plugin);
    const file = cache.open(new TestSource(BLOCK));
    const guard = await file.hold(0);
    const failing = new TestSource(BLOCK);
    const other = cache.open(failing);
    await other.writeAt(0, Uint8Array.of(1));
    failing.before = ({ kind }) => {
      if (kind === 'write') {
        throw fault('ENOSPC');
      }
    };
    const failure: unknown = await host.close().catch((error: unknown) => error);
    const causes = FrameworkError.is(failure) ? (failure.cause as AggregateError).errors : [];
    expect(causes.map((cause) => (BufError.is(cause) ? cause.code : cause))).toEqual(['ERR_BUF_WRITE']);
    expect([failing.closed, cache.stats().used]).toEqual([true, 1]);
    guard.release();

    const second = await createHost({ plugins: [plugin] });
    const held = await second.get(plugin).open(new TestSource(BLOCK)).hold(0);
    await expect(second.close()).rejects.toMatchObject({
      message: expect.stringContaining('1 blocks are held') as string,
    });
    held.release();
  });
});

describe('options', () => {
  test.each([
    [{ blockBytes: 1000 }, RangeError],
    [{ blockBytes: 256 }, RangeError],
    [{ blockBytes: 2 ** 21 }, RangeError],
    [{ blockBytes: '4096' as never }, RangeError],
    [{ maxBytes: 100 }, RangeError],
    [{ maxBytes: Number.NaN }, RangeError],
    [{ readaheadBytes: -1 }, RangeError],
    [{ maxWriteBytes: Number.NaN }, RangeError],
    [{ writeBack: 'yes' as never }, TypeError],
    [{ writeBack: { delay: 5 } as never }, TypeError],
    [{ writeBack: { delayMs: -5 } }, RangeError],
    [{ retries: -1 }, RangeError],
    [{ lruRefs: { x: 17 } }, RangeError],
    [{ lruRefs: { x: 0.5 } }, RangeError],
    [{ name: '' }, TypeError],
    [{ onError: 5 as never }, TypeError],
    [{ rcu: {} as never }, TypeError],
    [{ scheduler: {} as never }, TypeError],
    [{ group: {} as never }, TypeError],
    [{ blocksize: 4096 } as never, TypeError],
    [null as never, TypeError],
  ] as const)('%j is refused', (options, kind) => {
    expect(() => new BufCache(options)).toThrow(kind);
  });

  test('of open', () => {
    const cache = new BufCache();
    const source = new TestSource(1);
    expect(() => cache.open({} as never)).toThrow(TypeError);
    expect(() => cache.open(null as never)).toThrow(TypeError);
    expect(() => cache.open(source, { type: 'none' })).toThrow(RangeError);
    expect(() => cache.open(source, { onWriteError: 1 as never })).toThrow(TypeError);
    expect(() => cache.open(source, { kind: 1 } as never)).toThrow(TypeError);
    expect(LRU_REFS.data).toBe(1);
  });

  test('any size of a cache works', async () => {
    for (const blocks of [1, 2, 3, 7, 9, 100]) {
      const cache = new BufCache({ blockBytes: 512, maxBytes: blocks * 512 + 5, writeBack: true });
      const source = new TestSource(300 * 512);
      const file = cache.open(source);
      for (let round = 0; round < 3; round++) {
        const expected = source.bytes.subarray(round, round + 250 * 512);
        // As buffers: toEqual looks at each byte on its own.
        expect(Buffer.compare(await file.readAt(round, 250 * 512), expected)).toBe(0);
        expect(Buffer.compare(file.readAtSync(round, 250 * 512), expected)).toBe(0);
      }
      await file.writeAt(7, source.bytes.slice(0, 200 * 512));
      expect(cache.stats().used).toBeLessThanOrEqual(blocks);
      cache.checkInvariants();
      await cache.close();
      expect(cache.stats()).toMatchObject({ arenas: 0, used: 0 });
    }
  });
});
