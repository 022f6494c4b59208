import { describe, expect, test } from 'vitest';
import { BufError } from '../src/index.js';
import { BLOCK, makeBuf } from './support/make-buf.js';
import { fault, pattern, turn, turns } from './support/test-source.js';

describe('reading', () => {
  test('a block is read once, and then found', async () => {
    const { cache, file, source } = makeBuf(10 * BLOCK);
    expect(file.get(3)).toBeNull();
    const reading = file.read(3);
    expect(reading).toBeInstanceOf(Promise);
    const buf = await reading;
    expect([buf.block, buf.validBytes]).toEqual([3, BLOCK]);
    expect(buf.bytes).toEqual(source.bytes.subarray(3 * BLOCK, 4 * BLOCK));
    expect(file.get(3)).toBe(buf);
    expect(file.read(3)).toBe(buf);
    expect(file.readSync(3)).toBe(buf);
    expect(source.count('read')).toBe(1);
    expect(cache.stats()).toMatchObject({ hits: 3, misses: 1, reads: 1, readBlocks: 1, used: 1, idle: 1 });
    cache.checkInvariants();
  });

  test('concurrent readers share one read', async () => {
    const { cache, file, source } = makeBuf(10 * BLOCK);
    const bufs = await Promise.all([file.read(1), file.read(1), file.hold(1)]);
    expect(source.count('read')).toBe(1);
    expect([bufs[0], bufs[2].buf]).toEqual([bufs[1], bufs[1]]);
    bufs[2].release();
    cache.checkInvariants();
  });

  test('a synchronous read does not wait for one in flight, and that one is not lost', async () => {
    const { cache, file, source } = makeBuf(10 * BLOCK);
    source.manual = true;
    const reading = file.read(1);
    await turn();
    const buf = file.readSync(1);
    expect(buf.bytes).toEqual(source.bytes.subarray(BLOCK, 2 * BLOCK));
    await source.steps();
    expect(await reading).toBe(buf);
    expect(source.count('read')).toBe(2);
    cache.checkInvariants();
  });

  test('bytes at any position, at once when they are there', async () => {
    const { file, source } = makeBuf(10 * BLOCK);
    for (const [position, length] of [
      [0, 10],
      [BLOCK - 5, 10],
      [100, 3 * BLOCK],
      [2 * BLOCK, BLOCK],
      [9 * BLOCK + 500, 100],
    ] as const) {
      const expected = source.bytes.slice(position, position + length);
      expect(await file.readAt(position, length)).toEqual(expected);
      expect(file.readAt(position, length)).toEqual(expected);
      expect(file.readAtSync(position, length)).toEqual(expected);
    }
    const target = new Uint8Array(20);
    expect(file.readInto(target, 5, 10, 100)).toBe(10);
    expect(target.subarray(5, 15)).toEqual(source.bytes.subarray(100, 110));
    expect([...target.subarray(0, 5), ...target.subarray(15)]).toEqual(Array.from({ length: 10 }, () => 0));
  });

  test('neighbours that are missing are read together', async () => {
    const { file, source } = makeBuf(10 * BLOCK);
    await file.read(4);
    await file.readAt(0, 8 * BLOCK);
    expect(source.calls.map(({ position, length }) => [position / BLOCK, length / BLOCK])).toEqual([
      [4, 1],
      [0, 4],
      [5, 3],
    ]);
    // They lie side by side in memory, so they are one buffer.
    expect(source.calls[1]?.vectors).toBe(1);
  });

  test('where the file ends: fewer bytes, and zeros behind them', async () => {
    const { cache, file, source } = makeBuf(BLOCK + 100);
    expect(file.knownBytes).toBe(Infinity);
    expect(await file.readAt(BLOCK, BLOCK)).toEqual(source.bytes.subarray(BLOCK));
    expect(file.knownBytes).toBe(BLOCK + 100);
    const buf = file.readSync(1);
    expect(buf.validBytes).toBe(100);
    expect(buf.bytes.subarray(100).every((byte) => byte === 0)).toBe(true);
    expect(await file.readAt(BLOCK + 100, 10)).toHaveLength(0);
    const behind = await file.read(5);
    expect([behind.validBytes, behind.bytes.every((byte) => byte === 0)]).toEqual([0, true]);
    cache.checkInvariants();
  });

  test('a block that is reused keeps nothing of what it was', async () => {
    const { cache, file, source } = makeBuf(64 * BLOCK, { maxBytes: 8 * BLOCK });
    source.bytes.fill(0xee);
    for (let block = 0; block < 64; block++) {
      await file.readAt(block * BLOCK, BLOCK);
    }
    const short = cache.open(new (source.constructor as new (bytes: Uint8Array) => typeof source)(Uint8Array.of(7)));
    for (let round = 0; round < 20; round++) {
      const buf = await short.read(round % 2);
      expect([buf.bytes[0], buf.bytes.subarray(1).some((byte) => byte !== 0)]).toEqual([
        round % 2 === 0 ? 7 : 0,
        false,
      ]);
      short.invalidate();
      await file.readAt((round % 64) * BLOCK, BLOCK);
    }
    cache.checkInvariants();
  });

  test('short reads are continued', async () => {
    const { file, source } = makeBuf(4 * BLOCK);
    source.before = ({ kind }) => (kind === 'read' ? 100 : undefined);
    expect(await file.readAt(0, 4 * BLOCK)).toEqual(source.bytes);
    const other = makeBuf(4 * BLOCK);
    other.source.before = () => 700;
    expect(other.file.readAtSync(0, 4 * BLOCK)).toEqual(other.source.bytes);
  });

  test('a file that shrinks while it is read', async () => {
    const { cache, file, source } = makeBuf(10 * BLOCK);
    const first = await file.hold(9);
    source.resize(3 * BLOCK + 7);
    // The read of block 3 comes short, so the file ends there, and what was cached behind is no longer found.
    expect(await file.readAt(3 * BLOCK, 4 * BLOCK)).toEqual(source.bytes.subarray(3 * BLOCK));
    expect(file.knownBytes).toBe(3 * BLOCK + 7);
    expect(file.get(9)).toBeNull();
    // Who holds it keeps its bytes.
    expect(first.bytes).toEqual(pattern(10 * BLOCK).subarray(9 * BLOCK));
    first.release();
    cache.checkInvariants();
  });

  test('where somebody has seen it end, nothing behind is read', async () => {
    const { cache, file, source } = makeBuf(10 * BLOCK);
    const kept = file.readSync(1).bytes;
    file.holdSync(9).release();
    file.endsAt(5 * BLOCK + 3);
    expect([file.knownBytes, file.get(9), file.get(1)?.bytes]).toEqual([5 * BLOCK + 3, null, kept]);
    expect(await file.readAt(4 * BLOCK, 3 * BLOCK)).toEqual(source.bytes.subarray(4 * BLOCK, 5 * BLOCK + 3));
    const reads = source.count('read');
    expect(await file.readAt(6 * BLOCK, BLOCK)).toHaveLength(0);
    expect(source.count('read')).toBe(reads);
    // It has grown: by who has seen it, it is told anew.
    file.invalidate();
    file.endsAt(7 * BLOCK);
    expect(file.readAtSync(6 * BLOCK, 3 * BLOCK)).toEqual(source.bytes.subarray(6 * BLOCK, 7 * BLOCK));
    expect(() => file.endsAt(-1)).toThrow(RangeError);
    await file.close();
    expect(() => file.endsAt(1)).toThrow(BufError);
    cache.checkInvariants();
  });

  test('errors reach those who asked, and the next one tries again', async () => {
    const { cache, file, source } = makeBuf(10 * BLOCK);
    source.before = () => {
      throw fault('EIO');
    };
    const both = await Promise.allSettled([file.read(1), file.read(1)]);
    expect(both.map((result) => result.status === 'rejected' && (result.reason as { code: string }).code)).toEqual([
      'EIO',
      'EIO',
    ]);
    expect(source.count('read')).toBe(1);
    expect(() => file.readSync(1)).toThrow('EIO');
    source.before = () => {};
    expect((await file.read(1)).bytes).toEqual(source.bytes.subarray(BLOCK, 2 * BLOCK));
    cache.checkInvariants();
  });

  test('an error of a neighbour is not the reader’s', async () => {
    const { cache, file, source } = makeBuf(10 * BLOCK);
    source.before = ({ position, length }) => {
      if (position <= 3 * BLOCK && position + length > 3 * BLOCK) {
        throw fault('EIO');
      }
    };
    const target = new Uint8Array(5 * BLOCK);
    await expect(file.readInto(target, 0, target.length, 0)).rejects.toThrow('EIO');
    expect(target.subarray(0, 3 * BLOCK)).toEqual(source.bytes.subarray(0, 3 * BLOCK));
    expect(file.readAtSync(BLOCK, BLOCK)).toEqual(source.bytes.subarray(BLOCK, 2 * BLOCK));
    expect(() => file.readAtSync(0, 5 * BLOCK)).toThrow('EIO');
    cache.checkInvariants();
  });
});

describe('holding', () => {
  test('a guard keeps the bytes across awaits, whatever is evicted', async () => {
    const { cache, file, source } = makeBuf(64 * BLOCK, { maxBytes: 8 * BLOCK });
    using guard = await file.hold(5);
    for (let block = 0; block < 64; block++) {
      await file.read(block);
      expect(guard.bytes).toEqual(source.bytes.subarray(5 * BLOCK, 6 * BLOCK));
    }
    expect(file.get(5)).toBe(guard.buf);
    expect(cache.stats().used).toBeLessThanOrEqual(8);
    cache.checkInvariants();
  });

  test('what is shown keeps its bytes until the turn ends', () => {
    const { file, source } = makeBuf(64 * BLOCK, { maxBytes: 8 * BLOCK });
    const bufs = [];
    for (let block = 0; block < 10; block++) {
      bufs.push(file.readSync(block));
    }
    for (const [block, { bytes }] of bufs.entries()) {
      expect(bytes).toEqual(source.bytes.subarray(block * BLOCK, (block + 1) * BLOCK));
    }
  });

  test('too much shown in one turn: an error, and room after it', async () => {
    const { cache, file } = makeBuf(64 * BLOCK, { maxBytes: 8 * BLOCK });
    expect(() => {
      for (let block = 0; block < 64; block++) {
        file.readSync(block);
      }
    }).toThrow(expect.objectContaining({ code: 'ERR_BUF_FULL' }));
    cache.checkInvariants();
    await turns();
    expect(file.readSync(60).block).toBe(60);
    // What only copies shows nothing.
    for (let block = 0; block < 64; block++) {
      expect(file.readAtSync(block * BLOCK, 1)).toHaveLength(1);
    }
    cache.checkInvariants();
  });

  test('all held: an error; asynchronous callers wait for a grace period', async () => {
    const { cache, file } = makeBuf(64 * BLOCK, { maxBytes: 4 * BLOCK });
    const guards = [];
    for (let block = 0; block < 4; block++) {
      guards.push(await file.hold(block));
    }
    await expect(file.read(9)).rejects.toMatchObject({ code: 'ERR_BUF_FULL' });
    expect(() => file.readAtSync(9 * BLOCK, 1)).toThrow(BufError);
    for (const guard of guards) {
      guard.release();
    }
    expect((await file.read(9)).block).toBe(9);
    for (let block = 0; block < 64; block++) {
      await file.read(block);
    }
    cache.checkInvariants();
  });

  test('the raw pair, and its faults', async () => {
    const { cache, file } = makeBuf(64 * BLOCK, { maxBytes: 4 * BLOCK });
    const buf = await file.read(0);
    buf.hold();
    buf.hold();
    buf.release();
    for (let block = 1; block < 30; block++) {
      await file.readAt(block * BLOCK, 1);
    }
    expect(file.get(0)).toBe(buf);
    buf.release();
    expect(() => buf.release()).toThrow(expect.objectContaining({ code: 'ERR_BUF_NOT_HELD' }));
    expect(() => buf.tryLock()).toThrow(expect.objectContaining({ code: 'ERR_BUF_NOT_HELD' }));
    file.invalidate();
    expect(() => buf.hold()).toThrow(expect.objectContaining({ code: 'ERR_BUF_STALE' }));
    const guard = await file.hold(0);
    guard.release();
    guard.release();
    expect(() => guard.bytes).toThrow(expect.objectContaining({ code: 'ERR_BUF_NOT_HELD' }));
    cache.checkInvariants();
  });

  test('a guard that is collected is reported and let go', async () => {
    const { cache, file, errors } = makeBuf(4 * BLOCK);
    await (async () => {
      await file.hold(0);
    })();
    for (let round = 0; round < 50 && errors.length === 0; round++) {
      (globalThis as { gc?: () => void }).gc?.();
      await turn();
    }
    expect(errors).toMatchObject([{ code: 'ERR_BUF_LEAK' }]);
    expect(cache.stats()).toMatchObject({ held: 0, leaks: 1, idle: 1 });
  });
});

describe('locks', () => {
  test('are granted in order, one at a time, and readers wait', async () => {
    const { cache, file, source } = makeBuf(4 * BLOCK);
    using guard = await file.hold(0);
    const { buf } = guard;
    const order: string[] = [];
    expect([buf.tryLock(), buf.tryLock()]).toEqual([true, false]);
    const others = ['a', 'b', 'c'].map(async (name) => {
      await buf.lock();
      order.push(name);
      await turn();
      order.push(name);
      buf.unlock();
    });
    expect(file.get(0)).toBeNull();
    expect(() => file.readSync(0)).toThrow(expect.objectContaining({ code: 'ERR_BUF_LOCKED' }));
    expect(() => file.readAtSync(0, 1)).toThrow(expect.objectContaining({ code: 'ERR_BUF_LOCKED' }));
    expect(() => file.writeAtSync(0, Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'ERR_BUF_LOCKED' }));
    const read = file.readAt(0, 2);
    buf.bytes[0] = 99;
    await turn();
    buf.bytes[1] = 98;
    buf.unlock();
    expect([...(await read)]).toEqual([99, 98]);
    await Promise.all(others);
    expect(order.join('')).toBe('aabbcc');
    expect(() => buf.unlock()).toThrow(expect.objectContaining({ code: 'ERR_BUF_NOT_LOCKED' }));
    expect(source.bytes[0]).not.toBe(99);
    cache.checkInvariants();
  });
});

test('several readers who wait for one lock all get the block', async () => {
  const { cache, file, source } = makeBuf(4 * BLOCK);
  using guard = await file.hold(0);
  await guard.buf.lock();
  const reads = [file.read(0), file.hold(0), file.readAt(0, 5), file.readAt(1, 5), file.writeAt(2, Uint8Array.of(9))];
  await turn();
  guard.buf.unlock();
  const [, held] = await Promise.all(reads);
  (held as { release(): void }).release();
  expect(source.bytes[2]).toBe(9);
  cache.checkInvariants();
});

describe('stale', () => {
  test('a stale buffer that is looked for is read again', async () => {
    const { cache, file, source } = makeBuf(4 * BLOCK);
    const guard = await file.hold(0);
    const { buf } = guard;
    expect(() => buf.stale()).toThrow(expect.objectContaining({ code: 'ERR_BUF_NOT_LOCKED' }));
    await buf.lock();
    buf.bytes[0] = 77;
    buf.delayWrite();
    buf.stale();
    buf.stale();
    expect([buf.isStale, buf.isDirty, cache.stats().dirty]).toEqual([true, false, 0]);
    expect(() => buf.delayWrite()).toThrow(expect.objectContaining({ code: 'ERR_BUF_STALE' }));
    buf.unlock();
    expect(file.get(0)).toBeNull();
    const fresh = await file.read(0);
    expect(fresh).not.toBe(buf);
    expect(fresh.bytes[0]).toBe(source.bytes[0]);
    // The holder keeps what he has.
    expect(guard.bytes[0]).toBe(77);
    guard.release();
    await file.sync();
    expect(source.count('write')).toBe(0);
    cache.checkInvariants();
  });

  test('a block that goes stale while it is read is read again for those who wait', async () => {
    const { cache, file, source } = makeBuf(4 * BLOCK);
    source.manual = true;
    const reading = file.readAt(0, 1);
    await turn();
    source.bytes[0] = 123;
    expect(file.invalidate()).toBe(1);
    source.before = () => {
      source.before = () => {};
      // What was on its way comes with what was there before.
      source.bytes[0] = 55;
    };
    await source.step();
    source.bytes[0] = 123;
    await source.steps();
    expect([...(await reading)]).toEqual([123]);
    cache.checkInvariants();
  });

  test('invalidate: by range, and what waits to be written stays', async () => {
    const { cache, file, source } = makeBuf(10 * BLOCK, { writeBack: true });
    await file.readAt(0, 10 * BLOCK);
    await file.writeAt(2 * BLOCK, Uint8Array.of(1));
    expect(file.invalidate({ position: 100, length: BLOCK })).toBe(2);
    expect([file.get(0), file.get(1), file.get(3)?.block]).toEqual([null, null, 3]);
    expect(file.invalidate()).toBe(7);
    expect([file.cached, file.dirty, file.get(2)?.bytes[0]]).toEqual([1, 1, 1]);
    expect(file.invalidate({ discard: true })).toBe(1);
    expect([file.cached, file.dirty]).toEqual([0, 0]);
    expect((await file.readAt(2 * BLOCK, 1))[0]).toBe(source.bytes[2 * BLOCK]);
    expect(source.count('write')).toBe(0);
    cache.checkInvariants();
  });

  test('invalidate forgets where the file ended', async () => {
    const { cache, file, source } = makeBuf(BLOCK + 10);
    await file.readAt(0, 10 * BLOCK);
    source.resize(3 * BLOCK);
    source.bytes.fill(9, BLOCK);
    expect(await file.readAt(BLOCK, BLOCK)).toHaveLength(10);
    file.invalidate({ position: 2 * BLOCK });
    expect(await file.readAt(BLOCK, 10 * BLOCK)).toEqual(source.bytes.subarray(BLOCK));
    cache.checkInvariants();
  });
});

describe('arguments', () => {
  test('are checked', async () => {
    const { cache, file } = makeBuf(10);
    const data = new Uint8Array(4);
    for (const position of [-1, 0.5, Number.NaN, 2 ** 53, Infinity, '1' as never]) {
      expect(() => file.readAt(position, 1)).toThrow(RangeError);
      expect(() => file.readInto(data, 0, 1, position)).toThrow(RangeError);
      await expect(file.writeAt(position, data)).rejects.toThrow(RangeError);
      await expect(file.truncate(position)).rejects.toThrow(RangeError);
      await expect(file.read(position)).rejects.toThrow(RangeError);
      expect(() => file.readSync(position)).toThrow(RangeError);
      expect(file.get(position)).toBeNull();
    }
    for (const [offset, length] of [
      [-1, 1],
      [0, 5],
      [4, 1],
      [0, -1],
      [0.5, 1],
      [0, Number.NaN],
    ] as const) {
      expect(() => file.readInto(data, offset, length, 0)).toThrow(RangeError);
    }
    expect(() => file.readInto('x' as never, 0, 1, 0)).toThrow(TypeError);
    await expect(file.writeAt(0, 'x' as never)).rejects.toThrow(TypeError);
    expect(() => file.readInto(data, 0, 2, 2 ** 53 - 2)).toThrow(RangeError);
    expect(() => file.invalidate({ length: -1 })).toThrow(RangeError);
    cache.checkInvariants();
  });
});
