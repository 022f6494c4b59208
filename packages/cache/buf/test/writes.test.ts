import { describe, expect, test } from 'vitest';
import { BufError } from '../src/index.js';
import { BLOCK, makeBuf } from './support/make-buf.js';
import { type Call, fault, pattern, turn, turns } from './support/test-source.js';

const WRITE_BACK = { writeBack: { delayMs: 10 } };

/** Where the writes went, in blocks, and in how many buffers. */
function writesOf(calls: readonly Call[]): (readonly [number, number])[] {
  return calls
    .filter(({ kind }) => kind === 'write')
    .map(({ position, length }) => [position / BLOCK, length / BLOCK] as const);
}

function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

describe('write-through', () => {
  test('the file has it when it resolves; whole blocks are not read before', async () => {
    const { cache, file, source } = makeBuf(10 * BLOCK);
    await file.writeAt(BLOCK, bytes(2 * BLOCK, 1));
    expect([source.count('read'), writesOf(source.calls)]).toEqual([0, [[1, 2]]]);
    await file.writeAt(5 * BLOCK + 10, bytes(20, 2));
    expect(source.count('read')).toBe(1);
    file.writeAtSync(5 * BLOCK + 30, bytes(BLOCK, 3));
    const expected = pattern(10 * BLOCK);
    expected.fill(1, BLOCK, 3 * BLOCK);
    expected.fill(2, 5 * BLOCK + 10, 5 * BLOCK + 30);
    expected.fill(3, 5 * BLOCK + 30, 6 * BLOCK + 30);
    expect(source.bytes).toEqual(expected);
    expect(await file.readAt(0, 10 * BLOCK)).toEqual(expected);
    expect(cache.stats().dirty).toBe(0);
    cache.checkInvariants();
  });

  test('what fails is dropped, and the caller hears of it', async () => {
    const { cache, file, source, errors, timers } = makeBuf(4 * BLOCK);
    await file.readAt(0, 4 * BLOCK);
    source.before = ({ kind }) => {
      if (kind === 'write') {
        throw fault('EIO');
      }
    };
    const failure = await file.writeAt(10, bytes(BLOCK, 1)).catch((error: unknown) => error);
    expect(BufError.is(failure) && [failure.code, failure.ranges]).toEqual([
      'ERR_BUF_WRITE',
      [{ position: 0, length: 2 * BLOCK }],
    ]);
    expect(() => file.writeAtSync(10, bytes(1, 1))).toThrow(expect.objectContaining({ code: 'ERR_BUF_WRITE' }));
    expect(cache.stats().dirty).toBe(0);
    source.before = () => {};
    timers.fire();
    await turns();
    expect(await file.readAt(0, 4 * BLOCK)).toEqual(pattern(4 * BLOCK));
    expect(errors).toEqual([]);
    cache.checkInvariants();
  });

  test('who changed a block that another call has written in vain hears of it too', async () => {
    const { cache, file, source } = makeBuf(4 * BLOCK);
    await file.readAt(0, 4 * BLOCK);
    source.before = ({ kind }) => {
      if (kind === 'write') {
        throw fault('EIO');
      }
    };
    const results = await Promise.allSettled([
      file.writeAt(0, bytes(BLOCK, 1)),
      file.writeAt(BLOCK - 10, bytes(BLOCK, 2)),
      file.writeAt(5, bytes(1, 3)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(file.readAtSync(0, 4 * BLOCK)).toEqual(source.bytes);
    cache.checkInvariants();
  });

  test('what made the file longer and failed leaves it as long as it was', async () => {
    const { cache, file, source } = makeBuf(100);
    await file.readAt(0, BLOCK);
    source.before = ({ kind }) => {
      if (kind === 'write') {
        throw fault('ENOSPC');
      }
    };
    await expect(file.writeAt(3 * BLOCK, bytes(5, 1))).rejects.toMatchObject({ code: 'ERR_BUF_WRITE' });
    expect([file.knownBytes, await file.readAt(0, 9 * BLOCK)]).toEqual([100, pattern(100)]);
    expect(() => file.writeAtSync(50, bytes(BLOCK, 1))).toThrow(BufError);
    expect([file.knownBytes, await file.readAt(0, 9 * BLOCK)]).toEqual([100, pattern(100)]);
    cache.checkInvariants();
  });

  test('more than the cache holds', async () => {
    const { cache, file, source } = makeBuf(0, { maxBytes: 4 * BLOCK });
    const data = pattern(40 * BLOCK + 17, 3);
    await file.writeAt(3, data);
    expect(source.bytes.subarray(3)).toEqual(data);
    file.writeAtSync(7, data);
    expect(source.bytes.subarray(7)).toEqual(data);
    cache.checkInvariants();
  });
});

describe('delayed writes', () => {
  test('wait, and go out in order, neighbours together', async () => {
    const { cache, file, source, timers } = makeBuf(20 * BLOCK, WRITE_BACK);
    for (const block of [9, 3, 1, 4, 2, 15, 8]) {
      await file.writeAt(block * BLOCK, bytes(BLOCK, block));
    }
    expect([source.calls.length, file.dirty, cache.stats().dirty]).toEqual([0, 7, 7]);
    cache.checkInvariants();
    expect(file.get(9)?.isDirty).toBe(true);
    timers.fire();
    await turns();
    expect(writesOf(source.calls)).toEqual([
      [1, 4],
      [8, 2],
      [15, 1],
    ]);
    expect([file.dirty, source.bytes[9 * BLOCK]]).toEqual([0, 9]);
    cache.checkInvariants();
  });

  test('one write takes no more buffers and bytes than allowed', async () => {
    const { cache, file, source } = makeBuf(0, { ...WRITE_BACK, maxBytes: 4096 * BLOCK, maxWriteBytes: 3 * BLOCK });
    await file.writeAt(0, bytes(8 * BLOCK, 1));
    await file.sync();
    expect(writesOf(source.calls)).toEqual([
      [0, 3],
      [3, 3],
      [6, 2],
    ]);
    const large = makeBuf(0, { writeBack: { maxDirtyBytes: 4096 * BLOCK }, maxBytes: 4096 * BLOCK });
    await large.file.writeAt(0, bytes(1500 * BLOCK, 1));
    await large.file.sync();
    expect(writesOf(large.source.calls)).toEqual([
      [0, 1024],
      [1024, 476],
    ]);
    expect(Math.max(...large.source.calls.map(({ vectors }) => vectors))).toBeLessThanOrEqual(1024);
    cache.checkInvariants();
  });

  test('the file grows by what was written, and no more; holes are zeros', async () => {
    const { cache, file, source } = makeBuf(100, WRITE_BACK);
    expect(await file.readAt(0, BLOCK)).toHaveLength(100);
    await file.writeAt(3 * BLOCK + 5, bytes(10, 7));
    const expected = new Uint8Array(3 * BLOCK + 15);
    expected.set(pattern(100));
    expected.fill(7, 3 * BLOCK + 5);
    // Before the file has it: the block that was the last, one that nobody has read, and the new one.
    expect(await file.readAt(0, 10 * BLOCK)).toEqual(expected);
    expect(file.knownBytes).toBe(expected.length);
    await file.sync();
    expect(source.bytes).toEqual(expected);
    file.invalidate();
    expect(await file.readAt(0, 10 * BLOCK)).toEqual(expected);
    cache.checkInvariants();
  });

  test('short writes are continued', async () => {
    const { file, source } = makeBuf(0, WRITE_BACK);
    const data = pattern(6 * BLOCK, 1);
    await file.writeAt(0, data);
    source.before = ({ kind }) => (kind === 'write' ? 700 : undefined);
    await file.sync();
    expect(source.bytes).toEqual(data);
    await file.writeAt(0, bytes(6 * BLOCK, 9));
    file.syncSync();
    expect(source.bytes).toEqual(bytes(6 * BLOCK, 9));
  });

  test('an error in the middle: what was written is clean, the rest is not', async () => {
    const { cache, file, source, errors, timers } = makeBuf(0, WRITE_BACK);
    await file.writeAt(0, pattern(6 * BLOCK, 1));
    source.before = ({ kind, position, length }) => {
      if (kind === 'write' && position + length > 2 * BLOCK && position < 3 * BLOCK) {
        if (position < 2 * BLOCK) {
          return 2 * BLOCK - position;
        }
        throw fault('EIO');
      }
      return undefined;
    };
    timers.fire();
    await turns();
    expect([file.dirty, file.get(2)?.isDirty, file.get(1)?.isDirty, file.get(3)?.isDirty]).toEqual([
      1,
      true,
      false,
      false,
    ]);
    expect(errors).toMatchObject([{ code: 'ERR_BUF_WRITE', ranges: [{ position: 2 * BLOCK, length: BLOCK }] }]);
    cache.checkInvariants();
    // Tried again after a while, by itself.
    source.before = () => {};
    timers.fire();
    await turns();
    expect([file.dirty, source.bytes]).toEqual([0, pattern(6 * BLOCK, 1)]);
  });

  test('no space: nothing more of the run is tried', async () => {
    const { file, source, errors, timers } = makeBuf(0, WRITE_BACK);
    await file.writeAt(0, pattern(6 * BLOCK, 1));
    source.before = ({ kind }) => {
      if (kind === 'write') {
        throw fault('ENOSPC');
      }
    };
    timers.fire();
    await turns();
    expect([source.count('write'), file.dirty, errors.length]).toEqual([1, 6, 1]);
    // What is read is what was written.
    expect(await file.readAt(0, 6 * BLOCK)).toEqual(pattern(6 * BLOCK, 1));
  });

  test('retries back off, then stop until sync reports', async () => {
    const reported: unknown[] = [];
    const { cache, file, source, timers } = makeBuf(
      0,
      { ...WRITE_BACK, retryMs: 10, retries: 3 },
      { onWriteError: (error, from) => void reported.push([error.ranges, from]) },
    );
    await file.writeAt(BLOCK, bytes(BLOCK, 1));
    source.before = ({ kind }) => {
      if (kind === 'write') {
        throw fault('EIO');
      }
    };
    const delays: number[] = [];
    for (let round = 0; round < 8; round++) {
      delays.push(...timers.timers.map(({ delayMs }) => delayMs));
      timers.fire();
      await turns();
    }
    // The background looks every 10 ms; the retries come after 10, 20 and 40.
    expect(delays.filter((delayMs) => delayMs > 10)).toEqual([20, 40]);
    expect(source.count('write')).toBe(4);
    const range = { position: BLOCK, length: BLOCK };
    expect(reported).toEqual(Array.from({ length: 4 }, () => [[range], source]));
    expect([file.get(1)?.hasWriteFailed, file.dirty]).toEqual([true, 1]);
    cache.checkInvariants();

    await expect(file.sync()).rejects.toMatchObject({ code: 'ERR_BUF_WRITE', ranges: [range] });
    expect([source.count('write'), source.count('datasync'), file.dirty]).toEqual([5, 0, 1]);
    // It was reported, so it is tried again; and nothing is lost.
    expect(file.get(1)?.hasWriteFailed).toBe(false);
    source.before = () => {};
    timers.fire();
    await turns();
    expect([file.dirty, source.bytes[BLOCK]]).toEqual([0, 1]);
    await file.sync();
    cache.checkInvariants();
  });

  test('a failed datasync is an error of its own', async () => {
    const { file, source } = makeBuf(0, WRITE_BACK);
    await file.writeAt(0, bytes(1, 1));
    source.before = ({ kind }) => {
      if (kind === 'datasync') {
        throw fault('EIO');
      }
    };
    await expect(file.sync()).rejects.toMatchObject({ code: 'ERR_BUF_SYNC' });
    expect(() => file.syncSync()).toThrow(expect.objectContaining({ code: 'ERR_BUF_SYNC' }));
  });

  test('sync waits for what is on its way, and for what waits for it', async () => {
    const { cache, file, source, timers } = makeBuf(4 * BLOCK, WRITE_BACK);
    await file.writeAt(0, bytes(BLOCK, 1));
    source.manual = true;
    timers.fire();
    await turns();
    expect(source.pending).toBe(1);
    // Changed while it is on its way: this waits for the lock, a synchronous change does not.
    const later = file.writeAt(0, bytes(1, 2));
    file.writeAtSync(1, bytes(1, 3));
    cache.checkInvariants();
    let synced = false;
    const syncing = file.sync().then(() => {
      synced = true;
    });
    await turns();
    expect([synced, source.count('datasync')]).toEqual([false, 0]);
    await source.steps();
    await Promise.all([later, syncing]);
    await file.sync;
    source.manual = false;
    await file.sync();
    expect([...source.durable.subarray(0, 3)]).toEqual([2, 3, 1]);
    cache.checkInvariants();
  });

  test('sync does not rest on a write that fails after its block was changed', async () => {
    const { cache, file, source, timers } = makeBuf(4 * BLOCK, WRITE_BACK);
    await file.writeAt(0, bytes(BLOCK, 1));
    source.manual = true;
    timers.fire();
    await turns();
    const syncing = file.sync();
    file.writeAtSync(0, bytes(1, 2));
    source.before = () => {
      source.before = () => {};
      throw fault('EIO');
    };
    await source.steps();
    await syncing;
    expect([...source.durable.subarray(0, 2)]).toEqual([2, 1]);
    cache.checkInvariants();
  });

  test('discarding what made the file longer', async () => {
    const { cache, file } = makeBuf(100, WRITE_BACK);
    await file.readAt(0, BLOCK);
    await file.writeAt(2 * BLOCK, bytes(BLOCK, 1));
    await file.writeAt(5 * BLOCK, bytes(10, 1));
    file.invalidate({ position: 5 * BLOCK, discard: true });
    expect([file.knownBytes, file.readAtSync(0, 9 * BLOCK).length]).toEqual([3 * BLOCK, 3 * BLOCK]);
    file.invalidate({ discard: true });
    expect(file.readAtSync(0, 9 * BLOCK)).toEqual(pattern(100));
    cache.checkInvariants();
  });

  test('older bytes never land on newer ones', async () => {
    const { cache, file, source, timers } = makeBuf(4 * BLOCK, WRITE_BACK);
    await file.writeAt(0, bytes(BLOCK, 1));
    source.manual = true;
    timers.fire();
    await turns();
    file.writeAtSync(0, bytes(BLOCK, 2));
    // The one on its way has the old bytes, so this cannot be made durable without waiting for it.
    expect(() => file.syncSync()).toThrow(expect.objectContaining({ code: 'ERR_BUF_BUSY' }));
    const syncing = file.sync();
    await turns();
    expect(source.pending).toBe(1);
    await source.steps();
    await syncing;
    expect([...source.durable.subarray(0, 2)]).toEqual([2, 2]);
    cache.checkInvariants();
  });

  test('a synchronous sync writes again what is on its way unchanged', async () => {
    const { cache, file, source, timers } = makeBuf(4 * BLOCK, WRITE_BACK);
    await file.writeAt(0, bytes(BLOCK, 1));
    source.manual = true;
    timers.fire();
    await turns();
    file.syncSync();
    expect(source.durable.subarray(0, BLOCK)).toEqual(bytes(BLOCK, 1));
    cache.checkInvariants();
    await source.steps();
    expect(file.dirty).toBe(0);
    cache.checkInvariants();
  });

  test('too many: writers wait for the background', async () => {
    const { cache, file, source } = makeBuf(0, { writeBack: { maxDirtyBytes: 8 * BLOCK }, maxBytes: 64 * BLOCK });
    for (let block = 0; block < 100; block++) {
      await file.writeAt(block * BLOCK, bytes(BLOCK, block));
      expect(file.dirty).toBeLessThanOrEqual(16);
    }
    for (let block = 0; block < 100; block++) {
      file.writeAtSync(block * BLOCK, bytes(BLOCK, block));
      expect(file.dirty).toBeLessThanOrEqual(8);
    }
    await file.sync();
    expect(source.bytes[99 * BLOCK]).toBe(99);
    cache.checkInvariants();
  });

  test('a cache of dirty blocks makes room by writing', async () => {
    const { cache, file, source } = makeBuf(64 * BLOCK, { writeBack: { maxDirtyBytes: 1e9 }, maxBytes: 8 * BLOCK });
    for (let block = 0; block < 30; block++) {
      await file.writeAt(block * BLOCK, bytes(1, block));
    }
    for (let block = 30; block < 60; block++) {
      file.writeAtSync(block * BLOCK, bytes(1, block));
    }
    await file.sync();
    expect(Array.from({ length: 60 }, (_, block) => source.bytes[block * BLOCK])).toEqual(
      Array.from({ length: 60 }, (_, block) => block),
    );
    cache.checkInvariants();
  });
});

describe('queues of callers', () => {
  test('hold what is on them, and write when they are told', async () => {
    const { cache, file, source, timers } = makeBuf(8 * BLOCK, WRITE_BACK);
    const queue = cache.delwriQueue();
    for (const block of [5, 2, 4]) {
      using guard = await file.hold(block);
      await guard.buf.lock();
      guard.bytes[0] = block;
      expect(guard.buf.delayWrite(queue)).toBe(true);
      guard.buf.unlock();
    }
    cache.checkInvariants();
    timers.fire();
    await turns();
    expect([queue.length, source.count('write')]).toEqual([3, 0]);
    expect(await queue.submit()).toBe(0);
    expect([queue.length, writesOf(source.calls)]).toEqual([
      0,
      [
        [2, 1],
        [4, 2],
      ],
    ]);
    cache.checkInvariants();
  });

  test('a buffer is on one queue at most', async () => {
    const { cache, file, source } = makeBuf(8 * BLOCK, WRITE_BACK);
    const [one, two] = [cache.delwriQueue(), cache.delwriQueue()];
    using guard = await file.hold(1);
    expect([one.add(guard.buf), one.add(guard.buf), two.add(guard.buf)]).toEqual([true, false, false]);
    await guard.buf.lock();
    expect(guard.buf.delayWrite()).toBe(false);
    guard.buf.unlock();
    cache.checkInvariants();
    await two.submit();
    expect(source.count('write')).toBe(0);
    // Sync writes it, whichever it is on.
    await file.sync();
    expect([source.count('write'), one.length]).toEqual([1, 0]);
    cache.checkInvariants();
  });

  test('nowait passes over what is locked; otherwise submit waits', async () => {
    const { cache, file, source } = makeBuf(8 * BLOCK, WRITE_BACK);
    const queue = cache.delwriQueue();
    const guards = await Promise.all([1, 2, 3].map((block) => file.hold(block)));
    for (const { buf } of guards) {
      queue.add(buf);
    }
    const locked = guards[1]?.buf as (typeof guards)[number]['buf'];
    await locked.lock();
    expect(await queue.submit({ nowait: true })).toBe(1);
    expect(writesOf(source.calls)).toEqual([
      [1, 1],
      [3, 1],
    ]);
    expect(() => queue.submitSync()).toThrow(expect.objectContaining({ code: 'ERR_BUF_LOCKED' }));
    const submitting = queue.submit();
    await turn();
    expect(queue.length).toBe(1);
    locked.bytes[0] = 200;
    locked.unlock();
    await submitting;
    expect([queue.length, source.bytes[2 * BLOCK]]).toEqual([0, 200]);
    cache.checkInvariants();
    for (const guard of guards) {
      guard.release();
    }
  });

  test('cancel drops what was not written', async () => {
    const { cache, file, source } = makeBuf(8 * BLOCK);
    const queue = cache.delwriQueue();
    using guard = await file.hold(1);
    guard.bytes[0] = 99;
    queue.add(guard.buf);
    expect([queue.cancel(), queue.length, guard.buf.isStale]).toEqual([1, 0, true]);
    expect(file.readAtSync(BLOCK, 1)[0]).toBe(source.bytes[BLOCK]);
    expect(() => queue.add(guard.buf)).toThrow(expect.objectContaining({ code: 'ERR_BUF_STALE' }));
    await queue.submit();
    expect(source.count('write')).toBe(0);
    cache.checkInvariants();
  });

  test('of several files', async () => {
    const { cache, file, source } = makeBuf(8 * BLOCK);
    const other = makeBuf(8 * BLOCK).source;
    const second = cache.open(other);
    const queue = cache.delwriQueue();
    for (const [from, block] of [
      [second, 1],
      [file, 3],
      [second, 0],
      [file, 2],
    ] as const) {
      using guard = await from.hold(block);
      guard.bytes[0] = 50 + block;
      queue.add(guard.buf);
    }
    queue.submitSync();
    expect([writesOf(source.calls), writesOf(other.calls)]).toEqual([[[2, 2]], [[0, 2]]]);
    expect(cache.stats().dirty).toBe(0);
    cache.checkInvariants();
  });
});

describe('truncate', () => {
  test('drops what is behind, and what comes back is zeros', async () => {
    const { cache, file, source } = makeBuf(8 * BLOCK, WRITE_BACK);
    await file.readAt(0, 8 * BLOCK);
    await file.writeAt(5 * BLOCK, bytes(BLOCK, 1));
    await file.truncate(2 * BLOCK + 10);
    expect([source.bytes.length, file.knownBytes, file.dirty, file.cached]).toEqual([
      2 * BLOCK + 10,
      2 * BLOCK + 10,
      0,
      3,
    ]);
    expect(await file.readAt(2 * BLOCK, BLOCK)).toHaveLength(10);
    file.truncateSync(4 * BLOCK);
    const expected = new Uint8Array(4 * BLOCK);
    expected.set(pattern(8 * BLOCK).subarray(0, 2 * BLOCK + 10));
    expect(await file.readAt(0, 8 * BLOCK)).toEqual(expected);
    await file.sync();
    expect(source.bytes).toEqual(expected);
    cache.checkInvariants();
  });

  test('waits for writes in flight, and what begins meanwhile waits for it', async () => {
    const { cache, file, source, timers } = makeBuf(8 * BLOCK, WRITE_BACK);
    await file.writeAt(6 * BLOCK, bytes(BLOCK, 1));
    source.manual = true;
    timers.fire();
    await turns();
    expect(() => file.truncateSync(0)).toThrow(expect.objectContaining({ code: 'ERR_BUF_BUSY' }));
    const cutting = file.truncate(BLOCK);
    const writing = file.writeAt(3 * BLOCK, bytes(5, 2));
    expect(() => file.writeAtSync(0, bytes(5, 2))).toThrow(expect.objectContaining({ code: 'ERR_BUF_BUSY' }));
    const reading = file.readAt(0, 8 * BLOCK);
    await turns();
    expect(source.calls.map(({ kind }) => kind)).toEqual(['write']);
    await source.steps();
    await Promise.all([cutting, writing]);
    expect((await reading).length).toBeGreaterThanOrEqual(BLOCK);
    source.manual = false;
    await file.sync();
    const expected = new Uint8Array(3 * BLOCK + 5);
    expected.set(pattern(8 * BLOCK).subarray(0, BLOCK));
    expected.fill(2, 3 * BLOCK);
    expect(source.bytes).toEqual(expected);
    cache.checkInvariants();
  });

  test('that fails changes nothing', async () => {
    const { cache, file, source } = makeBuf(8 * BLOCK, WRITE_BACK);
    await file.writeAt(5 * BLOCK, bytes(BLOCK, 1));
    source.before = ({ kind }) => {
      if (kind === 'truncate') {
        throw fault('EPERM');
      }
    };
    await expect(file.truncate(0)).rejects.toThrow('EPERM');
    expect(() => file.truncateSync(0)).toThrow('EPERM');
    await file.sync();
    expect(source.bytes[5 * BLOCK]).toBe(1);
    cache.checkInvariants();
  });
});

describe('close', () => {
  test('writes what waits, frees everything, and closes the source', async () => {
    const { cache, file, source } = makeBuf(8 * BLOCK, WRITE_BACK);
    await file.readAt(0, 8 * BLOCK);
    await file.writeAt(3, bytes(2 * BLOCK, 4));
    const closing = file.close();
    expect(file.close()).toBe(closing);
    await closing;
    expect([source.bytes[3], source.closed, file.closed]).toEqual([4, true, true]);
    for (const use of [
      () => file.read(0) as Promise<unknown>,
      () => file.writeAt(0, bytes(1, 1)),
      () => file.sync(),
      () => file.truncate(0),
      () => file.readAt(0, 1) as Promise<unknown>,
    ]) {
      await expect(use()).rejects.toMatchObject({ code: 'ERR_BUF_CLOSED' });
    }
    expect(() => file.readSync(0)).toThrow(BufError);
    expect(() => file.invalidate()).toThrow(BufError);
    cache.checkInvariants();
    await cache.close();
    expect(cache.stats()).toMatchObject({ files: 0, used: 0, pending: 0, arenas: 0 });
    expect(() => cache.open(source)).toThrow(BufError);
  });

  test('waits for I/O in flight', async () => {
    const { cache, file, source, timers } = makeBuf(8 * BLOCK, { ...WRITE_BACK, readaheadBytes: 8 * BLOCK });
    await file.readAt(0, 10);
    await file.writeAt(6 * BLOCK, bytes(BLOCK, 1));
    source.manual = true;
    timers.fire();
    const reading = file.readAt(7 * BLOCK, 1);
    await turns();
    let closed = false;
    const closing = file.close().then(() => {
      closed = true;
    });
    await turns();
    expect([closed, source.pending]).toEqual([false, 2]);
    await source.steps();
    await closing;
    expect(await reading).toHaveLength(1);
    expect(cache.stats()).toMatchObject({ inFlight: 0, used: 0 });
    cache.checkInvariants();
  });

  test('stays open over writes that fail, unless they are given up', async () => {
    const { cache, file, source } = makeBuf(8 * BLOCK, WRITE_BACK);
    await file.writeAt(0, bytes(1, 1));
    source.before = ({ kind }) => {
      if (kind === 'write') {
        throw fault('ENOSPC');
      }
    };
    await expect(file.close()).rejects.toMatchObject({ code: 'ERR_BUF_WRITE' });
    await expect(cache.close()).rejects.toMatchObject({ code: 'ERR_BUF_WRITE' });
    expect([file.closed, file.dirty, source.closed]).toEqual([false, 1, false]);
    expect((await file.readAt(0, 1))[0]).toBe(1);
    source.before = () => {};
    await file.close();
    expect([source.bytes[0], source.closed]).toEqual([1, true]);
    const lost = cache.open(makeBuf(0).source);
    await lost.writeAt(0, bytes(1, 1));
    (lost.source as typeof source).before = ({ kind }) => {
      if (kind === 'write') {
        throw fault('ENOSPC');
      }
    };
    await lost.close({ discard: true });
    cache.checkInvariants();
    await cache.close();
    expect(cache.stats()).toMatchObject({ files: 0, arenas: 0, dirty: 0 });
  });

  test('holders keep their bytes', async () => {
    const { cache, file, source } = makeBuf(8 * BLOCK);
    const guard = await file.hold(1);
    await cache.close();
    expect(guard.bytes).toEqual(source.bytes.subarray(BLOCK, 2 * BLOCK));
    expect(cache.stats()).toMatchObject({ used: 1, held: 1 });
    guard.release();
    await turns();
    expect(cache.stats()).toMatchObject({ used: 0, arenas: 0 });
  });

  test('may leave the source open', async () => {
    const { file, source } = makeBuf(8 * BLOCK, {}, { keepSource: true });
    await file.close();
    expect(source.closed).toBe(false);
  });
});
